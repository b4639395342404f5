#include "tests/scenario/support/administrator.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/controller/admin.h"

namespace lockstep::scenario {

controller::Configuration ConfigurationIn(const proto::Result& result) {
  absl::StatusOr<controller::Configuration> configuration =
      controller::FromProto(result.configuration());
  Check(configuration.ok(), "the controller's configurations are valid");
  return *std::move(configuration);
}

proto::Code Administrator::Complete(const Pending& pending) {
  const bool done = client_.Await(pending, kPatience + std::chrono::seconds(1));
  EXPECT_TRUE(done) << pending.what() << " is not done";
  if (!done) return proto::CODE_UNSPECIFIED;
  EXPECT_TRUE(pending.ok() || pending.outcome().result.code() != proto::CODE_UNSPECIFIED)
      << pending.what() << ": " << pending.outcome().status;
  return pending.outcome().result.code();
}

proto::Code Administrator::Join(const std::vector<controller::Group>& groups) {
  return Complete(JoinSoon(groups));
}
proto::Code Administrator::Leave(const std::vector<GroupId>& gids, bool force) {
  return Complete(LeaveSoon(gids, force));
}
proto::Code Administrator::Move(uint32_t shard, GroupId gid) {
  return Complete(MoveSoon(shard, gid));
}
proto::Code Administrator::Unpin(uint32_t shard) {
  return Complete(
      CommandSoon(controller::MakeUnpin(ShardId(shard)), absl::StrCat("unpin ", shard)));
}

std::optional<controller::Configuration> Administrator::Query(uint64_t num) {
  const Pending pending = QuerySoon(num);
  if (Complete(pending) != proto::OK) return std::nullopt;
  return ConfigurationIn(pending.outcome().result);
}

Pending Administrator::JoinSoon(const std::vector<controller::Group>& groups, Duration patience) {
  return CommandSoon(controller::MakeJoin(groups, shards_),
                     absl::StrCat("join of ", groups.size(), " groups"), patience);
}

Pending Administrator::LeaveSoon(const std::vector<GroupId>& gids, bool force, Duration patience) {
  return CommandSoon(controller::MakeLeave(gids, force),
                     absl::StrCat("leave of ", gids.size(), " groups"), patience);
}

Pending Administrator::MoveSoon(uint32_t shard, GroupId gid, Duration patience) {
  return CommandSoon(controller::MakeMove(ShardId(shard), gid),
                     absl::StrCat("move of ", shard, " to ", gid.value()), patience);
}

Pending Administrator::QuerySoon(uint64_t num, Duration patience) {
  return client_.AskSoon(controller::MakeGetConfiguration(controller::ConfigurationNum(num)),
                         absl::StrCat("query of ", num), patience);
}

Pending Administrator::CommandSoon(const proto::Command& command, const std::string& what,
                                   Duration patience) {
  commands_.push_back(client_.AskSoon(command, what, patience));
  return commands_.back();
}

void Administrator::Judge(const sim::SessionModel& sessions) const {
  using Kind = client::Outcome::Kind;
  for (const Pending& command : commands_) {
    if (!command.done()) continue;
    const Index first = sessions.FirstOf(command.command());
    if (command.ok()) {
      EXPECT_EQ(first, Index(command.outcome().result.index())) << command.what();
    } else if (command.outcome().kind == Kind::kNotExecuted) {
      EXPECT_FALSE(first) << command.what() << " was executed: " << command.outcome().status;
    }
  }
}

}  // namespace lockstep::scenario
