// Nodes of groups come and go: POST /api/v1/cluster/nodes, DELETE /api/v1/cluster/nodes/{node}.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "net/http/calls.h"
#include "net/http/cluster_view.h"
#include "net/http/handlers.h"
#include "net/http/request_fields.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::GroupChange;

constexpr absl::string_view kIdsBeginAtOne = "node ids begin at 1";

absl::Status TakeGroups(const Json& object, proto::ChangeNodes* change) {
  absl::StatusOr<const Json*> groups = ArrayMember(object, "groups");
  if (!groups.ok()) return groups.status();
  if (*groups == nullptr) return absl::OkStatus();
  if ((*groups)->empty()) {
    return Refuse("INVALID_REQUEST",
                  "\"groups\" is empty: name some (0 is the controller), or leave it out for all");
  }
  for (const Json& each : **groups) {
    if (!each.is_number_unsigned()) return Refuse("INVALID_REQUEST", "\"groups\" must be numbers");
    change->add_groups(each.get<uint64_t>());
  }
  return absl::OkStatus();
}

absl::StatusOr<proto::GatewayRequest> AskAdd(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s =
          OnlyMembers(*object, {"node_id", "address", "groups", "learner", "replaces"});
      !s.ok()) {
    return s;
  }
  absl::StatusOr<std::optional<uint64_t>> node = UnsignedMember(*object, "node_id");
  if (!node.ok()) return node.status();
  absl::StatusOr<std::optional<uint64_t>> replaces = UnsignedMember(*object, "replaces");
  if (!replaces.ok()) return replaces.status();
  absl::StatusOr<std::optional<std::string>> address = TextMember(*object, "address");
  if (!address.ok()) return address.status();
  absl::StatusOr<std::optional<bool>> learner = BoolMember(*object, "learner");
  if (!learner.ok()) return learner.status();
  if (!node->has_value()) return Refuse("INVALID_REQUEST", "member \"node_id\" is missing");
  if (node->value() == 0 || replaces->value_or(1) == 0) {
    return Refuse("INVALID_REQUEST", kIdsBeginAtOne);
  }
  if (learner->value_or(false) && replaces->has_value()) {
    return Refuse("INVALID_REQUEST", "a learner replaces nobody: leave out \"replaces\"");
  }
  proto::GatewayRequest question;
  proto::ChangeNodes& change = *question.mutable_change_nodes();
  change.set_add(node->value());
  change.set_remove(replaces->value_or(0));
  change.set_address(address->value_or(""));
  change.set_learner(learner->value_or(false));
  if (absl::Status s = TakeGroups(*object, &change); !s.ok()) return s;
  return question;
}

absl::StatusOr<proto::GatewayRequest> AskRemove(Request& request) {
  absl::StatusOr<uint64_t> node = NumberArgument(request, "the node's id in the path");
  if (!node.ok()) return node.status();
  if (*node == 0) return Refuse("INVALID_REQUEST", kIdsBeginAtOne);
  proto::GatewayRequest question;
  question.mutable_change_nodes()->set_remove(*node);
  const std::string* groups = request.target.Find("groups");
  if (groups == nullptr) return question;
  for (const absl::string_view text : absl::StrSplit(*groups, ',')) {
    uint64_t group = 0;
    if (!absl::SimpleAtoi(text, &group)) {
      return Refuse("INVALID_REQUEST",
                    absl::StrCat("groups=", groups->substr(0, 64),
                                 " is no list of groups: write groups=0,101 (0: the controller)"));
    }
    question.mutable_change_nodes()->add_groups(group);
  }
  return question;
}

// "begun in 0, 101; unchanged in 102"
std::string Summary(const proto::GatewayReply& reply) {
  constexpr std::pair<GroupChange::Outcome, absl::string_view> kWords[] = {
      {GroupChange::BEGUN, "begun in group"},
      {GroupChange::UNCHANGED, "nothing to change in group"},
      {GroupChange::REFUSED, "refused by group"},
      {GroupChange::UNKNOWN, "perhaps begun in group"}};
  std::vector<std::string> parts;
  for (const auto& [outcome, words] : kWords) {
    std::vector<uint64_t> groups;
    for (const GroupChange& change : reply.groups()) {
      if (change.outcome() == outcome) groups.push_back(change.group());
    }
    if (!groups.empty()) parts.push_back(absl::StrCat(words, " ", absl::StrJoin(groups, ", ")));
  }
  return parts.empty() ? "nothing to change: no group has the node" : absl::StrJoin(parts, "; ");
}

Response AnswerChanges(const Request&, proto::GatewayReply reply) {
  const proto::Result& result = reply.result();
  if (result.code() != proto::OK) return ToResponse(RefusalOf(result));
  bool all = true;
  for (const GroupChange& change : reply.groups()) {
    all = all &&
          (change.outcome() == GroupChange::BEGUN || change.outcome() == GroupChange::UNCHANGED);
  }
  Response response =
      Success({{"success", all}, {"message", Summary(reply)}, {"groups", ChangesJson(reply)}});
  if (!all) response.status = 207;
  return response;
}

}  // namespace

HandlerPtr MakeAddNode(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskAdd, AnswerChanges);
}
HandlerPtr MakeRemoveNode(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskRemove, AnswerChanges);
}

}  // namespace lockstep::net::http
