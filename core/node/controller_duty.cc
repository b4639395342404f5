#include "core/node/controller_duty.h"

#include <optional>
#include <utility>

namespace lockstep::node {
namespace {

// Questions that are being answered at a time. Beyond: silence, and they ask again.
constexpr size_t kAskedMax = 4096;

}  // namespace

RequestId ControllerDuty::NextCall() {
  last_call_ = last_call_.Next();
  return last_call_;
}

void ControllerDuty::OnMessage(Instant, NodeId from, const proto::NodeMessage& message,
                               const Standing& standing) {
  if (!message.has_configuration_request() || asked_.size() >= kAskedMax) return;
  const proto::ConfigurationRequest& request = message.configuration_request();
  const GroupId group(request.from_group());
  controller::NoteNeed(group, request.get(), &needs_);
  const RequestId call = NextCall();
  *calls_.queries.emplace_back(call, proto::Query()).second.mutable_get_configuration() =
      request.get();
  const bool newest = request.get().num() == 0 && request.get().member_gid() == 0;
  asked_.emplace(call, Asked{from, group, newest});
  if (!standing.caught_up) return;
  for (const proto::SetMembers& said : request.members()) reports_.Note(said);
}

void ControllerDuty::OnResult(Instant, RequestId call, const proto::Result& result) {
  if (call == membership_) return Prune(result);
  if (call == looking_) return SetMembers(result);
  if (setting_.erase(call) != 0) return;
  const auto found = asked_.find(call);
  if (found == asked_.end()) return;  // A prune: that is all.
  const Asked asked = found->second;
  asked_.erase(found);
  Tell(asked, result);
}

void ControllerDuty::OnLost(Instant, RequestId call) {
  if (call == membership_) membership_ = RequestId();
  if (call == looking_) looking_ = RequestId();
  setting_.erase(call);
  asked_.erase(call);
}

void ControllerDuty::Tell(const Asked& asked, const proto::Result& result) {
  proto::NodeMessage message;
  proto::ConfigurationAnswer& answer = *message.mutable_configuration_answer();
  answer.set_to_group(asked.group.value());
  answer.set_through(result.configuration_num());
  answer.set_newest(asked.newest);
  if (result.has_configuration()) *answer.mutable_configuration() = result.configuration();
  if (controllers_.membership() != 0) *answer.mutable_controllers() = controllers_;
  courier_.Send(asked.from, std::move(message));
}

void ControllerDuty::Prune(const proto::Result& result) {
  membership_ = RequestId();
  const std::optional<proto::PruneHistory> prune =
      controller::WhatNobodyNeeds(result.membership(), needs_, options_.configurations_kept);
  if (!prune.has_value()) return;
  *calls_.proposals.emplace_back(NextCall(), proto::Command()).second.mutable_prune_history() =
      *prune;
}

// A look that was begun before another one led is as good: what it finds is compared once more
// where it is applied.
void ControllerDuty::SetMembers(const proto::Result& result) {
  looking_ = RequestId();
  for (const proto::SetMembers& news : reports_.TakeNews(result.configuration())) {
    const RequestId call = NextCall();
    *calls_.proposals.emplace_back(call, proto::Command()).second.mutable_set_members() = news;
    setting_.insert(call);
  }
}

void ControllerDuty::Look(Instant now, const Standing& standing) {
  if (!standing.caught_up) return reports_.Forget();
  const raft::GroupConfiguration* own = standing.members;
  if (own != nullptr && reports_.MayBeNews(0, 0, own->id.value())) {
    reports_.Note(SayMembers(0, 0, *own));
  }
  if (!MayLook() || now < look_at_) return;
  look_at_ = now + options_.members_look_every;
  looking_ = NextCall();
  calls_.queries.emplace_back(looking_, proto::Query()).second.mutable_get_configuration();
}

void ControllerDuty::Act(Instant now, const Standing& standing, DutyCalls* calls) {
  const bool due = now >= prune_at_;
  if (!standing.caught_up) {
    prune_at_ = kNever;
  } else if (due || prune_at_ == kNever) {
    prune_at_ = now + options_.prune_every;
  }
  if (due && standing.caught_up && membership_ == RequestId()) {
    membership_ = NextCall();
    calls_.queries.emplace_back(membership_, proto::Query()).second.mutable_get_membership();
  }
  Look(now, standing);
  std::swap(*calls, calls_);
}

}  // namespace lockstep::node
