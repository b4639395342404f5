// The duty of a replica of the controller: it tells shard groups of configurations. That is a read
// of what never changes, so any replica answers, from what it has applied, and no log grows.
#ifndef LOCKSTEP_CORE_NODE_CONTROLLER_DUTY_H_
#define LOCKSTEP_CORE_NODE_CONTROLLER_DUTY_H_

#include "absl/container/btree_map.h"
#include "core/node/duty.h"

namespace lockstep::node {

class ControllerDuty final : public Duty {
 public:
  explicit ControllerDuty(Courier& courier) : courier_(courier) {}

  void OnMessage(Instant now, NodeId from, const proto::NodeMessage& message,
                 const Standing& standing) override;
  void OnResult(Instant now, RequestId call, const proto::Result& result) override;
  void OnLost(RequestId call) override { asked_.erase(call); }
  void OnApplied(Instant, const proto::Result&) override {}
  void OnTableReplaced() override {}
  void Act(Instant now, const Standing& standing, DutyCalls* calls) override;
  Instant wake_at() const override { return kNever; }

 private:
  struct Asked {
    NodeId from;
    GroupId group;
  };

  Courier& courier_;
  RequestId last_call_ = kFirstDutyCall;
  absl::btree_map<RequestId, Asked> asked_;
  DutyCalls calls_;  // for the next Act
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_CONTROLLER_DUTY_H_
