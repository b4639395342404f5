// The controller, the groups and the nodes as JSON.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/http/cluster_view.h"
#include "net/http/dashboard/view.h"
#include "net/http/health_checks.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

const char* RoleName(const ReplicaStatus& replica) {
  switch (replica.role()) {
    case lockstep::v1::LEADER:
      return "Leader";
    case lockstep::v1::CANDIDATE:
      return "Candidate";
    case lockstep::v1::PRE_CANDIDATE:
      return "PreCandidate";
    default:
      return "Follower";
  }
}

Json TimeOrNull(uint64_t ms) { return ms == 0 ? Json(nullptr) : Json(ms); }

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

bool IsVoter(const ReplicaStatus& speaker, uint64_t node) {
  for (const auto& member : speaker.group_members()) {
    if (member.node() == node) return member.voter();
  }
  return true;  // Whoever tells of no learners has none.
}

// What a replica that does not answer, or is not there, leaves open.
Json SilentReplica(const NodeStatus* node) {
  const bool online = node != nullptr && node->online();
  Json problems = Json::array();
  if (node == nullptr) {
    problems.push_back("nobody knows this node");
  } else if (online) {
    problems.push_back("the node has no replica of this group");
  } else {
    problems.push_back(node->error().empty() ? "no answer" : node->error());
  }
  return {{"role", online ? "Absent" : "Offline"},
          {"term", nullptr},
          {"commitIndex", nullptr},
          {"lastApplied", nullptr},
          {"lastLogIndex", nullptr},
          {"logBytes", nullptr},
          {"healthy", false},
          {"problems", std::move(problems)}};
}

Json SpeakingReplica(const ReplicaStatus& replica, const HttpOptions& options) {
  Json problems = Json::array();
  const std::string trouble = TroubleOf(replica, options);
  if (!trouble.empty()) problems.push_back(trouble);
  if (replica.repairing()) problems.push_back("repairs a damaged log");
  const bool healthy = problems.empty();
  return {{"role", RoleName(replica)},
          {"term", replica.term()},
          {"commitIndex", replica.commit()},
          {"lastApplied", replica.applied()},
          {"lastLogIndex", replica.last()},
          {"logBytes", replica.log_bytes()},
          {"healthy", healthy},
          {"problems", std::move(problems)}};
}

Json ReplicaJson(const Picture& picture, uint64_t group, uint64_t id, const HttpOptions& options) {
  const NodeStatus* node = picture.FindNode(id);
  const ReplicaStatus* replica = picture.FindReplica(group, id);
  const ReplicaStatus* speaker = picture.SpeakerFor(group);
  const bool online = node != nullptr && node->online();
  Json json = {{"id", id},
               {"address", node == nullptr ? Json(nullptr) : TextOrNull(node->peer_address())}};
  json.update(replica != nullptr ? SpeakingReplica(*replica, options) : SilentReplica(node));
  json["voter"] = speaker == nullptr || IsVoter(*speaker, id);
  json["storageBytes"] = online ? Json(node->storage_bytes()) : Json(nullptr);
  json["lastSeen"] = TimeOrNull(picture.LastSeenMs(id));
  return json;
}

// What the controller and a group have in common.
Json GroupJson(const Picture& picture, uint64_t group, const HttpOptions& options) {
  Json nodes = Json::array();
  uint64_t storage = 0;
  bool all_well = true;
  for (const uint64_t member : picture.Members(group)) {
    nodes.push_back(ReplicaJson(picture, group, member, options));
    all_well = all_well && nodes.back()["healthy"].get<bool>();
    const NodeStatus* node = picture.FindNode(member);
    if (node != nullptr && node->online()) storage += node->storage_bytes();
  }
  const ReplicaStatus* leader = picture.LeaderOf(group);
  const ReplicaStatus* speaker = picture.SpeakerFor(group);
  const char* change = "none";
  if (speaker != nullptr && speaker->change_phase() == lockstep::v1::CATCHING_UP)
    change = "catching_up";
  if (speaker != nullptr && speaker->change_phase() == lockstep::v1::JOINT) change = "joint";
  return {{"nodes", std::move(nodes)},
          {"leaderId", NodeOrNull(picture.LeadingNode(group))},
          {"term", leader == nullptr ? Json(nullptr) : Json(leader->term())},
          {"state", leader == nullptr ? "no_leader"
                    : all_well        ? "healthy"
                                      : "degraded"},
          {"memberChange", change},
          {"totalStorage", storage}};
}

