// Who the nodes of the cluster are and where they listen, as far as any of them has said.
//
// Addresses are only added or changed: a node that is not heard of for a while is where it was.
#ifndef LOCKSTEP_NET_CLIENT_DIRECTORY_H_
#define LOCKSTEP_NET_CLIENT_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/client/events.h"
#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::client {

// Nodes beyond this are not noted.
inline constexpr size_t kDirectoryNodesMax = 4096;

class Directory {
 public:
  explicit Directory(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  // Takes in what a node said of all.
  void Learn(const v1::StatusResponse& status);

  const absl::btree_map<NodeId, std::string>& addresses() const { return addresses_; }
  // Whom to ask, each once: the seeds, then all other known addresses.
  std::vector<std::string> Servers() const;
  // The nodes that hold the controller's replicas, ascending; empty: nobody has said.
  const std::vector<NodeId>& controllers() const { return controllers_; }
  // The controller's voters by the newest configuration of its own that is known to be in force;
  // membership 0: nobody has said.
  const LearnControllers& voters() const { return voters_; }

 private:
  const std::vector<std::string> seeds_;
  absl::btree_map<NodeId, std::string> addresses_;
  std::vector<NodeId> controllers_;
  LearnControllers voters_;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_DIRECTORY_H_
