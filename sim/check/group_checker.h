// Watches the replicas of one group. Each note is checked when it comes, in O(1), or O(replicas)
// for the rare ones.
//
//   Election Safety      one leader a term, elected by a majority of votes, one vote a replica
//   Leader Append-Only   a leader never drops an entry of its log
//   Log Matching         who holds an entry (index, term) holds the same prefix
//   Leader Completeness  a new leader holds what leaders of earlier terms have committed
//   State Machine Safety everybody commits and applies one sequence, in order, with equal answers
//   Durability           what a replica promised is still there after any crash
//   Freshness            an answer tells of no state older than what was committed when it was
//   asked for
//   Lease                while a leader holds one, nobody is elected in a later term
//   Membership           one change at a time, by steps whose majorities meet, and everybody
//   decides
//                        by what its own log says
//
// (Raft Fig. 3 and §5.4.2; thesis §4; the durability oracle follows FoundationDB's idea of
// remembering promises outside the node.) Majorities are those of the configuration in force at the
// leader. A group begins with the members that are declared, or else with all that have booted.
#ifndef LOCKSTEP_SIM_CHECK_GROUP_CHECKER_H_
#define LOCKSTEP_SIM_CHECK_GROUP_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/raft/group_configuration.h"
#include "core/raft/quorum.h"
#include "core/runtime/journal.h"
#include "core/runtime/log.h"
#include "sim/check/checker.h"
#include "sim/check/commit_chain.h"
#include "sim/check/entry_registry.h"
#include "sim/check/replica_view.h"
#include "sim/check/session_model.h"

namespace lockstep::sim {

// How often things happened that a run is made for.
struct GroupCounters {
  uint64_t elections = 0;    // leaders
  uint64_t votes = 0;        // granted to others
  uint64_t commits = 0;      // entries
  uint64_t applied = 0;      // entries, by all replicas
  uint64_t truncations = 0;  // times that a log lost its tail to a leader
  uint64_t compactions = 0;  // times that a log lost its head
  uint64_t snapshots_sent = 0;
  uint64_t snapshots_installed = 0;
  uint64_t snapshots_resumed = 0;
  uint64_t transfers = 0;
  uint64_t recoveries = 0;     // boots of a replica that had promised something
  uint64_t changes_begun = 0;  // configurations that leaders appended, by what they are
  uint64_t changes_joint = 0;
  uint64_t changes_committed = 0;   // all kinds
  uint64_t changes_taken_back = 0;  // by truncation, at any replica
  uint64_t promotions = 0;          // learners that became voters, committed
  uint64_t leaders_removed = 0;     // by themselves, committed
  uint64_t joint_elections = 0;     // decided by two sets of voters
  uint64_t losses = 0;              // boots of a replica that had lost promises to damage
  uint64_t repairs = 0;             // times that one had got them back
  uint64_t leases = 0;              // times that a leader without one got one
};

// Hears of every entry that a group commits, once, in order.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  virtual void OnCommitted(GroupId group, const Entry& entry) = 0;
};

class GroupChecker {
 public:
  // `findings` and `listener` outlive this object; nobody listens where that is null.
  GroupChecker(GroupId group, Findings& findings, uint64_t sessions_max,
               CommitListener* listener = nullptr)
      : group_(group),
        findings_(findings),
        listener_(listener),
        registry_(/*keeps_contents=*/listener != nullptr),
        sessions_(sessions_max) {}

  GroupId group() const { return group_; }
  // Before anything is heard: who the members are until the log says otherwise.
  void DeclareMembers(raft::Membership members) { beginning_ = std::move(members); }
  // What is in force somewhere, or may be again: the newest configuration that is committed and
  // those that logs hold after it, of servers that are down, too.
  std::vector<raft::GroupConfiguration> Deciding() const;
  // The members, ascending, of the configuration with this id; nullopt: none is known to be
  // committed there. Id 0: the group's beginning.
  std::optional<std::vector<NodeId>> MembersCommittedAs(Index id) const;
  void OnNote(Instant now, NodeId node, const Note& note);
  void OnRequest(NodeId node, RequestId id);
  void OnCrash(NodeId node);
  // The node's disk has been damaged: its log may lose what was durable, once.
  void OnDamage(NodeId node) { ++ViewOf(node).damages; }
  void AtEnd();
  void OnTableDigest(NodeId node, LogPosition applied, uint64_t digest);