Json ShardGroupJson(const Picture& picture, uint64_t group, const HttpOptions& options) {
  Json shards = Json::array();
  const auto& owners = picture.configuration().owners();
  for (int i = 0; i < owners.size(); ++i) {
    if (owners[i] == group) shards.push_back(i);
  }
  bool configured = false;
  for (const auto& each : picture.configuration().groups()) configured |= each.gid() == group;
  const ReplicaStatus* speaker = picture.SpeakerFor(group);
  Json json = {{"groupId", group}};
  json.update(GroupJson(picture, group, options));
  json["shards"] = std::move(shards);
  json["joined"] = configured;
  json["configNum"] = speaker == nullptr ? Json(nullptr) : Json(speaker->configuration_num());
  json["keys"] = speaker == nullptr ? Json(nullptr) : Json(speaker->keys());
  json["dataBytes"] = speaker == nullptr ? Json(nullptr) : Json(speaker->value_bytes());
  return json;
}

Json NodeJson(const Picture& picture, const NodeStatus& node, const HttpOptions& options) {
  const std::vector<std::string> problems = ProblemsOf(node, options);
  Json links = Json::array();
  for (const lockstep::v1::PeerLink& link : node.links()) {
    links.push_back({{"node", link.node()},
                     {"connected", link.connected()},
                     {"roundTripUs", link.round_trip_us()}});
  }
  const auto known = [&](uint64_t value) { return node.online() ? Json(value) : Json(nullptr); };
  return {{"id", node.node()},
          {"online", node.online()},
          {"healthy", problems.empty()},
          {"problems", problems},
          {"address", TextOrNull(node.peer_address())},
          {"grpcAddress", TextOrNull(node.grpc_address())},
          {"httpAddress", TextOrNull(node.http_address())},
          {"version", TextOrNull(node.version())},
          {"uptimeMs", known(node.uptime_ms())},
          {"storageBytes", known(node.storage_bytes())},
          {"diskFreeBytes", known(node.disk_free_bytes())},
          {"diskRoom", node.online() ? Json(DiskRoom_Name(node.disk_room())) : Json(nullptr)},
          {"replicas", known(static_cast<uint64_t>(node.replicas_size()))},
          {"links", std::move(links)},
          {"lastSeen", TimeOrNull(picture.LastSeenMs(node.node()))}};
}

}  // namespace

std::vector<std::string> ProblemsOf(const NodeStatus& node, const HttpOptions& options) {
  std::vector<std::string> problems;
  if (!node.online()) {
    problems.push_back(node.error().empty() ? "no answer" : node.error());
    return problems;
  }
  for (const HealthCheck& check : ReadyChecks(&node, options, /*leaving=*/false)) {
    problems.insert(problems.end(), check.problems.begin(), check.problems.end());
  }
  for (const ReplicaStatus& replica : node.replicas()) {
    if (!replica.repairing()) continue;
    problems.push_back(absl::StrCat("group ", replica.group(), ": repairs a damaged log"));
  }
  return problems;
}

Json TopologyJson(const Picture& picture, const HttpOptions& options) {
  Json controller = {{"configNum", picture.configuration().num()}};
  controller.update(GroupJson(picture, 0, options));
  Json groups = Json::array();
  for (const uint64_t group : picture.Groups()) {
    if (group != 0) groups.push_back(ShardGroupJson(picture, group, options));
  }
  Json nodes = Json::array();
  for (const NodeStatus& node : picture.status().nodes()) {
    nodes.push_back(NodeJson(picture, node, options));
  }
  Json map = Json::object();
  const auto& owners = picture.configuration().owners();
  for (int i = 0; i < owners.size(); ++i) {
    map[absl::StrCat(i)] = owners[i] == 0 ? Json(nullptr) : Json(owners[i]);
  }
  return {{"cluster", picture.status().cluster()},
          {"answeredBy", picture.status().answered_by()},
          {"configCluster", std::move(controller)},
          {"shardGroups", std::move(groups)},
          {"nodes", std::move(nodes)},
          {"shardMap", std::move(map)},
          {"totalShards", owners.size()},
          {"updatedAt", picture.at_ms()}};
}

}  // namespace lockstep::net::http
