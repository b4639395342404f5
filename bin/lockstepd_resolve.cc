#include "bin/lockstepd_resolve.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bin/address.h"
#include "bin/lockstepd_exit.h"

namespace lockstep::lockstepd {
namespace {

absl::Status Usage(const std::string& what) { return ExitWith(ExitCode::kUsage, what); }
absl::Status Misfit(const std::string& what) { return ExitWith(ExitCode::kDataDirectory, what); }

bool ToldNothing(const Options& options) {
  return options.controller.empty() && options.groups.empty() && options.peers.empty() &&
         options.join.empty();
}

bool Holds(const std::vector<uint64_t>& nodes, uint64_t node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// Large, so that nobody has given it by hand, and short enough to be read out.
uint64_t NewNodeId() { return 1'000'000 + NewIncarnation() % (uint64_t{1} << 40); }

absl::StatusOr<uint64_t> NodeIdOf(const Options& options, const std::optional<Identity>& known,
                                  bool embedded) {
  if (known.has_value()) {
    if (options.node_id.value_or(known->node_id) != known->node_id) {
      return Misfit(absl::StrCat(options.data_dir, " belongs to node ", known->node_id, ", not ",
                                 *options.node_id,
                                 ": give that node id or another data directory"));
    }
    return known->node_id;
  }
  if (options.node_id.has_value()) return *options.node_id;
  if (embedded) return 1;
  if (options.controller.empty() && options.groups.empty()) return NewNodeId();
  return Usage("node-id: say which of the nodes of --controller and --group this one is");
}

// The directory's word stands where nothing is said, and nothing may be said against it: replicas
// do not become members of other groups, or keys of other shards, by a flag.
absl::Status FitToDirectory(const Identity& known, Options& options) {
  if (known.cluster != options.cluster) {
    return Misfit(absl::StrCat(options.data_dir, " belongs to cluster \"", known.cluster,
                               "\", not \"", options.cluster,
                               "\": give that cluster or another data directory"));
  }
  if (options.controller.empty()) options.controller = known.controller;
  if (!known.controller.empty() && options.controller != known.controller) {
    return Misfit(absl::StrCat("controller: ", absl::StrJoin(options.controller, ","),
                               " is not what ", options.data_dir,
                               " was made with: ", absl::StrJoin(known.controller, ",")));
  }
  for (const GroupSpec& group : known.groups) {
    const auto same = std::find_if(options.groups.begin(), options.groups.end(),
                                   [&](const GroupSpec& it) { return it.gid == group.gid; });
    if (same == options.groups.end()) {
      options.groups.push_back(group);
    } else if (same->members != group.members) {
      return Misfit(absl::StrCat("group ", group.gid, ": ", absl::StrJoin(same->members, ","),
                                 " is not what ", options.data_dir,
                                 " was made with: ", absl::StrJoin(group.members, ",")));
    }
  }
  std::sort(options.groups.begin(), options.groups.end(),
            [](const GroupSpec& a, const GroupSpec& b) { return a.gid < b.gid; });
  return absl::OkStatus();
}

absl::Status FitShards(const Identity& known, Options& options) {
  const bool said = options.shards != Options().shards;
  if (said && options.shards != known.shards) {
    return Misfit(absl::StrCat("shards: ", options.shards, " is not what ", options.data_dir,
                               " was made with: ", known.shards));
  }
  options.shards = known.shards;
  return absl::OkStatus();
}

// Every node that shares a group with this one must be reachable somehow.
absl::Status CheckReachable(const Options& options, const PeerBook& book) {
  if (!options.join.empty()) return absl::OkStatus();
  const auto check = [&](const std::vector<uint64_t>& members, const std::string& what) {
    for (uint64_t node : members) {
      const auto remembered = book.peers().find(node);
      const bool known =
          remembered != book.peers().end() && !remembered->second.peer_address.empty();
      if (node == *options.node_id || options.peers.contains(node) || known) continue;
      return Usage(absl::StrCat("peers: no address of node ", node, ", which is named by ", what,
                                ": add ", node, "=HOST:PORT, or join by the address of another"));
    }
    return absl::OkStatus();
  };
  absl::Status status = check(options.controller, "controller");
  for (const GroupSpec& group : options.groups) {
    if (status.ok() && Holds(group.members, *options.node_id)) {
      status = check(group.members, absl::StrCat("group ", group.gid));
    }
  }
  return status;
}

absl::Status CheckController(const Options& options) {
  if (!options.controller.empty() || !options.join.empty()) return absl::OkStatus();
  return Usage(
      "controller: say which nodes decide where shards are (1,2,3), or join a cluster that has "
      "them");
}

Identity IdentityOf(const Options& options, const std::optional<Identity>& known) {
  Identity identity;
  identity.cluster = options.cluster;
  identity.node_id = *options.node_id;
  identity.incarnation = known.has_value() ? known->incarnation : NewIncarnation();
  identity.shards = options.shards;
  identity.controller = options.controller;
  for (const GroupSpec& group : options.groups) {
    if (Holds(group.members, identity.node_id)) identity.groups.push_back(group);
  }
  return identity;
}

void FillAdvertised(std::string& advertised, const std::string& listen) {
  const absl::StatusOr<Address> address = ParseAddress(listen, 0);
  // With port 0 the port is known only when it is listened on.
  if (address.ok() && address->port != 0) {
    advertised = Advertised(advertised, listen, address->port);
  }
}

}  // namespace

absl::StatusOr<Resolved> Resolve(Options options, const std::optional<Identity>& known,
                                 const PeerBook& peers) {
  Resolved resolved;
  resolved.embedded = !known.has_value() && ToldNothing(options);
  const absl::StatusOr<uint64_t> node_id = NodeIdOf(options, known, resolved.embedded);
  if (!node_id.ok()) return node_id.status();
  options.node_id = *node_id;
  options.peers.erase(*node_id);
  if (resolved.embedded) {
    options.controller = {*node_id};
    options.groups = {{.gid = kEmbeddedGroup, .members = {*node_id}}};
  }
  if (known.has_value()) {
    absl::Status status = FitToDirectory(*known, options);
    if (status.ok()) status = FitShards(*known, options);
    if (!status.ok()) return status;
    // An embedded cluster stays one: whether its group has joined is for the controller to say.
    const std::vector<uint64_t> alone = {*node_id};
    resolved.embedded = options.peers.empty() && options.join.empty() &&
                        options.controller == alone && options.groups.size() == 1 &&
                        options.groups[0].gid == kEmbeddedGroup &&
                        options.groups[0].members == alone;
  }
  absl::Status status = CheckController(options);
  if (status.ok()) status = CheckReachable(options, peers);
  if (!status.ok()) return status;
  FillAdvertised(options.advertise_peer, options.listen_peer);
  FillAdvertised(options.advertise_grpc, options.listen_grpc);
  FillAdvertised(options.advertise_http, options.listen_http);
  resolved.identity = IdentityOf(options, known);
  resolved.options = std::move(options);
  return resolved;
}

std::string Advertised(const std::string& advertised, const std::string& listen, uint16_t port) {
  if (!advertised.empty()) return advertised;
  absl::StatusOr<Address> address = ParseAddress(listen, 0);
  if (!address.ok()) return listen;
  address->port = port;
  char name[256] = "";
  if (IsWildcard(*address) && ::gethostname(name, sizeof(name) - 1) == 0) address->host = name;
  return FormatAddress(*address);
}

}  // namespace lockstep::lockstepd