  const SessionModel& sessions() const { return sessions_; }
  const GroupCounters& counters() const { return counters_; }

 private:
  // How many commits lie between two attempts to forget what nobody can ask for any more.
  static constexpr uint64_t kPruneEvery = uint64_t{1} << 18;

  struct Election {
    NodeId leader;
    Instant since{};
    std::vector<std::pair<NodeId, NodeId>> votes;  // voter, candidate
  };

  ReplicaView& ViewOf(NodeId node);
  void Report(absl::string_view property, std::string evidence);

  // group_checker.cc: the log.
  void OnHardState(ReplicaView& view, const Note& note);
  void OnAppended(ReplicaView& view, const Note& note);
  void OnTruncated(ReplicaView& view, const Note& note);
  void OnBaseMoved(ReplicaView& view, const Note& note);
  bool Adopt(ReplicaView& view, const Entry& entry);
  void Dispatch(ReplicaView& view, const Note& note);

  // group_checker_elections.cc
  void OnVoteGranted(ReplicaView& view, const Note& note);
  void OnBecameLeader(ReplicaView& view, const Note& note);
  void OnBecameOther(ReplicaView& view, const Note& note);
  void CheckVotes(ReplicaView& leader, const Election& election);
  void CheckCompleteness(const ReplicaView& leader, Term term);

  // group_checker_leases.cc
  void OnLease(ReplicaView& view, const Note& note);
  void CheckLeasesAreOver(const ReplicaView& leader);
  void ReportLease(const ReplicaView& holder, NodeId leader, Term term, Instant since);

  // group_checker_membership.cc
  const raft::Membership& InForce(const ReplicaView& view) const;
  Index InForceId(const ReplicaView& view) const;
  void HoldConfiguration(ReplicaView& view, const Entry& entry);
  void DropConfigurations(ReplicaView& view, Index from);
  void CheckChange(const ReplicaView& leader, const raft::GroupConfiguration& next);
  void CheckMayLead(const ReplicaView& leader);
  void CheckInForce(const ReplicaView& view, uint64_t id, absl::string_view doing);
  void NoteConfigurationsCommitted(const ReplicaView& view, Index through);
  // The configuration that is committed at or before `index`.
  const HeldConfiguration* CommittedAt(Index index) const;

  // group_checker_commits.cc
  void OnCommitted(ReplicaView& view, const Note& note);
  void ExtendChain(ReplicaView& view, Index through);
  void CheckCommitRule(ReplicaView& view, Index through);
  void OnApplied(ReplicaView& view, const Note& note);
  void OnReplied(ReplicaView& view, const Note& note);
  bool CheckAgreesWithChain(const ReplicaView& view, Index index, absl::string_view doing);
  bool CheckIsCommitted(const ReplicaView& view, LogPosition position, absl::string_view doing);
  void CheckNoGap(const ReplicaView& view);

  // group_checker_durability.cc
  void OnBooted(ReplicaView& view, const Note& note);
  void OnBootEntry(ReplicaView& view, const Note& note);
  void FinishBoot(ReplicaView& view);
  void NoteLoss(ReplicaView& view, Term doubt);
  Index CommittedOf(const Loss& loss) const;
  void OnTrusted(ReplicaView& view);
  bool HadPromised(const ReplicaView& view, Term leader_term, Index index, ChainLink link) const;
  void OnAppendAcked(ReplicaView& view, const Note& note);
  void OnSnapshotInstalled(ReplicaView& view, const Note& note);
  bool AckIsTrue(const ReplicaView& view, Term term, Index match);
  void CheckMajorityHolds(ReplicaView& leader, Index through);
  void Prune();

  GroupId group_;
  Findings& findings_;
  CommitListener* const listener_;
  Instant now_{};
  std::vector<ReplicaView> views_;             // by node id
  std::optional<raft::Membership> beginning_;  // none: all that have booted
  std::vector<NodeId> booted_;                 // where that is so, with
  raft::Membership booted_members_;            // all of them
  absl::btree_map<Index, HeldConfiguration> committed_configurations_;
  EntryRegistry registry_;
  CommitChain chain_;
  Index prune_at_{kPruneEvery};
  SessionModel sessions_;
  absl::btree_map<Term, Election> elections_;
  absl::btree_map<Index, std::pair<NodeId, uint64_t>> digests_;  // whose table, and its digest
  GroupCounters counters_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_GROUP_CHECKER_H_
