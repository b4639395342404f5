// The cluster as a node sees it: the newest status, and what earlier ones said that this one does
// not say, because who knew it is silent. Pure.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_PICTURE_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_PICTURE_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::net::http {

class Picture {
 public:
  // `at_ms`: Unix time.
  void Take(lockstep::v1::StatusResponse status, uint64_t at_ms);

  const lockstep::v1::StatusResponse& status() const { return status_; }
  uint64_t at_ms() const { return at_ms_; }
  // The newest that was ever told; number 0: none yet.
  const lockstep::v1::Configuration& configuration() const { return configuration_; }

  // The controller's, 0, and those that are configured or live on a node; ascending.
  std::set<uint64_t> Groups() const;
  // Nodes that are in the group, as far as anybody told; ascending.
  std::set<uint64_t> Members(uint64_t group) const;

  // nullptr: nobody knows such a node.
  const lockstep::v1::NodeStatus* FindNode(uint64_t node) const;
  // nullptr: the node is offline, or has none.
  const lockstep::v1::ReplicaStatus* FindReplica(uint64_t group, uint64_t node) const;
  // The replica that leads, by what it says itself; of several, that of the latest term.
  const lockstep::v1::ReplicaStatus* LeaderOf(uint64_t group) const;
  // The node of that replica; 0: nobody leads.
  uint64_t LeadingNode(uint64_t group) const;
  // Who knows most of the group: its leader, or the replica that has applied most.
  const lockstep::v1::ReplicaStatus* SpeakerFor(uint64_t group) const;
  // Unix time at which the node last answered; 0: never.
  uint64_t LastSeenMs(uint64_t node) const;

 private:
  const lockstep::v1::NodeStatus* LeadersNode(uint64_t group) const;

  lockstep::v1::StatusResponse status_;
  uint64_t at_ms_ = 0;
  lockstep::v1::Configuration configuration_;
  std::map<uint64_t, std::set<uint64_t>> members_;  // by group
  std::map<uint64_t, uint64_t> last_seen_ms_;       // by node
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_PICTURE_H_
