// A table that finds damage: the machine goes on until its storage takes the word from it.
#include <gtest/gtest.h>

#include <string>

#include "core/controller/controller_machine.h"
#include "core/kv/command.h"
#include "core/runtime/memory_table.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

// From the `sound`th read on nothing can be read.
class UnreadableTable final : public TableReader {
 public:
  UnreadableTable(const MemoryTable& table, int sound) : table_(table), sound_(sound) {}
  bool failed() const override { return failed_; }
  bool Get(absl::string_view key, std::string* value) const override {
    failed_ = failed_ || sound_-- <= 0;
    return !failed_ && table_.Get(key, value);
  }
  void Scan(absl::string_view start,
            absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit)
      const override {
    failed_ = failed_ || sound_-- <= 0;
    if (!failed_) table_.Scan(start, visit);
  }

 private:
  const MemoryTable& table_;
  mutable int sound_;
  mutable bool failed_ = false;
};

TEST(Unreadable, NoReadThatFailsIsTakenForAMistakeOfTheMachine) {
  Replica replica;
  Admin admin(replica);
  for (const uint64_t gid : {1u, 2u, 3u}) admin.Do(JoinOf({gid}));
  const MemoryTable table(replica.dump());
  proto::Query member = MakeGetConfiguration(ConfigurationNum(1));
  member.mutable_get_configuration()->set_member_gid(2);
  int failures = 0;
  for (int sound = 0; sound < 20; ++sound) {
    UnreadableTable unreadable(table, sound);
    ControllerMachine machine(ControllerOptions{});
    machine.Load(unreadable);
    if (unreadable.failed()) {
      ++failures;
      continue;
    }
    for (const proto::Query& query : {MakeGetConfiguration(ConfigurationNum(2)),
                                      MakeGetConfiguration(ConfigurationNum()), member}) {
      machine.Query(kv::Encode(query), {replica.index(), Term(1)}, unreadable);
    }
    if (unreadable.failed()) ++failures;
  }
  EXPECT_GT(failures, 2);
  EXPECT_LT(failures, 20);
}

}  // namespace
}  // namespace lockstep::controller
