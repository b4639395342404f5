// The five properties of Raft's Figure 3, by brute force, over all members of a group after every
// single turn; and what is promised to clients and disks: reads are never stale, what is committed
// is durable on a majority of those who decided, terms and votes never go back, and no term leaves
// a node before it is durable there.
#ifndef LOCKSTEP_TESTS_SUPPORT_RAFT_FIGURE_THREE_H_
#define LOCKSTEP_TESTS_SUPPORT_RAFT_FIGURE_THREE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/types.h"
#include "core/raft/raft.h"
#include "tests/support/raft_member.h"

namespace lockstep::test {

class FigureThree {
 public:
  using Members = std::map<NodeId, Member>;
  using Fail = std::function<void(const std::string& what)>;

  // `members` outlives it.
  FigureThree(const Members& members, Fail fail) : members_(members), fail_(std::move(fail)) {}

  // Around each turn of a member.
  void Before(const Member& member);
  void After(const Member& member, const TurnEffects& effects);
  void Crashed(const Member& member);
  // A client asks for a read.
  void Asked(RequestId id) { reads_[id] = Index(committed_.size()); }
  // A message leaves a member.
  void Leaves(const Member& member, const raft::Outgoing& outgoing) const;

  // What has come to pass.
  uint64_t commits() const { return committed_.size(); }
  uint64_t leaders() const { return leaders_.size(); }
  uint64_t truncations() const { return truncations_; }
  uint64_t installs() const { return installs_; }
  uint64_t reads() const { return reads_done_; }
  uint64_t changes() const { return changes_; }    // configurations of leaders
  uint64_t joints() const { return joints_; }      // of them
  uint64_t removals() const { return removals_; }  // of leaders by themselves

 private:
  void CheckReads(const TurnEffects& effects);
  void NoteMembers(const Member& member, const Entry& entry);
  void CheckElection(const Member& member);
  void CheckSafety(const Member& member);
  void CheckLeaderAppendOnly(const Member& member);
  void CheckMatching(const raft::RaftLog& a, const raft::RaftLog& b) const;
  void CheckCommitted(const Member& member);
  void CheckCommittedByCounting(const Member& member, const TurnEffects& effects) const;
  void CheckDurable() const;
  void CheckTable(const Member& member);
  void CheckTerms(const Member& member);

  const Members& members_;
  const Fail fail_;
  // Of the replica that has the turn, before it.
  raft::Membership decides_;
  Index commit_before_;
  Term leads_before_;  // none: it does not lead
  std::map<Term, NodeId> leaders_;
  std::map<NodeId, std::pair<Term, std::map<Index, Term>>> leader_logs_;
  std::vector<std::pair<Term, std::string>> committed_;  // [i] is index i + 1
  raft::Membership deciders_;                            // of the newest of them
  std::map<RequestId, Index> reads_;                     // what was committed when it was asked for
  std::map<NodeId, HardState> seen_;
  std::string longest_table_;
  uint64_t truncations_ = 0;
  uint64_t installs_ = 0;
  uint64_t reads_done_ = 0;
  uint64_t changes_ = 0;
  uint64_t joints_ = 0;
  uint64_t removals_ = 0;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_RAFT_FIGURE_THREE_H_
