// What the cluster's and the node's answers have in common: which replica speaks for a node,
// configurations and changes of nodes as JSON.
#ifndef LOCKSTEP_NET_HTTP_CLUSTER_VIEW_H_
#define LOCKSTEP_NET_HTTP_CLUSTER_VIEW_H_

#include <cstdint>
#include <optional>
#include <string>

#include "core/proto/client.pb.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "net/http/json.h"

namespace lockstep::net::http {

// The replica of `group`; without one: of the node's first key-value group, else of the controller.
// nullptr: there is none.
const lockstep::v1::ReplicaStatus* SpeakerOf(const lockstep::v1::NodeStatus& node,
                                             std::optional<uint64_t> group);

// "leader", "follower", "candidate", "pre_candidate"; "none" without a replica.
std::string StateName(const lockstep::v1::ReplicaStatus* replica);

// A node id, or null for 0: nobody.
Json NodeOrNull(uint64_t node);

Json ConfigurationJson(const proto::Configuration& configuration);

// What became of a change of nodes in each group.
Json ChangesJson(const proto::GatewayReply& reply);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_CLUSTER_VIEW_H_
