// How a node's gRPC front behaves.
#ifndef LOCKSTEP_NET_RPC_OPTIONS_H_
#define LOCKSTEP_NET_RPC_OPTIONS_H_

#include <cstdint>
#include <memory>

#include "net/access/guard.h"
#include "net/client/exchange.h"
#include "net/metrics/slow_requests.h"
#include "net/tls/tls_credentials.h"

namespace lockstep::net {

struct RpcOptions {
  // Connections. More are closed.
  uint32_t connections_max = 4096;
  uint32_t connections_per_address_max = 512;     // of them
  uint64_t message_bytes_max = kMessageBytesMax;  // of a request
  // Calls under way (but for those on streams), and the bytes of their requests; more are refused
  // (OVERLOADED), but for one alone.
  uint32_t calls_max = 8192;
  uint64_t calls_bytes_max = uint64_t{512} << 20;
  // Streams of client libraries (lockstep.v1.Direct); more are refused.
  uint32_t streams_max = 4096;
  // Of one stream: calls not answered, their bytes, and the bytes of answers that the peer has not
  // taken. While any is exceeded nothing is read.
  uint32_t stream_calls_max = 8192;
  uint64_t stream_calls_bytes_max = uint64_t{64} << 20;
  uint64_t stream_answers_bytes_max = uint64_t{64} << 20;
  // Of a connection, TLS included.
  uint32_t handshake_ms_max = 10'000;

  // Of this node: callers speak TLS, and show certificates as is demanded. Null: plain text.
  std::shared_ptr<const TlsStore> tls;
  TlsDemand tls_demand = TlsDemand::kVerified;
  // Who may do what.
  std::shared_ptr<const Guard> guard = std::make_shared<const Guard>();
  // Where calls that took long are told; shared with the node's other front. None: nowhere. Calls
  // on streams are not timed by stages.
  std::shared_ptr<SlowRequests> slow = {};
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_OPTIONS_H_
