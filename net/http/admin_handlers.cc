// Changing the cluster: groups come and go, shards move, leaders hand over.
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/http/calls.h"
#include "net/http/handlers.h"

namespace lockstep::net::http {
namespace {

absl::Status Missing(absl::string_view what) {
  return Refuse("INVALID_REQUEST", absl::StrCat("member ", what, " is missing"));
}

absl::StatusOr<uint64_t> Required(const Json& object, absl::string_view name,
                                  uint64_t max = UINT64_MAX) {
  absl::StatusOr<std::optional<uint64_t>> number = UnsignedMember(object, name, max);
  if (!number.ok()) return number.status();
  if (!number->has_value()) return Missing(absl::StrCat("\"", name, "\""));
  return **number;
}

// "gid": one, or "gids": several.
absl::StatusOr<std::vector<uint64_t>> Gids(const Json& object) {
  std::vector<uint64_t> gids;
  absl::StatusOr<std::optional<uint64_t>> one = UnsignedMember(object, "gid");
  if (!one.ok()) return one.status();
  if (one->has_value()) gids.push_back(**one);
  absl::StatusOr<const Json*> several = ArrayMember(object, "gids");
  if (!several.ok()) return several.status();
  if (*several == nullptr) return gids;
  for (const Json& each : **several) {
    if (!each.is_number_unsigned()) return Refuse("INVALID_REQUEST", "\"gids\" must be numbers");
    gids.push_back(each.get<uint64_t>());
  }
  return gids;
}

absl::Status ReadGroup(const Json& object, proto::ShardGroup* group) {
  if (!object.is_object()) return Refuse("INVALID_REQUEST", "a group must be an object");
  if (absl::Status s = OnlyMembers(object, {"gid", "members"}); !s.ok()) return s;
  absl::StatusOr<uint64_t> gid = Required(object, "gid");
  if (!gid.ok()) return gid.status();
  group->set_gid(*gid);
  absl::StatusOr<const Json*> members = ArrayMember(object, "members");
  if (!members.ok()) return members.status();
  if (*members == nullptr) return absl::OkStatus();
  for (const Json& each : **members) {
    if (!each.is_object()) return Refuse("INVALID_REQUEST", "a member must be an object");
    if (absl::Status s = OnlyMembers(each, {"node", "address"}); !s.ok()) return s;
    absl::StatusOr<uint64_t> node = Required(each, "node");
    if (!node.ok()) return node.status();
    absl::StatusOr<std::optional<std::string>> address = TextMember(each, "address");
    if (!address.ok()) return address.status();
    proto::Member* member = group->add_members();
    member->set_node(*node);
    member->set_address(address->value_or(""));
  }
  return absl::OkStatus();
}

absl::StatusOr<proto::GatewayRequest> AskJoin(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"gid", "gids", "groups"}); !s.ok()) return s;
  absl::StatusOr<std::vector<uint64_t>> gids = Gids(*object);
  if (!gids.ok()) return gids.status();
  proto::GatewayRequest question;
  for (const uint64_t gid : *gids) question.mutable_join()->add_groups()->set_gid(gid);
  absl::StatusOr<const Json*> groups = ArrayMember(*object, "groups");
  if (!groups.ok()) return groups.status();
  if (*groups != nullptr) {
    for (const Json& each : **groups) {
      absl::Status s = ReadGroup(each, question.mutable_join()->add_groups());
      if (!s.ok()) return s;
    }
  }
  if (question.join().groups().empty()) return Missing("\"gid\", \"gids\" or \"groups\"");
  return question;
}

absl::StatusOr<proto::GatewayRequest> AskLeave(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"gid", "gids", "force"}); !s.ok()) return s;
  absl::StatusOr<std::vector<uint64_t>> gids = Gids(*object);
  if (!gids.ok()) return gids.status();
  if (gids->empty()) return Missing("\"gid\" or \"gids\"");
  absl::StatusOr<std::optional<bool>> force = BoolMember(*object, "force");
  if (!force.ok()) return force.status();
  proto::GatewayRequest question;
  proto::Leave& leave = *question.mutable_command()->mutable_leave();
  for (const uint64_t gid : *gids) leave.add_gids(gid);
  leave.set_force(force->value_or(false));
  return question;
}

constexpr uint64_t kShardMax = std::numeric_limits<uint32_t>::max();

absl::StatusOr<proto::GatewayRequest> AskMove(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"shard", "gid"}); !s.ok()) return s;
  absl::StatusOr<uint64_t> shard = Required(*object, "shard", kShardMax);
  if (!shard.ok()) return shard.status();
  absl::StatusOr<uint64_t> gid = Required(*object, "gid");
  if (!gid.ok()) return gid.status();
  proto::GatewayRequest question;
  proto::Move& move = *question.mutable_command()->mutable_move();
  move.set_shard(static_cast<uint32_t>(*shard));
  move.set_gid(*gid);
  return question;
}

absl::StatusOr<proto::GatewayRequest> AskUnpin(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"shard"}); !s.ok()) return s;
  absl::StatusOr<uint64_t> shard = Required(*object, "shard", kShardMax);
  if (!shard.ok()) return shard.status();
  proto::GatewayRequest question;
  question.mutable_command()->mutable_unpin()->set_shard(static_cast<uint32_t>(*shard));
  return question;
}

absl::StatusOr<proto::GatewayRequest> AskTransfer(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"group", "to"}); !s.ok()) return s;
  absl::StatusOr<uint64_t> group = Required(*object, "group");
  if (!group.ok()) return group.status();
  absl::StatusOr<std::optional<uint64_t>> to = UnsignedMember(*object, "to");
  if (!to.ok()) return to.status();
  proto::GatewayRequest question;
  question.mutable_transfer()->set_group(*group);
  question.mutable_transfer()->set_to(to->value_or(0));
  return question;
}

Response AnswerChange(const Request&, proto::GatewayReply reply) {
  const proto::Result& result = reply.result();
  if (result.code() != proto::OK) return ToResponse(RefusalOf(result));
  return Success({{"success", true}, {"configuration", result.configuration_num()}});
}

Response AnswerTransfer(const Request&, proto::GatewayReply reply) {
  const proto::Result& result = reply.result();
  if (result.code() != proto::OK && result.code() != proto::CODE_UNSPECIFIED) {
    return ToResponse(RefusalOf(result));
  }
  return Success({{"success", true}, {"message", "the leader has begun to hand over"}});
}

}  // namespace

HandlerPtr MakeJoin(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskJoin, AnswerChange);
}
HandlerPtr MakeLeave(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskLeave, AnswerChange);
}
HandlerPtr MakeMove(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskMove, AnswerChange);
}
HandlerPtr MakeUnpin(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskUnpin, AnswerChange);
}
HandlerPtr MakeTransfer(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskTransfer, AnswerTransfer);
}

}  // namespace lockstep::net::http
