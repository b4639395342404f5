// One TCP connection that carries frames. Loop thread only.
//
// What is sent within a turn leaves with one system call at its end (Flush). While a write is under
// way the next one grows; beyond a bound of bytes frames are dropped, which the network may do
// anyway. With TLS both sides show certificates, and nothing leaves or is believed before they are
// verified (connection_tls.cc).
#ifndef LOCKSTEP_NET_CONNECTION_H_
#define LOCKSTEP_NET_CONNECTION_H_

#include <uv.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/bytes.h"
#include "core/base/parcel.h"
#include "net/framing.h"
#include "net/tls/tls_channel.h"
#include "net/uv_handles.h"

namespace lockstep::net {

// Sums over all connections of a node.
struct TransportCounters {
  uint64_t messages_sent = 0;
  uint64_t messages_received = 0;
  uint64_t messages_dropped = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
};

class Connection {
 public:
  struct Events {
    std::function<void()> connected;  // after Connect; with TLS: and who answers is verified
    // False: nothing more is read.
    std::function<bool(FrameKind kind, Bytes payload)> frame;
    // Once, and nothing after it. The owner may destroy the connection in it.
    std::function<void(absl::Status why)> closed;
  };
  struct Limits {
    uint64_t queue_bytes_max = uint64_t{64} << 20;  // one frame always fits
    std::chrono::milliseconds dead_after{10000};    // sent and not acknowledged by the other side
  };

  // `counters` outlives it. `credentials`: of this node, for TLS; null: without.
  Connection(uv_loop_t* loop, Events events, const Limits& limits, TransportCounters& counters,
             std::shared_ptr<const TlsCredentials> credentials = nullptr);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One of the two, once. An error of Connect comes through `closed`. A name ("host:port") is
  // looked up by another thread; where it has several addresses, each `attempt` takes the next one.
  void Connect(const std::string& address, size_t attempt = 0);
  absl::Status Accept(uv_stream_t* listener);

  // False: dropped, the queue is full.
  bool Send(FrameKind kind, Bytes payload);
  // The same with a header that was made for the payload.
  bool Send(const FrameHeader& header, Parcel payload);
  void Flush();
  // Closes when what was sent has left, or cannot leave.
  void CloseAfterFlush(absl::Status why);
  void Close(absl::Status why);

  void set_payload_bytes_max(uint64_t bytes) { reader_.set_payload_bytes_max(bytes); }
  // Nothing was read, or written, for so long.
  std::chrono::nanoseconds ReadIdle() const;
  std::chrono::nanoseconds WriteIdle() const;
  uint64_t queued_bytes() const { return queued_bytes_; }
  // To the peer and back, smoothed, as the kernel measures it; 0: it has not.
  std::chrono::microseconds RoundTrip() const;
  std::string peer_address() const;
  // Who the other side's certificate says that it is. Null without TLS, and before it is verified.
  const TlsPeer* certified() const;

 private:
  struct Frame {
    FrameHeader header;
    Parcel payload;
  };
  // What libuv refers to. Outlives the connection until libuv has let go of it.
  struct Handle {
    uv_tcp_t tcp;
    uv_connect_t connect;
    Connection* owner;
  };
  struct Lookup {
    uv_getaddrinfo_t request;
    Connection* owner;  // null: it has gone
    std::string address;
    size_t attempt;
  };
  struct Write {
    uv_write_t request;
    Connection* owner;
    std::deque<Frame> frames;
    std::string sealed;         // with TLS, in their place
    uint64_t bytes = 0;         // of the wire
    uint64_t queued_bytes = 0;  // of those that still count as queued
  };

  void ConnectTo(const SocketAddress& address);
  void OnLookedUp(const Lookup& lookup, int status, const addrinfo* found);
  void Begin();
  void OnRead(ssize_t size, const uv_buf_t* buffer);
  absl::Status TakePlain(absl::string_view data);
  void WriteRest(std::vector<uv_buf_t> buffers, uint64_t written, uint64_t rest);
  void Submit(Write* write, const uv_buf_t* buffers, unsigned count);
  void OnWritten(int status);
  void FlushAndDrain();
  // TLS: connection_tls.cc.
  void BeginTls();
  void OnSealed(absl::string_view wire);
  void FlushSealed();
  absl::Status SealSome();
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle_->tcp); }

  Handle* handle_;
  Events events_;
  const Limits limits_;
  TransportCounters& counters_;
  FrameReader reader_;
  std::vector<char> buffer_;      // what is read goes here first
  std::deque<Frame> queue_;       // not handed to libuv
  uint64_t queued_bytes_ = 0;     // in queue_ and in the write under way
  Write* writing_ = nullptr;      // null: none
  Lookup* looking_up_ = nullptr;  // likewise
  const std::shared_ptr<const TlsCredentials> credentials_;
  std::shared_ptr<TlsChannel> tls_;  // null: without
  size_t sealed_ = 0;                // bytes of the queue's first frame that are sealed
  bool dialled_ = false;
  bool announced_ = false;  // `connected` was told, or is not to be
  bool open_ = false;       // connected or accepted
  bool closed_ = false;
  bool draining_ = false;
  absl::Status drain_why_;
  uint64_t read_at_ = 0;  // uv_hrtime
  uint64_t wrote_at_ = 0;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_CONNECTION_H_
