#include "core/node/client_reply.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/proto/wire.h"

namespace lockstep::node {
namespace {

Bytes Encode(const proto::ClientReply& reply) {
  const size_t size = reply.ByteSizeLong();
  return Bytes::Make(size, [&](char* to) {
    reply.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(to));
  });
}

Bytes Refusal(proto::Code code, std::string message, NodeId leader = NodeId()) {
  proto::ClientReply reply;
  reply.mutable_result()->set_code(code);
  reply.mutable_result()->set_message(std::move(message));
  reply.set_leader(leader.value());
  return Encode(reply);
}

}  // namespace

Bytes ReplyWithResult(const Bytes& result) {
  const auto fields = [&](auto& sink) {
    sink.Text(proto::ClientReply::kResultFieldNumber, result.view());
  };
  wire::SizeSink size;
  fields(size);
  return Bytes::Make(size.size(), [&](char* to) {
    wire::WriteSink sink(to);
    fields(sink);
  });
}

Bytes ReplyWithResult(const proto::Result& result) {
  proto::ClientReply reply;
  *reply.mutable_result() = result;
  return Encode(reply);
}

Bytes OkReply() { return Refusal(proto::OK, ""); }

Bytes NotLeaderReply(NodeId leader) {
  return Refusal(proto::NOT_LEADER,
                 leader == NodeId() ? "not the leader, and no leader is known: try another node"
                                    : absl::StrCat("not the leader: try node ", leader.value()),
                 leader);
}

Bytes OverloadedReply(absl::string_view limit, uint64_t value) {
  return Refusal(proto::OVERLOADED,
                 absl::StrCat("overloaded: ", limit, " (", value, ") is reached; try again later"));
}

Bytes LeadershipLostReply() {
  return Refusal(
      proto::LEADERSHIP_LOST,
      "leadership was lost before the command was committed: it may or may not be executed");
}

Bytes UnknownGroupReply(GroupId group) {
  return Refusal(proto::UNKNOWN_GROUP,
                 absl::StrCat("this node holds no replica of group ", group.value()));
}

Bytes NoSuchVoterReply(NodeId node) {
  return Refusal(proto::INVALID_ARGUMENT,
                 absl::StrCat("leadership cannot go to node ", node.value(),
                              ": name another voter of the group"));
}

Bytes MalformedReply(size_t bytes) {
  return Refusal(proto::INVALID_ARGUMENT,
                 absl::StrCat("a request of ", bytes, " bytes that cannot be read"));
}

}  // namespace lockstep::node
