// The account of configurations: what the controller makes is right, and each way to be wrong is
// told.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/controller/admin.h"
#include "core/controller/changes.h"
#include "core/raft/group_configuration.h"
#include "sim/check/configuration_checker.h"

namespace lockstep::sim {
namespace {

using controller::Configuration;
using controller::ConfigurationNum;

// One configuration after the other, as commands make them, all of them told to a checker.
class Story {
 public:
  using Edit = std::function<void(Configuration&)>;

  Story& Join(const std::vector<uint64_t>& gids, const Edit& edit = nullptr) {
    std::vector<controller::Group> groups;
    for (const uint64_t gid : gids) {
      groups.push_back({.gid = GroupId(gid), .members = {{.node = NodeId(gid)}}});
    }
    return Do(controller::MakeJoin(groups, /*shards=*/6), edit);
  }
  Story& Leave(const std::vector<uint64_t>& gids, const Edit& edit = nullptr) {
    std::vector<GroupId> leaving;
    for (const uint64_t gid : gids) leaving.push_back(GroupId(gid));
    return Do(controller::MakeLeave(leaving, /*force=*/true), edit);
  }
  Story& Move(uint64_t shard, uint64_t gid, const Edit& edit = nullptr) {
    return Do(controller::MakeMove(ShardId(shard), GroupId(gid)), edit);
  }
  Story& Unpin(uint64_t shard, const Edit& edit = nullptr) {
    return Do(controller::MakeUnpin(ShardId(shard)), edit);
  }
  // The group's log has committed who its members are.
  Story& Commit(uint64_t gid, uint64_t membership, const std::vector<uint64_t>& nodes,
                raft::ChangePhase phase = raft::ChangePhase::kSettled) {
    raft::GroupConfiguration members{.id = Index(membership), .phase = phase, .members = {}};
    const raft::Standing before =
        phase == raft::ChangePhase::kSettled ? raft::Standing::kVoter : raft::Standing::kLearner;
    for (const uint64_t node : nodes) {
      members.members.push_back(
          {.node = NodeId(node), .before = before, .after = raft::Standing::kVoter});
    }
    members.members.front().before = raft::Standing::kVoter;
    checker_.OnMembersCommitted(GroupId(gid), {.index = Index(membership),
                                               .term = Term(1),
                                               .kind = EntryKind::kConfiguration,
                                               .data = raft::Encode(members)});
    return *this;
  }
  Story& Replace(uint64_t gid, uint64_t membership, const std::vector<uint64_t>& nodes,
                 const Edit& edit = nullptr) {
    proto::SetMembers set;
    set.set_gid(gid);
    set.set_joined(gid == 0 ? 0 : newest_.Find(GroupId(gid))->joined.value());
    set.set_membership(membership);
    for (const uint64_t node : nodes) set.add_nodes(node);
    return Do(controller::MakeSetMembers(set), edit);
  }
  const std::string& wrong() const { return wrong_; }  // the first time; empty: nothing was

 private:
  Story& Do(const proto::Command& command, const Edit& edit) {
    absl::StatusOr<Configuration> next = controller::NextConfiguration(newest_, command, {});
    EXPECT_TRUE(next.ok()) << next.status();
    newest_ = *std::move(next);
    Configuration told = newest_;
    if (edit) edit(told);
    const std::string wrong = checker_.OnNew(told);
    if (wrong_.empty()) wrong_ = wrong;
    return *this;
  }

