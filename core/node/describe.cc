#include "core/node/describe.h"

#include "absl/strings/str_cat.h"
#include "core/controller/admin.h"
#include "core/controller/describe.h"
#include "core/node/courier.h"
#include "core/proto/node.pb.h"
#include "core/raft/codec.h"
#include "core/raft/messages.h"
#include "core/shardkv/describe.h"

namespace lockstep::node {
namespace {

std::string DescribeGet(const proto::GetConfiguration& get) {
  if (get.member_gid() == 0 && get.num() == 0) return "the newest configuration";
  if (get.member_gid() == 0) return absl::StrCat("configuration ", get.num());
  return absl::StrCat("the configuration after ", get.num(), " that has group ", get.member_gid());
}

std::string DescribeRequest(const proto::ConfigurationRequest& request) {
  std::string text =
      absl::StrCat("group ", request.from_group(), " asks for ", DescribeGet(request.get()));
  for (const proto::SetMembers& said : request.members()) {
    absl::StrAppend(&text, "; ", controller::Describe(controller::MakeSetMembers(said)));
  }
  return text;
}

std::string DescribeBody(const proto::NodeMessage& message) {
  switch (message.body_case()) {
    case proto::NodeMessage::kShard:
      return shardkv::Describe(message.shard());
    case proto::NodeMessage::kConfigurationRequest:
      return DescribeRequest(message.configuration_request());
    case proto::NodeMessage::kConfigurationAnswer: {
      const proto::ConfigurationAnswer& answer = message.configuration_answer();
      return absl::StrCat("to group ", answer.to_group(), ": ",
                          answer.has_configuration()
                              ? absl::StrCat("configuration ", answer.configuration().num())
                              : absl::StrCat("none up to ", answer.through()));
    }
    case proto::NodeMessage::kForwardedRequest:
      return absl::StrCat("forwarded request ", message.forwarded_request().id(), ", ",
                          message.forwarded_request().request().size(), " B");
    case proto::NodeMessage::kForwardedReply:
      return absl::StrCat("reply to forwarded request ", message.forwarded_reply().id(), ", ",
                          message.forwarded_reply().reply().size(), " B");
    case proto::NodeMessage::kLeadingQuestion:
      return "how many groups do you lead?";
    case proto::NodeMessage::kLeadingAnswer: {
      const proto::LeadingAnswer& answer = message.leading_answer();
      return absl::StrCat("leads ", answer.groups(), answer.takes_more() ? "" : ", wants no more");
    }
    case proto::NodeMessage::BODY_NOT_SET:
      return "";
  }
  return "";
}

std::string DescribePeer(const Bytes& message) {
  GroupId group;
  raft::Message decoded;
  const absl::Status status = raft::DecodePeerMessage(message, &group, &decoded);
  if (!status.ok()) return absl::StrCat("malformed, ", message.size(), " B");
  return absl::StrCat("g", group.value(), " ", raft::Describe(decoded));
}

}  // namespace

std::string Describe(const proto::Command& command) {
  const bool controllers = command.has_join() || command.has_leave() || command.has_move() ||
                           command.has_unpin() || controller::IsInternal(command);
  return controllers ? controller::Describe(command) : shardkv::Describe(command);
}

std::string Describe(const proto::Query& query) { return controller::Describe(query); }

std::string DescribeMessage(const Bytes& message) {
  if (!IsNodeMessage(message)) return DescribePeer(message);
  proto::NodeMessage decoded;
  if (!decoded.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return absl::StrCat("malformed, ", message.size(), " B");
  }
  std::string text = DescribeBody(decoded);
  for (const std::string& one : decoded.bundle()) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", DescribePeer(Bytes::Copy(one)));
  }
  return text;
}

}  // namespace lockstep::node
