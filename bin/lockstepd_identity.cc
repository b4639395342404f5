#include "bin/lockstepd_identity.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/atomic_file.h"
#include "bin/lockstepd_exit.h"

namespace lockstep::lockstepd {
namespace {

using nlohmann::ordered_json;

constexpr const char* kIdentityFile = "identity.json";
constexpr const char* kLockFile = "LOCK";

absl::Status Refused(const std::string& what) { return ExitWith(ExitCode::kDataDirectory, what); }
absl::Status Damaged(const std::string& what) { return ExitWith(ExitCode::kDamaged, what); }

std::string IdentityPath(const std::string& directory) {
  return absl::StrCat(directory, "/", kIdentityFile);
}

// Some entry that is not ours to find in a directory without an identity; empty: none.
absl::StatusOr<std::string> ForeignEntry(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) {
    return Refused(absl::StrCat(path, " cannot be read: ", std::strerror(errno)));
  }
  std::string foreign;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    // A crash may have come between the lock and the identity; lost+found is a mount point's.
    const bool expected = name == "." || name == ".." || name == "lost+found" ||
                          name == kLockFile || name == absl::StrCat(kIdentityFile, ".tmp");
    if (!expected) foreign = name;
  }
  ::closedir(directory);
  return foreign;
}

absl::Status MakeDirectory(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
      return Refused(absl::StrCat(part, " cannot be made: ", std::strerror(errno)));
    }
    if (slash == std::string::npos) break;
  }
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    return Refused(absl::StrCat(path, " cannot be read: ", std::strerror(errno)));
  }
  if (!S_ISDIR(status.st_mode)) return Refused(absl::StrCat(path, " is not a directory"));
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> Lock(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/", kLockFile);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd.valid()) {
    return Refused(absl::StrCat(path, " cannot be opened: ", std::strerror(errno)));
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Refused(absl::StrCat(path, " cannot be locked: ", std::strerror(errno)));
    }
    const absl::StatusOr<std::string> owner = ReadSmallFile(path, 64);
    const bool known = owner.ok() && !absl::StripAsciiWhitespace(*owner).empty();
    return Refused(absl::StrCat(directory, " is in use by ", known ? "process " : "another process",
                                known ? absl::StripAsciiWhitespace(*owner) : "",
                                ": stop it first, or give another data directory"));
  }
  const std::string pid = absl::StrCat(::getpid(), "\n");
  const bool written =
      ::ftruncate(fd.get(), 0) == 0 &&
      ::pwrite(fd.get(), pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  if (!written) return Refused(absl::StrCat(path, " cannot be written: ", std::strerror(errno)));
  return fd;
}

// 64-bit numbers stand in JSON as hexadecimal text: many readers know no integer of that size.
std::string Hex(uint64_t number) { return absl::StrFormat("%016x", number); }

bool ReadHex(const ordered_json& json, uint64_t& out) {
  return json.is_string() && absl::SimpleHexAtoi(json.get<std::string>(), &out);
}

ordered_json ToJson(const Identity& identity) {
  ordered_json json;
  json["cluster"] = identity.cluster;
  json["node_id"] = identity.node_id;
  json["incarnation"] = Hex(identity.incarnation);
  json["shards"] = identity.shards;
  json["controller"] = identity.controller;
  json["groups"] = ordered_json::array();
  for (const GroupSpec& group : identity.groups) {
    json["groups"].push_back({{"gid", group.gid}, {"members", group.members}});
  }
  return json;
}

// nlohmann's own conversions take a fraction, or a number without end, for some other number.
// Throws nlohmann's exceptions, as the next two do.
uint64_t ReadWhole(const ordered_json& json, uint64_t max = std::numeric_limits<uint64_t>::max()) {
  if (json.is_number_unsigned() && json.get<uint64_t>() <= max) return json.get<uint64_t>();
  throw ordered_json::out_of_range::create(
      406, absl::StrCat("a whole number of at most ", max, " is expected"), &json);
}

std::vector<uint64_t> ReadWholes(const ordered_json& json) {
  std::vector<uint64_t> numbers;
  for (const ordered_json& each : json.get_ref<const ordered_json::array_t&>()) {
    numbers.push_back(ReadWhole(each));
  }
  return numbers;
}

