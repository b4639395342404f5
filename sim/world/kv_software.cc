#include "sim/world/kv_software.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/gateway/gateway.h"
#include "core/node/controller_list.h"
#include "sim/world/describe.h"

namespace lockstep::sim {
namespace {

// The engine and the machines that it applies to, which must outlive it.
class EngineRunner : public StorageRunner {
 public:
  EngineRunner(std::unique_ptr<MachineFactory> machines, std::unique_ptr<storage::Engine> engine)
      : machines_(std::move(machines)), engine_(std::move(engine)) {}
  absl::StatusOr<StorageResult> Run(const StorageJob& job) override { return engine_->Run(job); }
  uint64_t Digest(GroupId group) const override { return engine_->TableDigest(group); }
  bool VisitTable(GroupId group,
                  absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit)
      const override {
    return engine_->VisitTable(group, visit);
  }

 private:
  std::unique_ptr<MachineFactory> machines_;
  std::unique_ptr<storage::Engine> engine_;
};

}  // namespace

ServerSurroundings::ServerSurroundings(const std::vector<GroupPlacement>& groups) {
  for (const GroupPlacement& group : groups) {
    servers_.insert(servers_.end(), group.members.begin(), group.members.end());
  }
  std::sort(servers_.begin(), servers_.end());
  servers_.erase(std::unique(servers_.begin(), servers_.end()), servers_.end());
}

std::string ServerSurroundings::AddressOf(NodeId server) {
  return absl::StrCat("server-", server.value(), ":1");
}

std::vector<lockstep::v1::NodeStatus> ServerSurroundings::KnownNodes() const {
  std::vector<lockstep::v1::NodeStatus> nodes;
  for (const NodeId server : servers_) {
    lockstep::v1::NodeStatus& node = nodes.emplace_back();
    node.set_node(server.value());
    node.set_peer_address(AddressOf(server));
  }
  return nodes;
}

// Everybody is known.
void ServerSurroundings::Mention(NodeId, const std::string&) {}

void ServerSurroundings::Describe(lockstep::v1::NodeStatus* status) const {
  status->set_peer_address(AddressOf(NodeId(status->node())));
}

void ServerSurroundings::RememberControllers(uint64_t membership,
                                             const std::vector<NodeId>& nodes) {
  if (membership <= membership_) return;
  membership_ = membership;
  controllers_ = nodes;
}

KvSoftware::KvSoftware(const node::NodeOptions& node, const storage::EngineOptions& engine,
                       std::vector<GroupPlacement> groups,
                       std::optional<gateway::GatewayOptions> gateway)
    : node_(node), engine_(engine), groups_(std::move(groups)), gateway_(std::move(gateway)) {}

absl::StatusOr<Life> KvSoftware::Boot(NodeId node, storage::FileSystem& files, Rng rng,
                                      const Host& host) {
  node::NodeOptions options = node_;
  options.self = node;
  options.raft.self = node;
  ServerSurroundings& surroundings = surroundings_.try_emplace(node, groups_).first->second;
  options.controllers = node::NewestFirst(surroundings.controllers(), options.controllers);
  options.groups = HostedBy(node, groups_);
  Check(!options.groups.empty() || options.takes_replicas,
        "every server hosts a group, or takes replicas");
  storage::EngineOptions engine_options = engine_;
  engine_options.groups.clear();
  engine_options.more_groups = options.takes_replicas;
  for (const node::HostedGroup& hosted : options.groups) {
    engine_options.groups.push_back(hosted.id);
  }
  engine_options.is_alone = [&options](GroupId group, const Bytes& configuration) {
    return node::IsAlone(options, group, configuration);
  };
  std::unique_ptr<MachineFactory> machines = node::MakeMachines(options);
  absl::StatusOr<std::unique_ptr<storage::Engine>> engine =
      storage::Engine::Open(files, engine_options, *machines);
  if (!engine.ok()) return engine.status();
  std::vector<ReplicaImage> images = (*engine)->TakeImages();
  Life life;
  for (const ReplicaImage& image : images) {
    life.tables.push_back({.group = image.group, .applied = image.applied});
  }
  for (const storage::Repair& repair : (*engine)->repairs()) {
    life.repairs.push_back(absl::StrCat(repair.damage, ": ", repair.consequence));
  }
  life.storage = std::make_unique<EngineRunner>(std::move(machines), *std::move(engine));
  if (!gateway_.has_value()) {
    life.process = node::MakeNode(options, std::move(images), rng, host);
    return life;
  }
  gateway::GatewayOptions gateway = *gateway_;
  gateway.life = ++lives_[node];
  gateway.router.controller_nodes =
      node::NewestFirst(surroundings.controllers(), gateway.router.controller_nodes);
  life.process =
      gateway::MakeNodeWithGateway(options, gateway, std::move(images), rng, host, surroundings);
  return life;
}

std::string KvSoftware::Describe(PacketKind kind, const Bytes& data) const {
  switch (kind) {
    case PacketKind::kPeer:
      return DescribePeer(data);
    case PacketKind::kRequest:
      return DescribeRequest(data);
    case PacketKind::kReply:
      return DescribeReply(data);
  }
  return "";
}

}  // namespace lockstep::sim
