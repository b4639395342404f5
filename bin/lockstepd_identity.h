// Who a data directory belongs to.
//
// DIR/identity.json names the cluster, the node and this very directory (its incarnation: a node
// that comes back with an empty disk is another incarnation, and whoever counted on the old one's
// promises must not mistake it). DIR/LOCK is locked for as long as the directory is in use.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_IDENTITY_H_
#define LOCKSTEP_BIN_LOCKSTEPD_IDENTITY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bin/lockstepd_options.h"
#include "bin/lockstepd_sealed_file.h"
#include "net/unique_fd.h"

namespace lockstep::lockstepd {

struct Identity {
  std::string cluster;
  uint64_t node_id = 0;
  uint64_t incarnation = 0;  // random, never 0
  // What this node was last started with, so that it cannot be started as something else by
  // mistake. Of the groups, those that have a replica here.
  uint32_t shards = 0;
  std::vector<uint64_t> controller;
  std::vector<GroupSpec> groups;
  friend bool operator==(const Identity&, const Identity&) = default;
};

// A data directory that this process has locked. The lock goes with the object.
class DataDirectory {
 public:
  // Makes the directory when it is missing, and locks it. Errors carry ExitCode::kDataDirectory
  // (foreign, locked, unreadable, newer format) or kDamaged (its identity cannot be understood).
  // Nothing is written to a directory that is refused.
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(const std::string& path);

  const std::string& path() const { return path_; }
  // None: the directory is new.
  const std::optional<Identity>& identity() const { return identity_; }

  // Makes this the identity, durably. Refused (kDataDirectory) when it has another cluster, node or
  // incarnation than what is there.
  absl::Status Claim(const Identity& identity);

 private:
  DataDirectory(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  absl::Status Load();

  std::string path_;
  UniqueFd lock_;
  std::optional<Identity> identity_;
};

// Reads DIR/identity.json or DIR/peers.json as a start would, and changes nothing. `*exact`: it is,
// byte for byte, what would be written. NotFound when there is none; errors as above.
absl::Status CheckIdentityFile(const std::string& directory, bool* exact);
absl::Status CheckPeersFile(const std::string& directory, bool* exact);

// A file that is there when DIR/store has been in use, so that its loss is noticed.
std::string StoreMarkPath(const std::string& directory);
// What to tell about a store that is gone.
std::string StoreIsGone(const std::string& store);

// A random number that is not 0, from the operating system.
uint64_t NewIncarnation();

// What a node remembers of another.
struct Peer {
  uint64_t node_id = 0;
  uint64_t incarnation = 0;  // 0: it has never connected
  std::string peer_address;  // host:port each; empty: unknown
  std::string grpc_address;
  std::string http_address;
  friend bool operator==(const Peer&, const Peer&) = default;
};

// Who the controllers are, by their own configuration with this id.
struct KnownControllers {
  uint64_t membership = 0;  // 0: not known to be others than in the beginning
  std::vector<uint64_t> nodes;
  friend bool operator==(const KnownControllers&, const KnownControllers&) = default;
};

// DIR/peers.json: addresses to begin with after a restart, the incarnations by which a node that
// lost its disk is told from one that did not, and whom to ask for configurations when all
// controllers of the beginning may be gone.
class PeerBook {
 public:
  static absl::StatusOr<PeerBook> Load(const std::string& directory);

  const std::map<uint64_t, Peer>& peers() const { return peers_; }
  // Nothing is written when nothing has changed since it was written last. An empty address or an
  // incarnation of 0 says nothing and keeps what was known.
  absl::Status Remember(const Peer& peer);
  const KnownControllers& controllers() const { return controllers_; }
  // Nothing is written for those that are not newer than what is known.
  absl::Status RememberControllers(const KnownControllers& controllers);

 private:
  friend absl::Status CheckPeersFile(const std::string& directory, bool* exact);
  explicit PeerBook(std::string path) : path_(std::move(path)) {}
  absl::Status Read(bool* exact);
  nlohmann::ordered_json ToJson() const;
  absl::Status Write();

  std::string path_;
  bool unwritten_ = false;  // the file is behind
  std::map<uint64_t, Peer> peers_;
  KnownControllers controllers_;
};

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_IDENTITY_H_