Identity FromJson(const ordered_json& json) {
  Identity identity;
  identity.cluster = json.at("cluster").get<std::string>();
  identity.node_id = ReadWhole(json.at("node_id"));
  identity.shards =
      static_cast<uint32_t>(ReadWhole(json.at("shards"), std::numeric_limits<uint32_t>::max()));
  identity.controller = ReadWholes(json.at("controller"));
  for (const ordered_json& group : json.at("groups")) {
    identity.groups.push_back(
        {.gid = ReadWhole(group.at("gid")), .members = ReadWholes(group.at("members"))});
  }
  if (!ReadHex(json.at("incarnation"), identity.incarnation)) identity.incarnation = 0;
  return identity;
}

// Files of the first builds have no checksum; whoever looks like one of them must hold nothing but
// what they held.
absl::Status CheckUnsealed(const std::string& path, const SealedJson& found,
                           const ordered_json& known) {
  ordered_json rest = found.json;
  rest.erase("format");
  if (found.sealed || rest == known) return absl::OkStatus();
  return Damaged(absl::StrCat(path, " is damaged: it has no checksum, and parts that are unknown"));
}

absl::StatusOr<Identity> ReadIdentity(const std::string& path, bool* exact) {
  const absl::StatusOr<SealedJson> found = ReadSealedJson(path);
  if (!found.ok()) return found.status();
  Identity identity;
  try {
    identity = FromJson(found->json);
  } catch (const nlohmann::json::exception& error) {
    return Damaged(absl::StrCat(path, " is damaged: ", error.what()));
  }
  if (identity.node_id == 0 || identity.incarnation == 0 || identity.shards == 0) {
    return Damaged(absl::StrCat(path, " is damaged: node_id, incarnation or shards is 0"));
  }
  const absl::Status known = CheckUnsealed(path, *found, ToJson(identity));
  if (!known.ok()) return known;
  *exact = found->exact;
  return identity;
}

