// A group of Raft replicas to which a script does what networks, disks and people do. After every
// turn of a replica the properties of Raft's Figure 3 hold (tests/support/raft_figure_three.h), and
// what it says and holds is within its limits (raft_limits.h).
#ifndef LOCKSTEP_FUZZ_MODELS_RAFT_CLUSTER_H_
#define LOCKSTEP_FUZZ_MODELS_RAFT_CLUSTER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "core/base/types.h"
#include "fuzz/proto/raft_script.pb.h"
#include "tests/support/raft_figure_three.h"
#include "tests/support/raft_member.h"

namespace lockstep::fuzz {

class RaftCluster {
 public:
  explicit RaftCluster(const RaftSettings& settings);

  void Do(const RaftStep& step);
  // Whether it has done so much that it is enough for one script.
  bool IsTired() const { return turns_ >= kTurnsMax; }

 private:
  static constexpr uint64_t kTurnsMax = 1500;

  struct Mail {
    NodeId from;
    raft::Message message;
  };

  void DoToMember(test::Member& member, const RaftStep& step);
  void Do(test::Member& member, const Deliver& deliver);
  void Do(test::Member& member, const Propose& propose);
  void Do(test::Member& member, const Read& read);
  void Do(test::Member& member, const Compact& compact);
  void Do(test::Member& member, const ChangeMembers& change);
  void Do(test::Member& member, const Noise& noise);
  void Do(const Run& run);
  void RunOneRound(const std::vector<NodeId>& nodes);

  void StartWrite(test::Member& member);
  void FinishWrite(test::Member& member);
  void RunTableJob(test::Member& member);
  void Turn(test::Member& member, raft::Input input);
  void After(test::Member& member, const test::TurnEffects& effects);
  void Post(const test::Member& member, const raft::Outgoing& outgoing);

  NodeId NodeOf(uint32_t number) const { return NodeId(1 + number % nodes_); }
  std::vector<NodeId> NodesOf(uint32_t bits) const;
  PersistSeq NewestBatch(const test::Member& member) const;

  const uint64_t nodes_;
  Instant now_ = Instant(std::chrono::seconds(1));
  std::map<NodeId, test::Member> members_;
  test::FigureThree figure_three_;
  std::map<NodeId, std::deque<Mail>> mail_;  // by receiver
  std::map<NodeId, PersistSeq> taken_;       // the newest batch that a member's disk got
  uint64_t requests_ = 0;
  uint64_t turns_ = 0;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_RAFT_CLUSTER_H_
