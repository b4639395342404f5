// From settings and what the data directory remembers to a node that can be started.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_RESOLVE_H_
#define LOCKSTEP_BIN_LOCKSTEPD_RESOLVE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "bin/lockstepd_identity.h"
#include "bin/lockstepd_options.h"

namespace lockstep::lockstepd {

// The shard group of a node that was told nothing.
inline constexpr uint64_t kEmbeddedGroup = 101;

struct Resolved {
  Options options;    // with node_id; peers are those of others; what is advertised is filled in
  Identity identity;  // to be claimed
  // Told nothing: one node, with the controller and group 101 inside. Somebody has to join the
  // group to the controller before there is an owner of any shard: the node itself.
  bool embedded = false;
};

// A node that is given no controller, group, peer or seed is what the directory says it was, and
// with a new directory an embedded cluster of one. Errors: kUsage where settings do not fit each
// other, kDataDirectory where they do not fit the directory.
absl::StatusOr<Resolved> Resolve(Options options, const std::optional<Identity>& known,
                                 const PeerBook& peers);

// What to tell others for an address that is listened on at `port`: `advertised` unless empty;
// the name of this machine where every interface is listened on.
std::string Advertised(const std::string& advertised, const std::string& listen, uint16_t port);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_RESOLVE_H_
