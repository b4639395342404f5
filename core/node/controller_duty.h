// The duty of a replica of the controller: it tells shard groups of configurations. That is a read
// of what never changes, so any replica answers, from what it has applied, and no log grows. What a
// group asks for also says what it needs no more: the leader has old configurations forgotten. And
// who its members are, where they have changed: the leader has a configuration made that says so,
// as of its own members.
#ifndef LOCKSTEP_CORE_NODE_CONTROLLER_DUTY_H_
#define LOCKSTEP_CORE_NODE_CONTROLLER_DUTY_H_

#include <algorithm>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/controller/pruning.h"
#include "core/node/duty.h"
#include "core/node/member_reports.h"

namespace lockstep::node {

class ControllerDuty final : public Duty {
 public:
  // Both outlive the duty.
  ControllerDuty(const NodeOptions& options, Courier& courier)
      : options_(options), courier_(courier) {}

  std::optional<proto::Result> RefuseEarly(const proto::Command&) const override {
    return std::nullopt;
  }
  void OnMessage(Instant now, NodeId from, const proto::NodeMessage& message,
                 const Standing& standing) override;
  void OnResult(Instant now, RequestId call, const proto::Result& result) override;
  void OnLost(Instant now, RequestId call) override;
  void OnApplied(Instant, const proto::Result&) override {}
  void OnControllers(const proto::Controllers& controllers) override { controllers_ = controllers; }
  const proto::Controllers& controllers() const override { return controllers_; }
  void OnTableReplaced() override {}
  void Act(Instant now, const Standing& standing, DutyCalls* calls) override;
  Instant wake_at() const override { return MayLook() ? std::min(prune_at_, look_at_) : prune_at_; }

 private:
  struct Asked {
    NodeId from;
    GroupId group;
    bool newest = false;
  };

  RequestId NextCall();
  void Tell(const Asked& asked, const proto::Result& result);
  void Prune(const proto::Result& result);
  void SetMembers(const proto::Result& result);
  // One look at a time, and none while what the last one found is on its way.
  bool MayLook() const { return !reports_.empty() && looking_ == RequestId() && setting_.empty(); }
  void Look(Instant now, const Standing& standing);

  const NodeOptions& options_;
  Courier& courier_;
  RequestId last_call_ = kFirstDutyCall;
  absl::btree_map<RequestId, Asked> asked_;
  controller::Needs needs_;    // heard by this replica, in this life
  RequestId membership_;       // the query of it that is under way; none: none is
  Instant prune_at_ = kNever;  // the leader looks again
  MemberReports reports_;
  proto::Controllers controllers_;  // the newest that the node knows of
  RequestId looking_;  // the query of the newest configuration that is under way; none: none is
  absl::btree_set<RequestId> setting_;  // the proposals of members that are under way
  Instant look_at_;                     // not before
  DutyCalls calls_;                     // for the next Act
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_CONTROLLER_DUTY_H_
