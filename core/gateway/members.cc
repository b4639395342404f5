// Nodes come into groups and go: everybody is asked how it is, then each group's leader for other
// members. Each group answers for itself; the call ends with the last of them, or its patience.
#include <utility>
#include <vector>

#include "core/gateway/gateway.h"
#include "core/gateway/group_change.h"
#include "core/gateway/member_wish.h"
#include "core/gateway/outcome.h"

namespace lockstep::gateway {

using lockstep::v1::GroupChange;

void Gateway::BeginChangeOfNodes(RequestId id, proto::GatewayRequest request) {
  const proto::ChangeNodes& question = request.change_nodes();
  if (const absl::Status valid = Validate(question); !valid.ok()) return Refuse(id, valid);
  if (!question.address().empty()) {
    surroundings_.Mention(NodeId(question.add()), question.address());
  }
  BeginInquiry(id, std::move(request));
}

// A node that was mentioned a moment ago is asked when it has been reached.
void Gateway::AskNewcomer(NodeId node) {
  proto::ClientRequest question;
  question.mutable_get_node_status();
  for (const auto& [number, inquiry] : inquiries_) {
    const bool awaited = inquiry.request.change_nodes().add() == node.value();
    if (!awaited || !inquiry.missing.contains(node)) continue;
    AskNode(node, Encode(question), PartOfInquiry{number, node});
  }
}

void Gateway::FinishChangeOfNodes(const Inquiry& inquiry) {
  const proto::ChangeNodes& question = inquiry.request.change_nodes();
  if (MeansAllGroups(question) && !inquiry.configuration.has_value()) {
    return Refuse(inquiry.id,
                  absl::UnavailableError("the controller has not said which groups there are: try "
                                         "again, or name the groups"));
  }
  if (Now() >= inquiry.patience_ends) {
    return Refuse(inquiry.id, absl::DeadlineExceededError(
                                  "the time was over before every node had said how it is: "
                                  "nothing was asked for"));
  }
  ChangeOfNodes& change = changes_[inquiry.id];
  change.patience_ends = inquiry.patience_ends;
  std::vector<std::pair<GroupId, Wish>> wishes;
  for (const GroupId group : GroupsMeant(question, inquiry.nodes, inquiry.configuration)) {
    auto wish = WishFor(question, group, inquiry.nodes);
    if (auto* settled = std::get_if<GroupChange>(&wish)) {
      change.groups.emplace(group, std::move(*settled));
      continue;
    }
    change.groups.emplace(group, UnknownChange(group, "the leader has not answered"));
    change.missing.insert(group);
    wishes.emplace_back(group, std::get<Wish>(std::move(wish)));
  }
  for (auto& [group, wish] : wishes) {
    proto::ClientRequest request;
    request.set_group(group.value());
    *request.mutable_change_membership() = std::move(wish.change);
    PartOfChange part{inquiry.id, group, std::move(wish.effect)};
    wish.leader == self_ ? AskSelf(Encode(request), std::move(part))
                         : AskNode(wish.leader, Encode(request), std::move(part));
  }
  FinishChangeIfComplete(inquiry.id);
}

// Once: an answer may come after the patience has ended.
void Gateway::OnGroupChange(const PartOfChange& part, GroupChange answer) {
  const auto found = changes_.find(part.id);
  if (found == changes_.end() || found->second.missing.erase(part.group) == 0) return;
  found->second.groups[part.group] = std::move(answer);
  FinishChangeIfComplete(part.id);
}

void Gateway::FinishChangeIfComplete(RequestId id) {
  const auto found = changes_.find(id);
  if (found == changes_.end() || !found->second.missing.empty()) return;
  std::vector<GroupChange> groups;
  for (auto& [group, change] : found->second.groups) groups.push_back(std::move(change));
  changes_.erase(found);
  Answer(id, ToReply(groups));
}

void Gateway::FireChanges() {
  std::vector<RequestId> due;
  for (auto& [id, change] : changes_) {
    if (change.patience_ends > Now()) continue;
    change.missing.clear();
    due.push_back(id);
  }
  for (const RequestId id : due) FinishChangeIfComplete(id);
}

}  // namespace lockstep::gateway
