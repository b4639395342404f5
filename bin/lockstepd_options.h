// The settings of a node, wherever they come from: flag, environment, file or default.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_OPTIONS_H_
#define LOCKSTEP_BIN_LOCKSTEPD_OPTIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/shardkv/options.h"

namespace lockstep::lockstepd {

// A group and the nodes that hold its replicas.
struct GroupSpec {
  uint64_t gid = 0;
  std::vector<uint64_t> members;  // ascending
  friend bool operator==(const GroupSpec&, const GroupSpec&) = default;
};

struct Options {
  std::string data_dir;
  std::string cluster = "lockstep";  // its name: nodes of another one are refused
  std::optional<uint64_t> node_id;   // none: what the data directory says, or a new one
  std::string listen_peer = "127.0.0.1:7400";
  std::string listen_grpc = "127.0.0.1:7401";
  std::string listen_http = "127.0.0.1:7402";
  std::string advertise_peer;  // what others are told; empty: what is listened on
  std::string advertise_grpc;
  std::string advertise_http;

  std::map<uint64_t, std::string> peers;  // node id to peer address, of the others
  std::vector<std::string> join;          // peer addresses of any nodes of the cluster
  std::vector<uint64_t> controller;       // ascending nodes that hold the controller's replicas
  std::vector<GroupSpec> groups;          // ascending gid
  uint32_t shards = 64;

  uint64_t heartbeat_ms = 100;
  uint64_t election_timeout_ms = 1000;  // drawn from this to twice as much
  std::string lease_reads = "off";      // or on: docs/decisions/0020-leases.md
  uint64_t clock_drift_max = 10;        // thousandths
  uint64_t request_timeout_ms = 10000;  // of a call that names no deadline
  uint64_t shutdown_timeout_ms = 5000;  // until leaders are handed over and calls are answered
  // Free bytes on the data directory's disk below which data are refused; 0: never.
  uint64_t space_soft_limit = uint64_t{256} << 20;
  // Of snapshots sent and shards fetched, together; 0: without limit.
  uint64_t bulk_rate_max = uint64_t{128} << 20;
  uint64_t leader_spread_ms = 10000;  // so often leaders are spread over the nodes; 0: never
  uint64_t http_body_bytes_max = uint64_t{96} << 20;
  uint64_t connections_per_address_max = 512;  // of clients, at each of their two ports
  std::vector<std::string> http_cors_origins;  // empty: no CORS headers

  std::string tls_cert;  // files in PEM; empty: plain text
  std::string tls_key;
  std::string tls_ca;
  std::string tls_client_auth = "required";  // or optional, none: certificates of clients
  std::string access;                        // file; empty: whoever connects may do everything
  std::string insecure = "off";              // or on: plain text on addresses that others reach

  std::string log_level = "info";                 // trace, debug, info, warn, error, off
  std::map<std::string, std::string> log_levels;  // by part: node, peer, grpc, http, storage
  std::string log_format = "text";                // or json
  uint64_t slow_request_ms = 1000;  // what takes longer is logged with its stages; 0: nothing
};

// `lockstepd verify DIR`.
struct VerifyRequest {
  enum class Format { kText, kJson };
  std::string directory;
  Format format = Format::kText;
};

// What a command line asks for.
struct Invocation {
  // Run a node; print `text` and exit with 0; or look at the data directory of one that does not
  // run.
  enum class Action { kRun, kPrint, kVerify };
  Action action = Action::kRun;
  Options options;       // kRun: valid by itself; Resolve sees what depends on the data directory
  std::string text;      // kPrint
  std::string file;      // kPrint: where to, instead of stdout; it must not exist yet
  VerifyRequest verify;  // kVerify
};

// Flag before environment (LOCKSTEP_LISTEN_PEER for --listen-peer) before file (--config) before
// default. An error is one line that names the setting, where it comes from, its value and what is
// allowed; its exit code is ExitCode::kUsage (bin/lockstepd_exit.h).
absl::StatusOr<Invocation> ParseOptions(int argc, const char* const* argv);

// Prints the text of a kPrint to where it belongs.
absl::Status Print(const Invocation& invocation);

// How many nodes may hold replicas of one group, and how many groups may be named.
inline constexpr uint64_t kMembersMax = 15;
inline constexpr uint64_t kGroupsMax = 4096;
// Node ids and gids: from 1, and exact in JavaScript.
inline constexpr uint64_t kNodeIdMax = (uint64_t{1} << 53) - 1;
inline constexpr uint32_t kShardsMax = shardkv::kShardsMax;

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_OPTIONS_H_
