// What is drawn for a run in which shards move: where the groups live, how shards are handed over,
// and what administrators do.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/placement.h"
#include "sim/world/climate.h"

namespace lockstep::sim {
namespace {

// Some servers, each once, ascending.
std::vector<NodeId> DrawMembers(Rng& rng, uint16_t servers, uint64_t count) {
  std::vector<NodeId> members;
  while (members.size() < std::min<uint64_t>(count, servers)) {
    const uint64_t drawn = 1 + rng.Below(servers);
    const NodeId server(drawn);
    if (std::find(members.begin(), members.end(), server) == members.end()) {
      members.push_back(server);
    }
  }
  std::sort(members.begin(), members.end());
  return members;
}

// Groups of three, and here and there one of a single replica, which is gone whenever its server
// is.
uint64_t DrawSize(Rng& rng) {
  const uint64_t drawn = rng.Below(8);
  return drawn == 0 ? 1 : drawn == 1 ? 2 : 3;
}

std::vector<GroupPlacement> DrawGroups(Rng rng, uint16_t servers) {
  std::vector<GroupPlacement> groups;
  const bool small = rng.Chance({1, 8});
  groups.push_back({.group = kControllerGroup,
                    .role = node::GroupRole::kController,
                    .members = DrawMembers(rng, servers, small ? 1 : 3)});
  const uint64_t count = rng.Between(2, 4);
  uint64_t used = 0;
  for (uint64_t gid = 1; gid <= count; ++gid) {
    const uint64_t size = DrawSize(rng);
    groups.push_back({.group = GroupId(gid),
                      .role = node::GroupRole::kShards,
                      .members = DrawMembers(rng, servers, size)});
  }
  for (const GroupPlacement& group : groups) {
    for (const NodeId member : group.members) used |= uint64_t{1} << member.value();
  }
  // A server without a replica would be none: it gets one of some group.
  for (uint16_t server = 1; server <= servers; ++server) {
    if ((used >> server & 1) != 0) continue;
    const uint64_t which = 1 + rng.Below(count);
    std::vector<NodeId>& members = groups[which].members;
    members.push_back(NodeId(server));
    std::sort(members.begin(), members.end());
  }
  return groups;
}

// Each group may come to live on some other servers too, and has an administrator who sees to it.
void DrawShardChanges(Rng rng, Climate& climate) {
  for (GroupPlacement& group : climate.groups) {
    for (uint16_t id = 1; id <= climate.world.servers; ++id) {
      const NodeId server(id);
      const bool member =
          std::find(group.members.begin(), group.members.end(), server) != group.members.end();
      const bool drawn = rng.Chance({1, 2});
      if (!member && drawn) group.spare.push_back(server);
    }
    group.members.insert(group.members.end(), group.spare.begin(), group.spare.end());
    std::sort(group.members.begin(), group.members.end());
    ++climate.world.clients;  // who does it
  }
  climate.node.takes_replicas = true;
  climate.changes.emplace();
  const int64_t unit = climate.unit().count();
  climate.changes->gap_mean = rng.Between(Duration(8 * unit), Duration(80 * unit));
  climate.changes->retry = Duration(unit);
  const uint64_t quarters = rng.Between(1, 16);
  climate.node.members_look_every = Duration(unit * static_cast<int64_t>(quarters) / 4);
}

shardkv::AgentOptions DrawAgent(Rng rng, Duration unit) {
  shardkv::AgentOptions agent;
  const auto span = [&](int64_t first, int64_t final) {
    return Duration(static_cast<int64_t>(
        rng.Magnitude(static_cast<uint64_t>(first), static_cast<uint64_t>(final))));
  };
  const int64_t one = unit.count();
  agent.poll_every = span(one / 16, one * 2);
  agent.retry_min = span(one / 64, one / 4);
  agent.retry_max = agent.retry_min * static_cast<int64_t>(rng.Between(1, 16));
  agent.part_bytes_max = static_cast<uint32_t>(rng.Magnitude(16, uint64_t{64} << 10));
  agent.pulls_max = static_cast<uint32_t>(rng.Between(1, 6));
  return agent;
}

void DrawMachines(Rng rng, Climate& climate) {
  node::NodeOptions& node = climate.node;
  const bool many = rng.Chance({1, 8});
  const uint64_t shards = rng.Magnitude(1, many ? 64 : 12);
  node.shards = static_cast<uint32_t>(shards);
  node.shard_groups.sweep_records_max = static_cast<uint32_t>(rng.Magnitude(1, 1000));
  const uint64_t tenures = rng.Between(2 * shards, 4 * shards);
  const bool few = rng.Chance({1, 4});
  if (few) node.agent.tenures_max = static_cast<uint32_t>(tenures);
  node.configurations_kept = rng.Magnitude(1, 100);
  const uint64_t units = rng.Between(2, 50);
  node.prune_every = climate.unit() * static_cast<int64_t>(units);
  const bool slow = rng.Chance({1, 4});
  const uint64_t rate = rng.Magnitude(uint64_t{64} << 10, uint64_t{1} << 20);
  if (slow) node.bulk_bytes_per_second_max = rate;
  const bool spread = rng.Chance({1, 2});
  const uint64_t spread_units = rng.Between(4, 40);
  if (spread) node.leader_spread_every = climate.unit() * static_cast<int64_t>(spread_units);
}

ShardAdministration DrawAdministration(Rng rng, const Climate& climate) {
  ShardAdministration administration;
  for (const GroupPlacement& group : climate.groups) {
    if (group.role != node::GroupRole::kShards) continue;
    administration.groups.push_back({.gid = group.group, .members = {}});
    const raft::Membership beginning = group.Beginning();
    for (const NodeId member : beginning.voters()) {
      administration.groups.back().members.push_back({.node = member});
    }
  }
  administration.shards = climate.node.shards;
  const int64_t unit = climate.unit().count();
  administration.gap_mean = rng.Between(Duration(2 * unit), Duration(40 * unit));
  administration.force = rng.Chance({1, 4});
  // In haste many configurations pass while a group is away.
  const bool hasty = rng.Chance({1, 6});
  const Duration short_gap = rng.Between(Duration(unit / 8), Duration(unit));
  if (hasty) administration.gap_mean = short_gap;
  administration.client.attempt_timeout = climate.workload.attempt_timeout;
  administration.client.backoff_min = climate.workload.backoff_min;
  administration.client.backoff_max = climate.workload.backoff_max;
  administration.client.controller_nodes = climate.groups.front().members;
  return administration;
}

gateway::GatewayOptions DrawGateway(Rng rng, const Climate& climate) {
  gateway::GatewayOptions gateway;
  const int64_t unit = climate.unit().count();
  const auto span = [&](int64_t first, int64_t final) {
    return Duration(static_cast<int64_t>(
        rng.Magnitude(static_cast<uint64_t>(first), static_cast<uint64_t>(final))));
  };
  gateway.router.controller_nodes = climate.groups.front().members;
  gateway.router.attempt_timeout = span(unit / 8, unit * 4);
  gateway.router.backoff_min = span(unit / 128, unit / 8);
  gateway.router.backoff_max = gateway.router.backoff_min * static_cast<int64_t>(rng.Between(1, 8));
  gateway.router.configuration_age_max = span(unit / 8, unit * 4);
  gateway.router.outstanding_max = static_cast<uint32_t>(rng.Magnitude(1, 64));
  gateway.patience = span(unit, unit * 32);
  gateway.status_patience = span(unit / 8, unit * 2);
  gateway.link_doubt = span(unit / 16, unit * 4);
  const bool few = rng.Chance({1, 6});
  const uint64_t unfinished = rng.Magnitude(2, 64);
  const uint64_t queued = rng.Magnitude(1, 64);
  const uint64_t sessions = rng.Between(1, 4);
  if (few) gateway.router.unfinished_max = static_cast<uint32_t>(unfinished);
  if (few) gateway.router.queue_max = static_cast<uint32_t>(queued);
  if (few) gateway.router.shard_sessions_max = static_cast<uint32_t>(sessions);
  const bool few_forwarded = rng.Chance({1, 6});
  const uint64_t forwarded = rng.Between(4, 32);
  if (few_forwarded) gateway.forwarded_max = static_cast<uint32_t>(forwarded);
  const bool forgetful = rng.Chance({1, 4});
  const uint64_t remembered = rng.Magnitude(1, 16);
  if (forgetful) gateway.remembered_max = static_cast<uint32_t>(remembered);
  const bool ponderous = rng.Chance({1, 4});
  const uint64_t large = rng.Magnitude(1, 4096);
  if (ponderous) gateway.large_bytes = large;
  return gateway;
}

// Clients that ask any node. Its gateway has sessions too.
void DrawThin(Rng rng, Climate& climate) {
  WorkloadOptions& workload = climate.workload;
  const bool some = rng.Chance({3, 4});
  const uint64_t thin = rng.Between(1, workload.clients);
  const uint64_t in_session = rng.Below(thin + 1);
  const int64_t unit = climate.unit().count();
  const auto times = [&](uint64_t first, uint64_t final) {  // sixteenths of a unit
    return Duration(unit / 16 * static_cast<int64_t>(rng.Magnitude(first, final)));
  };
  workload.thin_patience = times(8, 256);
  workload.thin_grace = times(2, 32);
  const bool stale = rng.Chance({1, 2});
  const uint64_t stale_every = rng.Between(1, 6);
  if (!some) return;
  workload.thin = static_cast<uint32_t>(thin);
  workload.thin_in_session = static_cast<uint32_t>(in_session);
  if (stale) workload.stale = {1, static_cast<uint32_t>(stale_every)};
  const uint32_t sessions_max = climate.node.kv.sessions_max;
  if (sessions_max < 1024) climate.node.kv.sessions_max = sessions_max + climate.world.servers;
}

Inquiries InquiriesOf(const Climate& climate) {
  Inquiries inquiries;
  for (uint64_t id = 1; id <= climate.world.servers; ++id) inquiries.servers.emplace_back(id);
  inquiries.patience = 4 * climate.sharded->gateway.status_patience;
  inquiries.grace = climate.unit();
  inquiries.shards = climate.node.shards;
  return inquiries;
}

// What only a client of several shards can ask for.
void DrawSeveral(Rng rng, Climate& climate) {
  climate.workload.shards = climate.node.shards;
  const bool several = rng.Chance({1, 3});
  const uint64_t reads = rng.Magnitude(1, 50);
  const uint64_t misplaced = rng.Magnitude(1, 8);
  const uint64_t bulk = rng.Magnitude(1, 30);
  if (!several) return;
  climate.workload.mix.read_several = static_cast<uint32_t>(reads);
  climate.workload.mix.misplaced_batch = static_cast<uint32_t>(misplaced);
  if (climate.workload.keys >= 2) climate.workload.mix.bulk = static_cast<uint32_t>(bulk);
}

}  // namespace

void DrawSharded(const RunOptions&, const Rng& streams, Climate& climate) {
  climate.groups = DrawGroups(streams.Split("groups"), climate.world.servers);
  DrawShardChanges(streams.Split("changes"), climate);
  ++climate.world.clients;  // who administers the shards
  node::NodeOptions& node = climate.node;
  // Who may come to be a controller, as people would know them.
  node.controllers = climate.groups.front().members;
  node.agent = DrawAgent(streams.Split("agent"), climate.unit());
  DrawMachines(streams.Split("machines"), climate);
  DrawSeveral(streams.Split("several"), climate);
  climate.sharded.emplace();
  climate.sharded->administration = DrawAdministration(streams.Split("administration"), climate);
  climate.sharded->gateway = DrawGateway(streams.Split("gateway"), climate);
  climate.sharded->administration.inquiries = InquiriesOf(climate);
  DrawThin(streams.Split("thin"), climate);
}

}  // namespace lockstep::sim