  Configuration newest_;
  ConfigurationChecker checker_;
  std::string wrong_;
};

// Gives the shard to somebody else, and says so.
Story::Edit Give(uint64_t shard, uint64_t gid) {
  return [=](Configuration& next) {
    next.owners[shard] = GroupId(gid);
    for (controller::Handover& one : next.handovers) {
      if (one.shard == ShardId(shard)) one.to = GroupId(gid);
    }
  };
}

TEST(Configurations, WhatTheControllerMakesIsRight) {
  Story story;
  story.Join({1}).Join({2, 3}).Move(0, 3).Move(0, 2).Unpin(0).Leave({1}).Join({1, 4}).Move(5, 4);
  story.Leave({2, 3}).Join({2, 5, 6, 7, 8}).Move(1, 8).Leave({1, 2, 4, 5, 6, 7, 8}).Join({3, 1});
  EXPECT_EQ(story.wrong(), "");
}

TEST(Configurations, MembersAreReplacedByWhatTheirGroupHasCommitted) {
  Story story;
  story.Join({1, 2}).Move(0, 2).Commit(2, 7, {4, 5}).Replace(2, 7, {4, 5});
  story.Commit(0, 3, {8, 9}).Replace(0, 3, {8, 9}).Join({3}).Commit(2, 9, {5}).Replace(2, 9, {5});
  EXPECT_EQ(story.wrong(), "");
}

TEST(Configurations, MembersAreNotReplacedByAnythingElse) {
  struct Row {
    const char* want;
    std::function<void(Story&)> tell;
  };
  const std::vector<Row> rows = {
      {"the members of group 2 by its own 7, which it has not committed",
       [](Story& story) { story.Replace(2, 7, {4, 5}); }},
      {"the members of group 0 by its own 7, which it has not committed",
       [](Story& story) { story.Commit(2, 7, {4, 5}).Replace(0, 7, {4, 5}); }},
      {"the members of group 2 by its own 7, which it has not committed",
       [](Story& story) {
         story.Commit(2, 7, {4, 5}, raft::ChangePhase::kJoint).Replace(2, 7, {4, 5});
       }},
      {"the members of group 2 by its own 7 are others than it says",
       [](Story& story) { story.Commit(2, 7, {4, 5}).Replace(2, 7, {4, 6}); }},
      {"the members of group 2 by its own 5 replace those by 7",
       [](Story& story) {
         story.Commit(2, 5, {3, 4}).Commit(2, 7, {4, 5}).Replace(2, 7, {4, 5});
         story.Replace(2, 8, {3, 4}, [](Configuration& next) { next.groups[1].membership = 5; });
       }},
      {"members of 2 groups are replaced at once",
       [](Story& story) {
         story.Commit(2, 7, {4, 5}).Commit(1, 6, {8});
         story.Replace(2, 7, {4, 5}, [](Configuration& next) {
           next.groups[0].membership = 6;
           next.groups[0].members = {{.node = NodeId(8)}};
         });
       }},
      {"shards move while members are replaced",
       [](Story& story) {
         story.Commit(2, 7, {4, 5}).Replace(2, 7, {4, 5}, [](Configuration& next) {
           next.owners[0] = GroupId(next.owners[0] == GroupId(1) ? 2 : 1);
         });
       }},
      {"pins come or go while members are replaced",
       [](Story& story) {
         story.Commit(2, 7, {4, 5}).Replace(2, 7, {4, 5}, [](Configuration& next) {
           next.pins.push_back({.shard = ShardId(0), .gid = next.owners[0]});
         });
       }},
      {"groups come or go while members are replaced",
       [](Story& story) {
         story.Commit(2, 7, {4, 5}).Join({3}, [](Configuration& next) {
           next.groups[1].membership = 7;
           next.groups[1].members = {{.node = NodeId(4)}, {.node = NodeId(5)}};
         });
       }},
  };
  for (const Row& row : rows) {
    Story story;
    story.Join({1, 2});
    row.tell(story);
    EXPECT_EQ(story.wrong(), row.want);
  }
}

TEST(Configurations, NumbersCountUp) {
  Story story;
  story.Join({1}, [](Configuration& next) { next.num = ConfigurationNum(2); });
  EXPECT_EQ(story.wrong(), "its number is not the next one");
}

TEST(Configurations, ShardsAreDividedEvenly) {
  Story story;
  story.Join({1, 2, 3}, Give(2, 1));
  EXPECT_EQ(story.wrong(), "group 1 has 3 shards, group 2 has 1");
}

TEST(Configurations, PinsMayMakeItUneven) {
  Story story;
  story.Join({1, 2}).Move(0, 1).Move(1, 1).Move(2, 1).Move(3, 1).Move(4, 1).Join({3});
  EXPECT_EQ(story.wrong(), "");
}

TEST(Configurations, NoMoreMoveThanMust) {
  // Groups 1 and 2 have three each and give one each to group 3. These two change places besides.
  const auto exchange = [](Configuration& next) {
    size_t first = 0;
    size_t second = 0;
    for (size_t shard = 0; shard < next.owners.size(); ++shard) {
      if (next.owners[shard] == GroupId(1)) first = shard;
      if (next.owners[shard] == GroupId(2)) second = shard;
    }
    next.owners[first] = GroupId(2);
    next.owners[second] = GroupId(1);
    for (const size_t shard : {std::min(first, second), std::max(first, second)}) {
      const bool was_first = shard == first;
      next.handovers.push_back({.shard = ShardId(shard),
                                .from = GroupId(was_first ? 1 : 2),
                                .to = GroupId(was_first ? 2 : 1),
                                .ended = next.num});
    }
    std::sort(next.handovers.begin(), next.handovers.end(),
              [](const auto& a, const auto& b) { return a.shard < b.shard; });
  };
  Story story;
  story.Join({1, 2}).Join({3}, exchange);
  EXPECT_EQ(story.wrong(), "4 shards move, but 2 are enough");
}

TEST(Configurations, WhoHasMoreKeepsWhatIsOver) {
  // Of six shards two groups of four get two each: those that had more.
  Story story;
  story.Join({1, 2}).Join({3, 4}, [](Configuration& next) {
    // One more goes from group 1 to group 3.
    for (size_t shard = 0; shard < next.owners.size(); ++shard) {
      if (next.owners[shard] != GroupId(1)) continue;
      next.owners[shard] = GroupId(3);
      next.handovers.push_back(
          {.shard = ShardId(shard), .from = GroupId(1), .to = GroupId(3), .ended = next.num});
      break;
    }
    std::sort(next.handovers.begin(), next.handovers.end(),
              [](const auto& a, const auto& b) { return a.shard < b.shard; });
  });
  EXPECT_EQ(story.wrong(), "group 3 has 2 shards, group 1 has 1, but had 3");
}

TEST(Configurations, AMoveMovesOneShard) {
  Story story;
  story.Join({1, 2}).Move(0, 1).Move(0, 2, [](Configuration& next) {
    const size_t shard = next.owners[1] == GroupId(1) ? 1 : 2;
    next.owners[shard] = GroupId(2);
    next.handovers.push_back(
        {.shard = ShardId(shard), .from = GroupId(1), .to = GroupId(2), .ended = next.num});
  });
  EXPECT_EQ(story.wrong(), "shard 0 moves without need");
}

TEST(Configurations, PinsStay) {
  const auto forget = [](Configuration& next) { next.pins.clear(); };
  Story left;
  left.Join({1, 2, 3}).Move(0, 1).Leave({3}, forget);
  EXPECT_EQ(left.wrong(), "pins come or go with members");
  Story moved;
  moved.Join({1, 2}).Move(0, 1).Move(1, 2).Move(2, 1, forget);
  EXPECT_EQ(moved.wrong(), "neither members nor one pin have changed");
  Story elsewhere;
  elsewhere.Join({1, 2}).Move(0, 2, [](Configuration& next) { next.pins[0].gid = GroupId(1); });
  EXPECT_EQ(elsewhere.wrong(), "shard 0 is not where it is pinned");
}

TEST(Configurations, SomethingChanges) {
  Story story;
  story.Join({1, 2}).Move(0, 1).Move(0, 2, [](Configuration& next) {
    next.owners[0] = GroupId(1);
    next.pins[0].gid = GroupId(1);
    next.handovers.clear();
  });
  EXPECT_EQ(story.wrong(), "neither members nor one pin have changed");
}

TEST(Configurations, MembersStayAsTheyAre) {
  Story changed;
  changed.Join({1, 2}).Move(
      0, 1, [](Configuration& next) { next.groups[0].members[0].node = NodeId(9); });
  EXPECT_EQ(changed.wrong(), "pins come or go while members are replaced");
  Story quietly;
  quietly.Join({1, 2}).Commit(1, 7, {9}).Replace(
      1, 7, {9}, [](Configuration& next) { next.groups[1].members[0].node = NodeId(8); });
  EXPECT_EQ(quietly.wrong(), "members of 2 groups are replaced at once");
  Story rejoined;
  rejoined.Join({1, 2}).Move(0, 1, [](Configuration& next) { next.groups[0].joined = next.num; });
  EXPECT_EQ(rejoined.wrong(), "group 1 is not as it was");
  Story new_one;
  new_one.Join({1}).Join({2},
                         [](Configuration& next) { next.groups[1].joined = ConfigurationNum(1); });
  EXPECT_EQ(new_one.wrong(), "group 2 is not as it was");
}

TEST(Configurations, OwnersAreMembers) {
  Story story;
  story.Join({1, 2}).Leave({2}, Give(0, 2));
  EXPECT_EQ(story.wrong(), "shard 0 is given to who is no member");
  Story resized;
  resized.Join({1}).Join({2}, [](Configuration& next) { next.owners.push_back(GroupId(1)); });
  EXPECT_EQ(resized.wrong(), "shards come or go");
}

TEST(Configurations, HandoversSayWhereTheDataIs) {
  const auto from_nobody = [](Configuration& next) {
    next.handovers[0].from = GroupId();
    next.handovers[0].ended = ConfigurationNum();
  };
  Story lost;
  lost.Join({1}).Join({2}, from_nobody);
  EXPECT_NE(lost.wrong(), "");
  Story all_left;
  all_left.Join({1}).Leave({1}).Join({2}, from_nobody);
  EXPECT_EQ(all_left.wrong(), "shard 0 goes from group 1 to 2, which its handovers do not say");
  Story late;
  late.Join({1}).Leave({1}).Join({2},
                                 [](Configuration& next) { next.handovers[0].ended = next.num; });
  EXPECT_NE(late.wrong(), "");
  Story missing;
  missing.Join({1}).Join({2}, [](Configuration& next) { next.handovers.pop_back(); });
  EXPECT_NE(missing.wrong(), "");
  Story needless;
  needless.Join({1}).Join({2}, [](Configuration& next) {
    next.handovers.push_back({.shard = ShardId(5), .from = GroupId(1), .to = GroupId(2)});
  });
  EXPECT_EQ(needless.wrong(), "a shard is handed over that stays");
}

}  // namespace
}  // namespace lockstep::sim
