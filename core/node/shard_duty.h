// The duty of a replica of a shard group. As leader it drives the group's hand-overs
// (shardkv::Agent). Whether it leads or not it serves what other groups fetch: a frozen tenure
// never changes, so any replica that has it may answer. The leader also tells the controller who
// the members of the group are, with each question, as long as nobody changes them.
#ifndef LOCKSTEP_CORE_NODE_SHARD_DUTY_H_
#define LOCKSTEP_CORE_NODE_SHARD_DUTY_H_

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/node/controller_list.h"
#include "core/node/duty.h"
#include "core/shardkv/agent.h"

namespace lockstep::node {

class ShardDuty final : public Duty {
 public:
  ShardDuty(const NodeOptions& options, GroupId group, Rng rng, Courier& courier, Pace& bulk);

  std::optional<proto::Result> RefuseEarly(const proto::Command& command) const override;
  void OnMessage(Instant now, NodeId from, const proto::NodeMessage& message,
                 const Standing& standing) override;
  void OnResult(Instant now, RequestId call, const proto::Result& result) override;
  void OnLost(Instant now, RequestId call) override;
  void OnApplied(Instant now, const proto::Result& result) override;
  void OnControllers(const proto::Controllers& controllers) override {
    controllers_.Learn(controllers);
  }
  const proto::Controllers& controllers() const override { return controllers_.newest(); }
  void OnTableReplaced() override;
  void Act(Instant now, const Standing& standing, DutyCalls* calls) override;
  Instant wake_at() const override { return agent_.wake_at(); }

 private:
  // Another group's question that is being answered.
  struct Asked {
    NodeId from;
    proto::ShardMessage message;
    bool follows = false;  // this replica: it only looks
    NodeId leader = {};    // as far as it knows
  };

  RequestId NextCall();
  void Learn(const proto::ShardStates& states);
  bool IsOver(const proto::DropShard& drop) const;
  void OnRead(NodeId from, const proto::ShardMessage& message);
  void LookWhetherDropped(NodeId from, const proto::ShardMessage& message, NodeId leader);
  void OnDrop(NodeId from, const proto::ShardMessage& message, const Standing& standing);
  void Answer(const Asked& asked, const proto::Result& result);
  void Send(NodeId to, proto::ShardMessage message);
  void OnConfigurationAnswer(Instant now, const proto::ConfigurationAnswer& answer);
  void AskController(const proto::GetConfiguration& get, const Standing& standing);
  void SayAll(const raft::GroupConfiguration& members, proto::ConfigurationRequest* request) const;

  const GroupId group_;
  Courier& courier_;
  shardkv::Agent agent_;
  RequestId last_call_ = kFirstDutyCall;
  RequestId beginning_;  // the query whose result the agent begins with; none: not asked
  absl::btree_map<RequestId, Asked> asked_;
  absl::btree_map<RequestId, uint64_t> proposed_;  // the agent's proposals, by their numbers
  absl::btree_set<shardkv::TenureId> serving_;     // by the leader's table, while the agent leads
  // Tenures that have ended, by shard and end, and have not been dropped: when the group had joined
  // that had them.
  absl::btree_map<std::pair<uint32_t, uint64_t>, uint64_t> owed_;
  uint64_t num_ = 0;  // of its newest configuration
  DutyCalls calls_;   // for the next Act
  ControllerList controllers_;
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_SHARD_DUTY_H_
