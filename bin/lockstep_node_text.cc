#include "bin/lockstep_node_text.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bin/lockstep_status_text.h"
#include "bin/lockstep_text.h"

namespace lockstep::bin {
namespace {

using nlohmann::ordered_json;

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }
std::string OrDash(uint64_t number) { return number == 0 ? "-" : absl::StrCat(number); }

const char* PhaseName(v1::ChangePhase phase) {
  switch (phase) {
    case v1::CATCHING_UP:
      return "catching up";
    case v1::JOINT:
      return "joint";
    default:
      return "settled";
  }
}

const char* StandingName(const v1::GroupMemberStatus& member) {
  if (member.joins()) return "joins";
  if (member.leaves()) return "leaves";
  return member.voter() ? "voter" : "learner";
}

std::set<uint64_t> Groups(const v1::StatusResponse& status) {
  std::set<uint64_t> groups;
  for (const v1::NodeStatus& node : status.nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) groups.insert(replica.group());
  }
  return groups;
}

Table NodeTable(const v1::StatusResponse& status) {
  Table table({"NODE", "STATE", "PEER", "GRPC", "HTTP", "INCARNATION", "WHY"});
  for (const v1::NodeStatus& node : status.nodes()) {
    table.Add({absl::StrCat(node.node()), node.online() ? "Online" : "Offline",
               OrDash(node.peer_address()), OrDash(node.grpc_address()),
               OrDash(node.http_address()), OrDash(node.incarnation()), Escaped(node.error())});
  }
  return table;
}

// As the leader has it; where none answers, nobody knows who is a member now.
Table MemberTable(const v1::StatusResponse& status) {
  Table table({"GROUP", "CONFIG", "PHASE", "NODE", "STANDING", "CAUGHT UP", "MATCH", "COMMIT"});
  for (const uint64_t group : Groups(status)) {
    const v1::ReplicaStatus* leading = LeadingReplica(status, group);
    if (leading == nullptr) {
      table.Add({GroupName(group), "-", "no leader answers", "-", "-", "-", "-", "-"});
      continue;
    }
    const std::string phase = absl::StrCat(PhaseName(leading->change_phase()),
                                           leading->membership_committed() ? "" : ", uncommitted");
    for (const v1::GroupMemberStatus& member : leading->group_members()) {
      const bool leads = leading->leader() == member.node();
      table.Add({GroupName(group), absl::StrCat(leading->membership_id()), phase,
                 absl::StrCat(member.node()), StandingName(member),
                 leads                ? "leads"
                 : member.caught_up() ? "yes"
                                      : "no",
                 absl::StrCat(member.match()), absl::StrCat(leading->commit())});
    }
  }
  return table;
}

std::string Labelled(const std::string& label, const Table& table) {
  std::string text;
  for (absl::string_view line : absl::StrSplit(table.Plain(), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, label, "\t", line, "\n");
  }
  return text;
}

ordered_json GroupJson(uint64_t group, const v1::ReplicaStatus* leading) {
  ordered_json json = {{"group", group}, {"leader", nullptr}};
  if (leading == nullptr) return json;
  ordered_json members = ordered_json::array();
  for (const v1::GroupMemberStatus& member : leading->group_members()) {
    members.push_back({{"node", member.node()},
                       {"standing", StandingName(member)},
                       {"voter", member.voter()},
                       {"caught_up", member.caught_up()},
                       {"match", member.match()},
                       {"incarnation", member.incarnation()}});
  }
  json["leader"] = leading->leader();
  json["membership_id"] = leading->membership_id();
  json["phase"] = v1::ChangePhase_Name(leading->change_phase());
  json["committed"] = leading->membership_committed();
  json["commit"] = leading->commit();
  json["members"] = std::move(members);
  return json;
}

}  // namespace

const v1::ReplicaStatus* LeadingReplica(const v1::StatusResponse& status, uint64_t group) {
  const v1::ReplicaStatus* best = nullptr;
  for (const v1::NodeStatus& node : status.nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) {
      if (replica.group() != group || replica.role() != v1::LEADER) continue;
      if (best == nullptr || best->term() < replica.term()) best = &replica;
    }
  }
  return best;
}

const v1::GroupMemberStatus* FindMember(const v1::ReplicaStatus& replica, uint64_t node) {
  for (const v1::GroupMemberStatus& member : replica.group_members()) {
    if (member.node() == node) return &member;
  }
  return nullptr;
}

std::string GroupPhrase(uint64_t group) {
  return group == 0 ? "controller" : absl::StrCat("group ", group);
}

std::string ProgressText(const v1::ReplicaStatus& leading) {
  std::vector<std::string> parts;
  for (const v1::GroupMemberStatus& member : leading.group_members()) {
    if (leading.change_phase() == v1::SETTLED) {
      parts.push_back(absl::StrCat(member.node(), member.voter() ? "" : " (learner)"));
    } else if (leading.change_phase() == v1::CATCHING_UP && member.joins()) {
      parts.push_back(
          absl::StrCat("node ", member.node(), " has ", member.match(), " of ", leading.commit()));
    } else if (leading.change_phase() == v1::JOINT && (member.joins() || member.leaves())) {
      parts.push_back(absl::StrCat("node ", member.node(), member.joins() ? " joins" : " leaves"));
    }
  }
  const bool settled = leading.change_phase() == v1::SETTLED;
  return absl::StrCat(PhaseName(leading.change_phase()),
                      leading.membership_committed() ? "" : " (not committed)",
                      settled ? ": members " : ": ", absl::StrJoin(parts, ", "));
}

std::string NodesText(const v1::StatusResponse& status, bool plain) {
  if (plain) {
    return absl::StrCat(Labelled("node", NodeTable(status)),
                        Labelled("member", MemberTable(status)));
  }
  return absl::StrCat(NodeTable(status).Text(), "\n", MemberTable(status).Text());
}

ordered_json NodesJson(const v1::StatusResponse& status) {
  ordered_json nodes = ordered_json::array();
  for (const v1::NodeStatus& node : status.nodes()) {
    ordered_json each = {{"node", node.node()},
                         {"online", node.online()},
                         {"peer_address", node.peer_address()},
                         {"grpc_address", node.grpc_address()},
                         {"http_address", node.http_address()},
                         {"incarnation", node.incarnation()}};
    if (!node.error().empty()) each["error"] = node.error();
    nodes.push_back(std::move(each));
  }
  ordered_json groups = ordered_json::array();
  for (const uint64_t group : Groups(status)) {
    groups.push_back(GroupJson(group, LeadingReplica(status, group)));
  }
  return {{"nodes", std::move(nodes)}, {"groups", std::move(groups)}};
}

std::string EndsText(const std::vector<GroupEnd>& ends, bool plain) {
  Table table({"GROUP", "OUTCOME", "CONFIG", "WHY"});
  for (const GroupEnd& end : ends) {
    table.Add({GroupName(end.group), end.outcome, OrDash(end.membership_id), Escaped(end.message)});
  }
  return plain ? table.Plain() : table.Text();
}

ordered_json EndsJson(const std::vector<GroupEnd>& ends) {
  ordered_json groups = ordered_json::array();
  for (const GroupEnd& end : ends) {
    ordered_json each = {
        {"group", end.group}, {"outcome", end.outcome}, {"membership_id", end.membership_id}};
    if (!end.reason.empty()) each["reason"] = end.reason;
    if (!end.message.empty()) each["message"] = end.message;
    groups.push_back(std::move(each));
  }
  return {{"groups", std::move(groups)}};
}

}  // namespace lockstep::bin