absl::Status CheckSame(const std::string& path, const Identity& ours, const Identity& wanted) {
  if (ours.cluster != wanted.cluster) {
    return Refused(absl::StrCat(path, " belongs to cluster \"", ours.cluster, "\", not \"",
                                wanted.cluster, "\": give that cluster or another data directory"));
  }
  if (ours.node_id != wanted.node_id) {
    return Refused(absl::StrCat(path, " belongs to node ", ours.node_id, ", not ", wanted.node_id,
                                ": give that node id or another data directory"));
  }
  if (ours.incarnation != wanted.incarnation) {
    return Refused(absl::StrCat(path, " is incarnation ", Hex(ours.incarnation), ", not ",
                                Hex(wanted.incarnation)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(const std::string& path) {
  absl::Status status = MakeDirectory(path);
  if (!status.ok()) return status;
  if (::access(IdentityPath(path).c_str(), F_OK) != 0) {
    const absl::StatusOr<std::string> foreign = ForeignEntry(path);
    if (!foreign.ok()) return foreign.status();
    if (!foreign->empty()) {
      return Refused(absl::StrCat(path, " is not a data directory: it holds \"", *foreign,
                                  "\" and no ", kIdentityFile, "; give an empty directory"));
    }
  }
  absl::StatusOr<UniqueFd> lock = Lock(path);
  if (!lock.ok()) return lock.status();
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path, *std::move(lock)));
  status = directory->Load();
  if (!status.ok()) return status;
  return directory;
}

absl::Status DataDirectory::Load() {
  bool exact = false;
  absl::StatusOr<Identity> identity = ReadIdentity(IdentityPath(path_), &exact);
  if (absl::IsNotFound(identity.status())) return absl::OkStatus();
  if (!identity.ok()) return identity.status();
  identity_ = *std::move(identity);
  return absl::OkStatus();
}

absl::Status CheckIdentityFile(const std::string& directory, bool* exact) {
  return ReadIdentity(IdentityPath(directory), exact).status();
}

absl::Status DataDirectory::Claim(const Identity& identity) {
  if (identity_ == identity) return absl::OkStatus();
  if (identity_.has_value()) {
    const absl::Status same = CheckSame(path_, *identity_, identity);
    if (!same.ok()) return same;
  }
  const absl::Status status = WriteSealedJson(IdentityPath(path_), ToJson(identity));
  if (!status.ok()) return Refused(std::string(status.message()));
  identity_ = identity;
  return absl::OkStatus();
}

std::string StoreMarkPath(const std::string& directory) {
  return absl::StrCat(directory, "/store-in-use");
}

std::string StoreIsGone(const std::string& store) {
  return absl::StrCat(store,
                      "/wal holds nothing of this node, although it has been in use: what the node "
                      "has promised is gone. Restore it from a copy; or remove the node from its "
                      "groups and start it anew with an empty data directory");
}

uint64_t NewIncarnation() {
  uint64_t number = 0;
  while (number == 0) {
    if (::getrandom(&number, sizeof(number), 0) != sizeof(number)) number = 0;
  }
  return number;
}

ordered_json PeerBook::ToJson() const {
  ordered_json json;
  json["peers"] = ordered_json::array();
  for (const auto& [id, known] : peers_) {
    json["peers"].push_back({{"node_id", id},
                             {"incarnation", Hex(known.incarnation)},
                             {"peer", known.peer_address},
                             {"grpc", known.grpc_address},
                             {"http", known.http_address}});
  }
  if (controllers_.membership != 0) {
    json["controllers"] = {{"membership", controllers_.membership}, {"nodes", controllers_.nodes}};
  }
  return json;
}

absl::Status PeerBook::Read(bool* exact) {
  const absl::StatusOr<SealedJson> found = ReadSealedJson(path_);
  if (!found.ok()) return found.status();
  try {
    for (const ordered_json& row : found->json.at("peers")) {
      Peer peer;
      peer.node_id = ReadWhole(row.at("node_id"));
      if (!ReadHex(row.at("incarnation"), peer.incarnation)) {
        return Damaged(absl::StrCat(path_, " is damaged: an incarnation is no number"));
      }
      peer.peer_address = row.at("peer").get<std::string>();
      peer.grpc_address = row.at("grpc").get<std::string>();
      peer.http_address = row.at("http").get<std::string>();
      peers_[peer.node_id] = peer;
    }
    if (found->json.contains("controllers")) {
      const ordered_json& row = found->json.at("controllers");
      controllers_ = {.membership = ReadWhole(row.at("membership")),
                      .nodes = ReadWholes(row.at("nodes"))};
    }
  } catch (const nlohmann::json::exception& error) {
    return Damaged(absl::StrCat(path_, " is damaged: ", error.what()));
  }
  *exact = found->exact;
  return CheckUnsealed(path_, *found, ToJson());
}

absl::StatusOr<PeerBook> PeerBook::Load(const std::string& directory) {
  PeerBook book(absl::StrCat(directory, "/peers.json"));
  bool exact = false;
  const absl::Status read = book.Read(&exact);
  if (!read.ok() && !absl::IsNotFound(read)) return read;
  return book;
}

absl::Status CheckPeersFile(const std::string& directory, bool* exact) {
  PeerBook book(absl::StrCat(directory, "/peers.json"));
  return book.Read(exact);
}

absl::Status PeerBook::Remember(const Peer& peer) {
  const auto found = peers_.find(peer.node_id);
  Peer merged = found == peers_.end() ? Peer() : found->second;
  merged.node_id = peer.node_id;
  if (peer.incarnation != 0) merged.incarnation = peer.incarnation;
  if (!peer.peer_address.empty()) merged.peer_address = peer.peer_address;
  if (!peer.grpc_address.empty()) merged.grpc_address = peer.grpc_address;
  if (!peer.http_address.empty()) merged.http_address = peer.http_address;
  const bool same = found != peers_.end() && found->second == merged;
  if (same && !unwritten_) return absl::OkStatus();
  peers_[peer.node_id] = merged;
  return Write();
}

absl::Status PeerBook::RememberControllers(const KnownControllers& controllers) {
  const bool newer = controllers.membership > controllers_.membership;
  if (!newer && !unwritten_) return absl::OkStatus();
  if (newer) controllers_ = controllers;
  return Write();
}

absl::Status PeerBook::Write() {
  const absl::Status status = WriteSealedJson(path_, ToJson());
  unwritten_ = !status.ok();
  if (!status.ok()) return ExitWith(ExitCode::kDiskFailed, std::string(status.message()));
  return absl::OkStatus();
}

}  // namespace lockstep::lockstepd
