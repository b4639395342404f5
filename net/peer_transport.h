// The way to the peers over TCP (libuv). Loop thread only.
//
// Each node dials every node that it knows, and sends only on connections that it has dialled: one
// for each channel (core/node/channel.h). A connection begins with Hello and Welcome: cluster,
// node, incarnation and version must fit, or it is refused with advice for the operator. The
// address book spreads with the handshakes.
//
// A dialled connection that breaks is dialled again, after a pause that doubles.
#ifndef LOCKSTEP_NET_PEER_TRANSPORT_H_
#define LOCKSTEP_NET_PEER_TRANSPORT_H_

#include <uv.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/node/channel.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "core/proto/transport.pb.h"
#include "core/runtime/host.h"
#include "net/address_book.h"
#include "net/connection.h"
#include "net/handshake.h"
#include "net/log.h"
#include "net/tls/tls_credentials.h"
#include "net/uv_handles.h"

namespace lockstep::net {

struct PeerTransportOptions {
  std::string cluster;
  std::string listen;  // host:port
  Connection::Limits limits;
  std::chrono::milliseconds handshake_max{5000};  // to connect, say hello and be welcomed
  std::chrono::milliseconds ping_after{15000};    // of silence on a dialled connection
  std::chrono::milliseconds idle_max{60000};      // of silence on an accepted one
  std::chrono::milliseconds pause_min{20};        // before dialling again
  std::chrono::milliseconds pause_max{1000};
  size_t accepted_max = 4096;             // connections
  size_t accepted_per_address_max = 512;  // of them, from one address
  // Of this node: peers speak TLS, and each shows that it is who it says. Null: plain text.
  std::shared_ptr<const TlsStore> tls;
};

class PeerTransport final : public Transport {
 public:
  struct Events {
    std::function<void(NodeId from, Bytes message)> message;
    std::function<void(NodeId peer, bool up)> link;
    // A node refuses this one, and will go on doing so: the operator has to act.
    std::function<void(NodeId peer, proto::Refusal refusal, const std::string& advice)> refused;
  };

  // `book` holds those that are to be dialled; it outlives the transport.
  PeerTransport(uv_loop_t* loop, const PeerTransportOptions& options, AddressBook& book,
                Events events, LogSink log, Rng rng);
  ~PeerTransport() override;

  // AlreadyExists: the port is taken.
  absl::Status Listen();
  // Begins to dial. After Listen.
  void Start(Introduction introduction);
  // No more dialling, no more events.
  void Stop();

  void Send(NodeId to, Bytes message) override { SendParcel(to, {std::move(message), Bytes()}); }
  void SendParcel(NodeId to, Parcel message) override;
  // At the end of a turn: what was sent leaves.
  void Flush();

  const std::string& listen_address() const { return listening_at_; }
  const TransportCounters& counters() const { return counters_; }
  uint64_t connected() const;  // nodes with a control connection
  // How often one has welcomed this node on its control channel.
  uint64_t welcomes() const { return welcomes_; }
  // How the way to each known node is; ascending.
  std::vector<lockstep::v1::PeerLink> Links() const;

 private:
  struct Dialled {  // one channel of one peer
    std::unique_ptr<Connection> connection;
    bool welcome = false;
    size_t attempts = 0;                 // since the last welcome
    Instant dial_at = Instant();         // not before
    Instant give_up_at = kNever;         // of the handshake
    std::chrono::milliseconds pause{0};  // before the next dial
  };
  struct Peer {
    std::array<Dialled, node::kChannels> channels;
    std::string complaint;  // logged last
  };
  struct Accepted {
    std::unique_ptr<Connection> connection;
    std::string address;  // without the port
    NodeId from;          // none: has not said hello
    node::Channel channel = node::Channel::kControl;
  };

  Instant Now() const;
  std::shared_ptr<const TlsCredentials> Credentials() const;
  void Tick();
  bool IsWhole() const;
  FrameHeader HeaderOf(const Parcel& message);
  void DialDue();
  void Dial(NodeId node, node::Channel channel);
  void OnConnected(NodeId node, node::Channel channel);
  bool OnWelcome(NodeId node, node::Channel channel, FrameKind kind, const Bytes& payload);
  void OnDialledClosed(NodeId node, node::Channel channel, const absl::Status& why);
  void Complain(NodeId node, const std::string& complaint);

  void OnIncoming();
  bool HasRoomFor(const std::string& address) const;
  bool OnAcceptedFrame(uint64_t id, FrameKind kind, Bytes payload);
  bool OnHello(uint64_t id, const Bytes& payload);
  void OnAcceptedClosed(uint64_t id, const absl::Status& why);
  bool HasAccepted(NodeId from, node::Channel channel) const;
  void CloseIdle();

  void Log(LogLevel level, absl::string_view text, std::vector<LogField> fields) const;

  uv_loop_t* loop_;
  const PeerTransportOptions options_;
  Introduction introduction_;
  AddressBook& book_;
  const Events events_;
  const LogSink log_;
  Rng rng_;
  TransportCounters counters_;
  uint64_t welcomes_ = 0;
  Parcel last_large_;  // of this turn
  FrameHeader last_large_header_;
  std::string listening_at_;
  uv_tcp_t* listener_ = nullptr;
  std::unique_ptr<Timer> tick_;
  std::map<NodeId, Peer> peers_;  // places are stable: events refer to them
  std::map<uint64_t, Accepted> accepted_;
  uint64_t last_accepted_ = 0;
  // Closed within one of their own events: destroyed at the end of the turn.
  std::vector<std::unique_ptr<Connection>> closed_;
  bool stopped_ = false;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_PEER_TRANSPORT_H_
