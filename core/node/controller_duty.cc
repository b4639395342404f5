#include "core/node/controller_duty.h"

#include <utility>

namespace lockstep::node {
namespace {

// Questions that are being answered at a time. Beyond: silence, and they ask again.
constexpr size_t kAskedMax = 4096;

}  // namespace

void ControllerDuty::OnMessage(Instant, NodeId from, const proto::NodeMessage& message,
                               const Standing&) {
  if (!message.has_configuration_request() || asked_.size() >= kAskedMax) return;
  const proto::ConfigurationRequest& request = message.configuration_request();
  last_call_ = last_call_.Next();
  *calls_.queries.emplace_back(last_call_, proto::Query()).second.mutable_get_configuration() =
      request.get();
  asked_.emplace(last_call_, Asked{from, GroupId(request.from_group())});
}

void ControllerDuty::OnResult(Instant, RequestId call, const proto::Result& result) {
  const auto found = asked_.find(call);
  if (found == asked_.end()) return;
  const Asked asked = found->second;
  asked_.erase(found);
  proto::NodeMessage message;
  proto::ConfigurationAnswer& answer = *message.mutable_configuration_answer();
  answer.set_to_group(asked.group.value());
  answer.set_through(result.configuration_num());
  if (result.has_configuration()) *answer.mutable_configuration() = result.configuration();
  courier_.Send(asked.from, std::move(message));
}

void ControllerDuty::Act(Instant, const Standing&, DutyCalls* calls) { std::swap(*calls, calls_); }

}  // namespace lockstep::node
