#include "net/http/calls.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/check.h"

namespace lockstep::net::http {
namespace {

class GatewayHandler final : public Handler {
 public:
  GatewayHandler(CallKind kind, AskGateway ask, AnswerGateway answer)
      : kind_(kind), ask_(std::move(ask)), answer_(std::move(answer)) {}

  Step Start(Request& request, uint64_t patience_us) override {
    absl::StatusOr<proto::GatewayRequest> question = ask_(request);
    if (!question.ok()) return Step::Fail(FailureOf(question.status()));
    question->set_patience_us(patience_us);
    return Step::Ask(Encode(*question));
  }

  Step Continue(const Request& request, std::vector<Bytes> replies, uint64_t) override {
    CheckEq(replies.size(), size_t{1});
    absl::StatusOr<proto::GatewayReply> reply = DecodeReply(replies[0]);
    replies.clear();
    if (!reply.ok()) {
      Failure failure = FailureOf(reply.status());
      failure.effect = effect_of_silence();
      return Step::Fail(failure);
    }
    // A bulk tells of each write, also when not all of them were executed.
    if (reply->kind() != proto::GatewayReply::OK && reply->each().empty()) {
      return Step::Fail(FailureOf(*reply, kind_));
    }
    const proto::Code code = reply->result().code();
    const bool refused = code != proto::OK && code != proto::CODE_UNSPECIFIED;
    if (refused && kind_ == CallKind::kRead) return Step::Fail(RefusalOf(reply->result()));
    return Step::Answer(answer_(request, *std::move(reply)));
  }

  Effect effect_of_silence() const override {
    return kind_ == CallKind::kRead ? Effect::kNone : Effect::kUnknown;
  }

 private:
  const CallKind kind_;
  const AskGateway ask_;
  const AnswerGateway answer_;
};

class NodeStatusHandler final : public Handler {
 public:
  NodeStatusHandler(StatusDetail detail, AnswerNodeStatus answer)
      : detail_(detail), answer_(std::move(answer)) {}

  Step Start(Request&, uint64_t) override {
    proto::ClientRequest question;
    question.mutable_get_node_status()->set_shards(detail_ == StatusDetail::kShards);
    return Step::Ask(Encode(question));
  }

  Step Continue(const Request& request, std::vector<Bytes> replies, uint64_t) override {
    CheckEq(replies.size(), size_t{1});
    proto::ClientReply reply;
    const bool readable =
        reply.ParseFromArray(replies[0].data(), static_cast<int>(replies[0].size()));
    const bool told = readable && reply.has_node_status();
    return Step::Answer(answer_(request, told ? &reply.node_status() : nullptr));
  }

  Effect effect_of_silence() const override { return Effect::kNone; }

 private:
  const StatusDetail detail_;
  const AnswerNodeStatus answer_;
};

class ImmediateHandler final : public Handler {
 public:
  explicit ImmediateHandler(std::function<Response(const Request&)> answer)
      : answer_(std::move(answer)) {}

  Step Start(Request& request, uint64_t) override { return Step::Answer(answer_(request)); }
  Step Continue(const Request&, std::vector<Bytes>, uint64_t) override {
    Check(false, "nothing was asked");
    return {};
  }
  Effect effect_of_silence() const override { return Effect::kNone; }

 private:
  const std::function<Response(const Request&)> answer_;
};

}  // namespace

std::unique_ptr<Handler> GatewayCall(CallKind kind, AskGateway ask, AnswerGateway answer) {
  return std::make_unique<GatewayHandler>(kind, std::move(ask), std::move(answer));
}

std::unique_ptr<Handler> NodeStatusCall(StatusDetail detail, AnswerNodeStatus answer) {
  return std::make_unique<NodeStatusHandler>(detail, std::move(answer));
}

std::unique_ptr<Handler> Immediately(std::function<Response(const Request&)> answer) {
  return std::make_unique<ImmediateHandler>(std::move(answer));
}

Bytes Encode(const google::protobuf::Message& message) {
  const size_t size = message.ByteSizeLong();
  CheckLe(size, static_cast<size_t>(std::numeric_limits<int>::max()));
  return Bytes::Make(
      size, [&](char* to) { Check(message.SerializeToArray(to, static_cast<int>(size))); });
}

absl::StatusOr<proto::GatewayReply> DecodeReply(const Bytes& reply) {
  proto::GatewayReply decoded;
  if (reply.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !decoded.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) {
    return Refuse("INTERNAL", "the node's answer cannot be read");
  }
  return decoded;
}

}  // namespace lockstep::net::http
