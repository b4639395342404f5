#include "core/node/client_reply.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/proto/wire.h"

namespace lockstep::node {
namespace {

constexpr absl::string_view kSpaceAdvice =
    "delete keys, or make space on the disks (lockstep cluster status); writes go on by themselves";

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

proto::MembershipAnswer::Refusal RefusalOf(raft::RefusedWhy why) {
  switch (why) {
    case raft::RefusedWhy::kNoEntryOfTerm:
      return proto::MembershipAnswer::NO_ENTRY_OF_TERM;
    case raft::RefusedWhy::kConfigurationMoved:
      return proto::MembershipAnswer::CONFIGURATION_MOVED;
    case raft::RefusedWhy::kChangePending:
      return proto::MembershipAnswer::CHANGE_PENDING;
    case raft::RefusedWhy::kSameMembers:
      return proto::MembershipAnswer::SAME_MEMBERS;
    case raft::RefusedWhy::kUnsafe:
      return proto::MembershipAnswer::UNSAFE;
    case raft::RefusedWhy::kOtherIncarnation:
      return proto::MembershipAnswer::OTHER_INCARNATION;
    default:
      Check(false, "no refusal of a change of membership");
      return proto::MembershipAnswer::NONE;
  }
}

std::string AdviceFor(proto::MembershipAnswer::Refusal refusal, Index id) {
  switch (refusal) {
    case proto::MembershipAnswer::NO_ENTRY_OF_TERM:
      return "the leader has just been elected and does not know yet what is committed: ask again";
    case proto::MembershipAnswer::CONFIGURATION_MOVED:
      return absl::StrCat("configuration ", id.value(),
                          " is in force, not the expected one: look at it and ask again");
    case proto::MembershipAnswer::CHANGE_PENDING:
      return absl::StrCat("another change is under way (configuration ", id.value(),
                          "): wait for it, or call it off by asking for the members before it");
    case proto::MembershipAnswer::SAME_MEMBERS:
      return "these are the group's members already";
    case proto::MembershipAnswer::UNSAFE:
      return "half of the voters to be have not been heard lately, and the group might stand "
             "still: "
             "repair them first, or replace them in this change";
    case proto::MembershipAnswer::OTHER_INCARNATION:
      return "a member's data directory is not the one that is named: a node that lost its data "
             "joins under a new id";
    default:
      return "";
  }
}

Bytes MembershipReply(proto::Code code, std::string message,
                      proto::MembershipAnswer::Refusal refusal,
                      const raft::GroupConfiguration& now) {
  proto::ClientReply reply;
  reply.mutable_result()->set_code(code);
  reply.mutable_result()->set_message(std::move(message));
  reply.mutable_membership()->set_refusal(refusal);
  *reply.mutable_membership()->mutable_configuration() = raft::ToProto(now);
  return Encode(reply);
}

}  // namespace

Bytes ReplyWithResult(const Bytes& result, const Stages& stages) {
  const auto fields = [&](auto& sink) {
    sink.Text(proto::ClientReply::kResultFieldNumber, result.view());
    sink.Message(proto::ClientReply::kStagesFieldNumber, [&](auto& inner) {
      using proto::Stages;
      inner.Number(Stages::kQueueUsFieldNumber, Microseconds(stages.queue));
      inner.Number(Stages::kLogUsFieldNumber, Microseconds(stages.log));
      inner.Number(Stages::kReplicateUsFieldNumber, Microseconds(stages.replicate));
      inner.Number(Stages::kApplyUsFieldNumber, Microseconds(stages.apply));
      inner.Number(Stages::kBarrierUsFieldNumber, Microseconds(stages.barrier));
      inner.Number(Stages::kReadUsFieldNumber, Microseconds(stages.read));
    });
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
  proto::ClientReply reply;
  proto::Result& result = *reply.mutable_result();
  result.set_code(proto::OVERLOADED);
  result.set_message(
      absl::StrCat("overloaded: ", limit, " (", value, ") is reached; try again later"));
  result.set_which(std::string(limit));
  result.set_limit(value);
  return Encode(reply);
}

Bytes NoSpaceReply(uint64_t free_bytes, uint64_t need_bytes) {
  proto::ClientReply reply;
  proto::Result& result = *reply.mutable_result();
  result.set_code(proto::NO_SPACE);
  result.set_message(absl::StrCat("no space: the disk of the group's leader has ", free_bytes,
                                  " bytes free and needs ", need_bytes, "; ", kSpaceAdvice));
  result.set_free_bytes(free_bytes);
  result.set_need_bytes(need_bytes);
  return Encode(reply);
}

Bytes NoSpaceInGroupReply(uint64_t need_bytes) {
  proto::ClientReply reply;
  proto::Result& result = *reply.mutable_result();
  result.set_code(proto::NO_SPACE);
  result.set_message(
      absl::StrCat("no space: the disks of too many of the group's nodes have less "
                   "than the ",
                   need_bytes, " bytes free that they need; ", kSpaceAdvice));
  result.set_need_bytes(need_bytes);
  return Encode(reply);
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

Bytes ChangeBegunReply(const raft::GroupConfiguration& now) {
  return MembershipReply(proto::OK, "", proto::MembershipAnswer::NONE, now);
}

Bytes ChangeRefusedReply(raft::RefusedWhy why, const raft::GroupConfiguration& now) {
  const proto::MembershipAnswer::Refusal refusal = RefusalOf(why);
  return MembershipReply(proto::FAILED_PRECONDITION, AdviceFor(refusal, now.id), refusal, now);
}

Bytes NoSuchGroupReply(const absl::Status& why) {
  return Refusal(proto::INVALID_ARGUMENT, std::string(why.message()));
}

Bytes MalformedReply(size_t bytes) {
  return Refusal(proto::INVALID_ARGUMENT,
                 absl::StrCat("a request of ", bytes, " bytes that cannot be read"));
}

}  // namespace lockstep::node
