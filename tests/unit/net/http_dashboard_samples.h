// Statuses of a small cluster, for tests of the dashboard: three nodes, the controller and the
// groups 101 and 102 on all of them, four shards.
#ifndef LOCKSTEP_TESTS_UNIT_NET_HTTP_DASHBOARD_SAMPLES_H_
#define LOCKSTEP_TESTS_UNIT_NET_HTTP_DASHBOARD_SAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::net::http_test {

inline void AddShard(lockstep::v1::ReplicaStatus* replica, uint32_t shard, const std::string& state,
                     uint64_t keys, uint64_t since) {
  lockstep::v1::ShardStatus& added = *replica->add_shards();
  added.set_shard(shard);
  added.set_state(state);
  added.set_keys(keys);
  added.set_bytes(keys * 100);
  added.set_since(since);
}

// Node 1 leads all groups. Group 101 has the shards 0 and 1, group 102 the others, of ten keys
// each.
inline lockstep::v1::StatusResponse CalmCluster() {
  lockstep::v1::StatusResponse status;
  status.set_answered_by(1);
  status.set_cluster("test");
  status.set_configuration_num(1);
  status.mutable_configuration()->set_num(1);
  for (const uint64_t owner : {101u, 101u, 102u, 102u}) {
    status.mutable_configuration()->add_owners(owner);
  }
  for (const uint64_t gid : {101u, 102u})
    status.mutable_configuration()->add_groups()->set_gid(gid);
  for (uint64_t id = 1; id <= 3; ++id) {
    lockstep::v1::NodeStatus& node = *status.add_nodes();
    node.set_node(id);
    node.set_online(true);
    node.set_peer_address("n" + std::to_string(id) + ":7400");
    node.set_uptime_ms(60'000);
    node.set_storage_bytes(1000);
    node.set_disk_free_bytes(uint64_t{1} << 40);
    for (const uint64_t group : {0u, 101u, 102u}) {
      lockstep::v1::ReplicaStatus& replica = *node.add_replicas();
      replica.set_group(group);
      replica.set_role(id == 1 ? lockstep::v1::LEADER : lockstep::v1::FOLLOWER);
      replica.set_term(4);
      replica.set_leader(1);
      replica.set_commit(90);
      replica.set_applied(90);
      replica.set_membership_id(1);
      for (uint64_t member = 1; member <= 3; ++member) replica.add_members(member);
      if (group == 0) continue;
      const uint32_t first = group == 101 ? 0 : 2;
      AddShard(&replica, first, "SERVING", 10, 1);
      AddShard(&replica, first + 1, "SERVING", 10, 1);
      replica.set_keys(20);
    }
  }
  return status;
}

inline lockstep::v1::ReplicaStatus* Replica(lockstep::v1::StatusResponse* status, uint64_t node,
                                            uint64_t group) {
  for (auto& replica : *status->mutable_nodes(static_cast<int>(node - 1))->mutable_replicas()) {
    if (replica.group() == group) return &replica;
  }
  return nullptr;
}

// What is left of a node that does not answer.
inline void Silence(lockstep::v1::StatusResponse* status, uint64_t node) {
  lockstep::v1::NodeStatus& silent = *status->mutable_nodes(static_cast<int>(node - 1));
  const std::string address = silent.peer_address();
  silent.Clear();
  silent.set_node(node);
  silent.set_peer_address(address);
  silent.set_error("it cannot be reached");
}

// Shard 0 is on its way from 101 to 102, and four of its ten keys have arrived.
inline lockstep::v1::StatusResponse MovingCluster() {
  lockstep::v1::StatusResponse status = CalmCluster();
  status.set_configuration_num(2);
  status.mutable_configuration()->set_num(2);
  status.mutable_configuration()->set_owners(0, 102);
  status.mutable_configuration()->add_pinned(0);
  for (uint64_t node = 1; node <= 3; ++node) {
    Replica(&status, node, 101)->mutable_shards(0)->set_state("FROZEN");
    AddShard(Replica(&status, node, 102), 0, "PULLING", 4, 2);
  }
  return status;
}

}  // namespace lockstep::net::http_test

#endif  // LOCKSTEP_TESTS_UNIT_NET_HTTP_DASHBOARD_SAMPLES_H_
