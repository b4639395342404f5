#include "sim/check/space_checker.h"

#include <optional>
#include <string>

#include "core/kv/command.h"
#include "gtest/gtest.h"

namespace lockstep::sim {
namespace {

constexpr NodeId kServer(2);
constexpr GroupId kGroup(1);

class SpaceCheck : public testing::Test {
 protected:
  // In a turn; its notes come when the next has begun.
  void Measured(uint32_t turn, uint64_t free_bytes) {
    checker_.OnMeasured(kServer, turn, free_bytes);
  }
  void Noted(uint32_t turn, bool leads, NoteKind kind, const Entry* entry) {
    checker_.OnNote(kServer, turn + 1, leads,
                    Note{.kind = kind,
                         .group = kGroup,
                         .term = Term(3),
                         .peer = NodeId(),
                         .position = LogPosition{},
                         .number = 0,
                         .entry = entry},
                    findings_);
  }
  void Appended(uint32_t turn, bool leads, const proto::Command& command,
                EntryKind kind = EntryKind::kCommand) {
    const Entry entry{
        .index = Index(5), .term = Term(3), .kind = kind, .data = kv::Encode(command)};
    Noted(turn, leads, NoteKind::kAppended, &entry);
  }
  bool Found() const { return findings_.first().has_value(); }

  const proto::Command put_ = kv::MakePut("k", "v");
  Findings findings_;
  SpaceChecker checker_{{.soft_bytes = 1000, .hard_bytes = 100}};
};

TEST_F(SpaceCheck, ALeaderBelowTheSoftLimitTakesNoData) {
  Appended(1, /*leads=*/true, put_);
  Measured(2, 999);
  Appended(2, /*leads=*/true, put_);  // Perhaps before the measurement.
  Appended(3, /*leads=*/true, kv::MakeDelete("k"));
  Appended(3, /*leads=*/false, put_);
  EXPECT_FALSE(Found());
  EXPECT_EQ(checker_.measured_low(), 1u);
  Appended(3, /*leads=*/true, put_);
  ASSERT_TRUE(Found());
  EXPECT_EQ(findings_.first()->property, "Disks Are Not Filled");
}

TEST_F(SpaceCheck, NobodyBelowTheHardLimitTakesWhatIsForTheStateMachine) {
  Measured(2, 99);
  Appended(3, /*leads=*/false, proto::Command(), EntryKind::kNoop);
  Appended(3, /*leads=*/false, proto::Command(), EntryKind::kConfiguration);
  Noted(4, /*leads=*/false, NoteKind::kTruncated, nullptr);
  Appended(4, /*leads=*/false, put_);  // In the place of another.
  EXPECT_FALSE(Found());
  Appended(4, /*leads=*/false, kv::MakeDelete("k"));
  EXPECT_TRUE(Found());
}

TEST_F(SpaceCheck, SpaceThatIsBackCounts) {
  Measured(2, 10);
  Measured(5, 5000);
  Appended(5, /*leads=*/true, put_);
  Appended(6, /*leads=*/true, put_);
  EXPECT_FALSE(Found());
}

TEST_F(SpaceCheck, ANewLifeKnowsNothingYet) {
  Measured(2, 10);
  Noted(3, /*leads=*/false, NoteKind::kBooted, nullptr);
  Appended(4, /*leads=*/false, put_);
  EXPECT_FALSE(Found());
  Measured(5, 10);
  Appended(6, /*leads=*/false, put_);
  EXPECT_TRUE(Found());
}

}  // namespace
}  // namespace lockstep::sim
