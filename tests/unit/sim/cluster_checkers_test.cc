// How notes reach the checker of their group, and what each group is measured by.
#include "sim/check/cluster_checkers.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/placement.h"
#include "core/kv/command.h"

namespace lockstep::sim {
namespace {

// A group of one server leads itself and commits the commands.
void CommitAlone(ClusterCheckers& checkers, GroupId group,
                 const std::vector<proto::Command>& commands) {
  const auto tell = [&](NoteKind kind, LogPosition position, const Entry* entry) {
    checkers.OnNote(Instant{}, NodeId(1),
                    Note{.kind = kind,
                         .group = group,
                         .term = Term(1),
                         .peer = kind == NoteKind::kHardState ? NodeId(1) : NodeId(),
                         .position = position,
                         .entry = entry});
  };
  tell(NoteKind::kBooted, {}, nullptr);
  tell(NoteKind::kHardState, {}, nullptr);
  tell(NoteKind::kBecameLeader, {}, nullptr);
  for (uint64_t i = 1; i <= commands.size(); ++i) {
    const Entry entry{.index = Index(i),
                      .term = Term(1),
                      .kind = EntryKind::kCommand,
                      .data = kv::Encode(commands[i - 1])};
    tell(NoteKind::kAppended, {entry.index, entry.term}, &entry);
    tell(NoteKind::kCommitted, {entry.index, entry.term}, nullptr);
  }
}

TEST(ClusterCheckers, TheControllerKeepsSessionsOfItsOwnNumber) {
  Findings findings;
  controller::ControllerOptions controller;
  controller.sessions_max = 2;
  ShardChecker shards(findings, controller, /*sessions_max=*/1);
  ClusterCheckers checkers(findings, /*sessions_max=*/1, &shards);
  proto::Command prune;
  prune.mutable_prune_history()->set_before(1);
  CommitAlone(checkers, kControllerGroup,
              {kv::MakeRegisterSession(1), kv::MakeRegisterSession(2),
               kv::InSession(prune, SessionId(1), 1, 1), kv::MakeRegisterSession(3),
               kv::InSession(prune, SessionId(2), 1, 1)});
  ASSERT_FALSE(findings.first().has_value()) << findings.first()->evidence;
  EXPECT_EQ(checkers.sessions(kControllerGroup).FirstOf({SessionId(1), 1, 0}), Index(3));
  EXPECT_EQ(checkers.sessions(kControllerGroup).FirstOf({SessionId(2), 1, 0}), Index())
      << "expired";
}

}  // namespace
}  // namespace lockstep::sim
