// One replica with its disk and table (tests/support/raft_member.h), to which the rest of its group
// (raft_rest.h) and its own host do what a script says.
#ifndef LOCKSTEP_FUZZ_MODELS_RAFT_REPLICA_H_
#define LOCKSTEP_FUZZ_MODELS_RAFT_REPLICA_H_

#include <cstdint>
#include <deque>
#include <map>

#include "core/base/types.h"
#include "fuzz/models/raft_rest.h"
#include "fuzz/proto/raft_script.pb.h"
#include "tests/support/raft_member.h"

namespace lockstep::fuzz {

class RaftReplica {
 public:
  explicit RaftReplica(const RaftSettings& settings);

  void Do(const MessagesStep& step);

 private:
  struct Mail {
    NodeId from;
    raft::Message message;
  };

  void DoOwn(const RaftStep& step);
  void Propose(const lockstep::fuzz::Propose& propose);
  void Compact(const lockstep::fuzz::Compact& compact);
  void Do(const LeaderSays& says);
  void Do(const AskVote& ask);
  void Do(const Answer& answer);
  void Do(const Noise& noise);

  raft::Body Says(const RaftRest::Leader& leader, const LeaderSays& says) const;
  raft::SnapshotChunk Part(const RaftRest::Leader& leader, const LeaderSays& says) const;
  // Nothing where a correct node would not answer, or not so.
  void AnswerTo(NodeId from, const raft::Message& asked, const Answer& answer);

  void Receive(NodeId from, Term term, raft::Body body);
  void Turn(raft::Input input);
  void After(const test::TurnEffects& effects);
  void Leaves(const raft::Outgoing& outgoing);

  const raft::Raft& raft() const { return member_.raft(); }

  Instant now_ = Instant(std::chrono::seconds(1));
  test::Member member_;
  RaftRest rest_;
  std::deque<Mail> received_;                         // newest last
  std::map<NodeId, std::deque<raft::Message>> sent_;  // newest last
  HardState seen_;
  PersistSeq taken_;  // the newest batch that the disk got
  uint64_t requests_ = 0;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_RAFT_REPLICA_H_
