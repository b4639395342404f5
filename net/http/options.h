// The limits and settings of the HTTP front. Every bound has a name here, and what it refuses is
// answered with a typed error that says which one it was.
#ifndef LOCKSTEP_NET_HTTP_OPTIONS_H_
#define LOCKSTEP_NET_HTTP_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/access/guard.h"
#include "net/metrics/slow_requests.h"
#include "net/tls/tls_credentials.h"

namespace lockstep::net {

// All in the units that end their names.
struct HttpOptions {
  // Connections. One beyond connections_max is answered 503 and closed.
  uint32_t connections_max = 1024;
  uint32_t connections_per_address_max = 512;  // of them; more are closed
  uint64_t handshake_ms_max = 10'000;          // of TLS
  uint64_t idle_ms_max = 75'000;               // without a request
  uint64_t header_ms_max = 10'000;  // from a request's first byte until its header is complete
  uint64_t body_ms_max = 300'000;   // until its body is, too
  uint64_t stall_ms_max = 30'000;   // without a byte, in a body or in an answer
  uint64_t linger_ms_max = 2'000;   // for a peer to take the last answer before the close

  // Requests.
  uint32_t header_bytes_max = uint32_t{16} << 10;      // 431
  uint64_t body_bytes_max = uint64_t{96} << 20;        // as sent, and unpacked: 413
  uint64_t outstanding_bytes_max = uint64_t{1} << 30;  // of all bodies and answers: 503
  uint64_t request_timeout_ms = 10'000;                // of a request that names none
  uint64_t request_timeout_ms_max = 300'000;
  // Health and metrics ask this node alone, and its silence is an answer.
  uint64_t status_timeout_ms = 2'000;
  // How much longer than its patience a call of the service may take. Silence after that is
  // answered as such.
  uint64_t answer_grace_ms = 1'000;

  // Answers.
  uint64_t gzip_bytes_min = 1024;
  // Work on more bytes than this is done by libuv's pool: the front thread goes on serving others.
  uint64_t offload_bytes_min = uint64_t{256} << 10;

  // Lists.
  uint32_t list_limit_default = 100;
  uint32_t list_limit_max = 10'000;
  uint64_t list_offset_max = 1'000'000;
  uint64_t list_bytes_max = uint64_t{32} << 20;  // an answer that grows beyond it ends there

  // Of this node: callers speak TLS, and show certificates as is demanded. Null: plain text.
  std::shared_ptr<const TlsStore> tls;
  TlsDemand tls_demand = TlsDemand::kVerified;
  // Who may do what.
  std::shared_ptr<const Guard> guard = std::make_shared<const Guard>();

  // The dashboard. How often the cluster is asked for its status while anybody watches, and
  // otherwise.
  uint64_t dashboard_watched_ms = 1'000;
  uint64_t dashboard_idle_ms = 0;           // never
  uint64_t dashboard_heartbeat_ms = 5'000;  // a stream without news says that it lives
  uint32_t dashboard_streams_max = 32;      // 503

  // Origins of web pages that may use the API, as browsers send them ("https://example.org"), or
  // "*". None: no CORS headers, and no writes from pages of other origins.
  std::vector<std::string> cors_origins;

  // What the metrics say of the node's settings, and what health calls healthy.
  uint64_t heartbeat_ms = 100;
  uint64_t election_timeout_ms = 1000;
  uint64_t disk_free_bytes_min = uint64_t{64} << 20;
  uint64_t quorum_contact_age_ms_max = 5'000;

  // Where requests that took long are told; shared with the node's other front. None: nowhere.
  std::shared_ptr<SlowRequests> slow = {};
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_HTTP_OPTIONS_H_
