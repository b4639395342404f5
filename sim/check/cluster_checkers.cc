#include "sim/check/cluster_checkers.h"

#include <string>

#include "core/base/placement.h"

namespace lockstep::sim {

GroupChecker& ClusterCheckers::GroupOf(GroupId group) {
  for (const std::unique_ptr<GroupChecker>& checker : groups_) {
    if (checker->group() == group) return *checker;
  }
  const bool of_controller = shards_ != nullptr && group == kControllerGroup;
  const uint64_t sessions_max = of_controller ? shards_->controller_sessions_max() : sessions_max_;
  return *groups_.emplace_back(
      std::make_unique<GroupChecker>(group, findings_, sessions_max, shards_));
}

void ClusterCheckers::OnNote(Instant now, NodeId node, const Note& note) {
  // Malformed bytes name no group that one could trust.
  if (note.kind == NoteKind::kMalformed) return;
  GroupOf(note.group).OnNote(now, node, note);
  const bool shards = shards_ != nullptr && note.group != kControllerGroup;
  if (shards && note.kind == NoteKind::kApplied) shards_->OnApplied(now, node, note);
}

void ClusterCheckers::OnCrash(Instant, NodeId node) {
  for (const std::unique_ptr<GroupChecker>& checker : groups_) checker->OnCrash(node);
}

void ClusterCheckers::OnDamage(NodeId node) {
  for (const std::unique_ptr<GroupChecker>& checker : groups_) checker->OnDamage(node);
}

void ClusterCheckers::OnRequest(NodeId node, RequestId id) {
  for (const std::unique_ptr<GroupChecker>& checker : groups_) checker->OnRequest(node, id);
}

void ClusterCheckers::AtEnd() {
  for (const std::unique_ptr<GroupChecker>& checker : groups_) checker->AtEnd();
}

void ClusterCheckers::OnTableDigest(NodeId node, GroupId group, LogPosition applied,
                                    uint64_t digest) {
  GroupOf(group).OnTableDigest(node, applied, digest);
}

void ClusterCheckers::AppendCounters(Counters* counters) const {
  GroupCounters sum;
  uint64_t duplicates = 0;
  for (const std::unique_ptr<GroupChecker>& checker : groups_) {
    const GroupCounters& one = checker->counters();
    sum.elections += one.elections;
    sum.votes += one.votes;
    sum.commits += one.commits;
    sum.applied += one.applied;
    sum.truncations += one.truncations;
    sum.compactions += one.compactions;
    sum.snapshots_sent += one.snapshots_sent;
    sum.snapshots_installed += one.snapshots_installed;
    sum.snapshots_resumed += one.snapshots_resumed;
    sum.recoveries += one.recoveries;
    sum.losses += one.losses;
    sum.repairs += one.repairs;
    sum.leases += one.leases;
    sum.changes_begun += one.changes_begun;
    sum.changes_joint += one.changes_joint;
    sum.changes_committed += one.changes_committed;
    sum.changes_taken_back += one.changes_taken_back;
    sum.promotions += one.promotions;
    sum.leaders_removed += one.leaders_removed;
    sum.joint_elections += one.joint_elections;
    // Where there are shards, sessions are theirs.
    if (shards_ == nullptr) duplicates += checker->sessions().duplicates();
  }
  auto& values = counters->values;
  values.emplace_back("elections", sum.elections);
  values.emplace_back("votes", sum.votes);
  values.emplace_back("entries committed", sum.commits);
  values.emplace_back("entries applied", sum.applied);
  values.emplace_back("log truncations", sum.truncations);
  values.emplace_back("log compactions", sum.compactions);
  values.emplace_back("snapshots sent", sum.snapshots_sent);
  values.emplace_back("snapshots installed", sum.snapshots_installed);
  values.emplace_back("snapshots resumed", sum.snapshots_resumed);
  values.emplace_back("recoveries", sum.recoveries);
  values.emplace_back("logs that lost something", sum.losses);
  values.emplace_back("logs repaired", sum.repairs);
  values.emplace_back("leases", sum.leases);
  values.emplace_back("configurations appended", sum.changes_begun);
  values.emplace_back("configurations joint", sum.changes_joint);
  values.emplace_back("configurations committed", sum.changes_committed);
  values.emplace_back("configurations taken back", sum.changes_taken_back);
  values.emplace_back("learners promoted", sum.promotions);
  values.emplace_back("leaders removed", sum.leaders_removed);
  values.emplace_back("elections by two majorities", sum.joint_elections);
  if (shards_ != nullptr) duplicates = shards_->model().duplicates();
  values.emplace_back("duplicate commands", duplicates);
}

}  // namespace lockstep::sim
