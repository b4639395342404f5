#include "net/peer_transport.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::net {
namespace {

// How often dials and deadlines are looked at: seldom when everybody is connected.
constexpr std::chrono::milliseconds kTick{20};
constexpr std::chrono::milliseconds kQuietTick{500};
constexpr int kBacklog = 512;

}  // namespace

PeerTransport::PeerTransport(uv_loop_t* loop, const PeerTransportOptions& options,
                             AddressBook& book, Events events, LogSink log, Rng rng)
    : loop_(loop),
      options_(options),
      book_(book),
      events_(std::move(events)),
      log_(std::move(log)),
      rng_(rng) {}

PeerTransport::~PeerTransport() {
  Stop();
  if (listener_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(listener_),
           [](uv_handle_t* closed) { delete reinterpret_cast<uv_tcp_t*>(closed); });
}

std::shared_ptr<const TlsCredentials> PeerTransport::Credentials() const {
  return options_.tls == nullptr ? nullptr : options_.tls->Current();
}

Instant PeerTransport::Now() const { return Instant(Duration(static_cast<int64_t>(uv_hrtime()))); }

void PeerTransport::Log(LogLevel level, absl::string_view text,
                        std::vector<LogField> fields) const {
  if (log_) log_(level, "peer", text, fields);
}

absl::Status PeerTransport::Listen() {
  const absl::StatusOr<SocketAddress> address = ResolveAddress(options_.listen);
  if (!address.ok()) return address.status();
  listener_ = new uv_tcp_t;
  CheckEq(uv_tcp_init(loop_, listener_), 0);
  listener_->data = this;
  int failed = uv_tcp_bind(listener_, address->get(), 0);
  if (failed == 0) {
    failed = uv_listen(reinterpret_cast<uv_stream_t*>(listener_), kBacklog,
                       [](uv_stream_t* listener, int status) {
                         if (status == 0) static_cast<PeerTransport*>(listener->data)->OnIncoming();
                       });
  }
  if (failed != 0) return UvError(options_.listen, failed);
  listening_at_ = AddressOf(listener_);
  return absl::OkStatus();
}

void PeerTransport::Start(Introduction introduction) {
  introduction_ = std::move(introduction);
  if (introduction_.self.peer().empty()) introduction_.self.set_peer(listening_at_);
  Check(book_.Introduce(introduction_.self));
  tick_ = std::make_unique<Timer>(loop_, [this] { Tick(); });
  Tick();
}

void PeerTransport::Stop() {
  stopped_ = true;
  tick_.reset();
  peers_.clear();
  accepted_.clear();
  closed_.clear();
}

void PeerTransport::Tick() {
  DialDue();
  CloseIdle();
  tick_->Start(IsWhole() ? kQuietTick : kTick);
}

bool PeerTransport::IsWhole() const {
  for (const auto& [node, peer] : peers_) {
    for (const Dialled& dialled : peer.channels) {
      if (!dialled.welcome) return false;
    }
  }
  return true;
}

uint64_t PeerTransport::connected() const {
  uint64_t count = 0;
  for (const auto& [node, peer] : peers_) count += peer.channels[0].welcome ? 1u : 0u;
  return count;
}

std::vector<lockstep::v1::PeerLink> PeerTransport::Links() const {
  std::vector<lockstep::v1::PeerLink> links;
  for (const auto& [node, peer] : peers_) {
    lockstep::v1::PeerLink& link = links.emplace_back();
    link.set_node(node.value());
    const Dialled& control = peer.channels[0];
    link.set_connected(control.welcome);
    if (control.welcome) {
      link.set_round_trip_us(static_cast<uint64_t>(control.connection->RoundTrip().count()));
    }
    uint64_t queued = 0;
    for (const Dialled& dialled : peer.channels) {
      if (dialled.connection != nullptr) queued += dialled.connection->queued_bytes();
    }
    link.set_queued_bytes(queued);
  }
  return links;
}

// --- Sending

void PeerTransport::SendParcel(NodeId to, Parcel message) {
  if (stopped_) return;
  const node::Channel channel = node::ChannelOf(message.head.view(), message.size());
  const auto found = peers_.find(to);
  if (found == peers_.end()) {
    ++counters_.messages_dropped;
    return;
  }
  Dialled& dialled = found->second.channels[static_cast<size_t>(channel)];
  if (dialled.welcome) {
    const FrameHeader header = HeaderOf(message);
    if (dialled.connection->Send(header, std::move(message))) {
      ++counters_.messages_sent;
      return;
    }
  }
  ++counters_.messages_dropped;
}

// A leader sends the same message to all followers: a large one is summed up once.
FrameHeader PeerTransport::HeaderOf(const Parcel& message) {
  const auto make = [&message] {
    return MakeFrameHeader(FrameKind::kMessage, message.head.view(), message.tail.view());
  };
  if (message.tail.empty()) return make();
  const bool same = message.head.data() == last_large_.head.data() &&
                    message.tail.data() == last_large_.tail.data() &&
                    message.size() == last_large_.size();
  if (!same) {
    last_large_header_ = make();
    last_large_ = message;
  }
  return last_large_header_;
}

void PeerTransport::Flush() {
  last_large_ = Parcel();
  for (auto& [node, peer] : peers_) {
    for (Dialled& dialled : peer.channels) {
      if (dialled.welcome) dialled.connection->Flush();
    }
  }
  closed_.clear();
}

// --- Dialling

void PeerTransport::DialDue() {
  if (tick_ == nullptr || stopped_) return;
  const Instant now = Now();
  for (const proto::NodeAddress& address : book_.All()) {
    if (address.node() == introduction_.self.node() || address.peer().empty()) continue;
    Peer& peer = peers_[NodeId(address.node())];
    for (int i = 0; i < node::kChannels; ++i) {
      const auto channel = static_cast<node::Channel>(i);
      Dialled& dialled = peer.channels[static_cast<size_t>(i)];
      if (dialled.connection == nullptr && now >= dialled.dial_at) {
        Dial(NodeId(address.node()), channel);
      } else if (dialled.connection != nullptr && now >= dialled.give_up_at) {
        dialled.connection->Close(absl::DeadlineExceededError("no welcome in time"));
      } else if (dialled.welcome && dialled.connection->WriteIdle() >= options_.ping_after) {
        dialled.connection->Send(FrameKind::kPing, Bytes());
        dialled.connection->Flush();
      }
    }
  }
}

void PeerTransport::Dial(NodeId node, node::Channel channel) {
  Dialled& dialled = peers_.at(node).channels[static_cast<size_t>(channel)];
  dialled.give_up_at = Now() + options_.handshake_max;
  Connection::Events events;
  events.connected = [this, node, channel] { OnConnected(node, channel); };
  events.frame = [this, node, channel](FrameKind kind, Bytes payload) {
    return OnWelcome(node, channel, kind, payload);
  };
  events.closed = [this, node, channel](absl::Status why) { OnDialledClosed(node, channel, why); };
  dialled.connection = std::make_unique<Connection>(loop_, std::move(events), options_.limits,
                                                    counters_, Credentials());
  dialled.connection->Connect(book_.Find(node)->peer(), dialled.attempts++);
}

void PeerTransport::OnConnected(NodeId node, node::Channel channel) {
  Dialled& dialled = peers_.at(node).channels[static_cast<size_t>(channel)];
  proto::Hello hello = MakeHello(options_.cluster, introduction_.self, node, channel);
  for (const proto::NodeAddress& known : book_.All()) *hello.add_book() = known;
  dialled.connection->Send(FrameKind::kHello, Bytes::Copy(hello.SerializeAsString()));
  dialled.connection->Flush();
}

bool PeerTransport::OnWelcome(NodeId node, node::Channel channel, FrameKind kind,
                              const Bytes& payload) {
  Dialled& dialled = peers_.at(node).channels[static_cast<size_t>(channel)];
  if (kind == FrameKind::kPing) return true;
  const bool awaited = kind == FrameKind::kWelcome && !dialled.welcome;
  const absl::StatusOr<proto::Welcome> welcome =
      awaited ? ReadWelcome(payload) : absl::InvalidArgumentError("it answers with something else");
  if (!welcome.ok()) {
    dialled.connection->Close(welcome.status());
    return false;
  }
  if (welcome->refusal() != proto::WELCOME) {
    const std::string& advice = welcome->advice();
    dialled.connection->Close(absl::PermissionDeniedError(advice));
    Complain(node, absl::StrCat("refused: ", advice));
    events_.refused(node, welcome->refusal(), advice);
    return false;
  }
  absl::Status taken = CheckCertificate(dialled.connection->certified(), node);
  if (taken.ok()) {
    taken = TakeWelcome(*welcome, node, NodeId(introduction_.self.node()), book_);
  }
  if (!taken.ok()) {
    dialled.connection->Close(taken);
    Complain(node, std::string(taken.message()));
    return false;
  }
  dialled.welcome = true;
  dialled.attempts = 0;
  dialled.give_up_at = kNever;
  dialled.pause = std::chrono::milliseconds(0);
  dialled.connection->set_payload_bytes_max(kHandshakeBytesMax);
  if (channel != node::Channel::kControl) return true;
  ++welcomes_;
  peers_.at(node).complaint.clear();
  Log(LogLevel::kInfo, "connected",
      {{"node", absl::StrCat(node.value())}, {"address", dialled.connection->peer_address()}});
  events_.link(node, true);
  return true;
}

void PeerTransport::OnDialledClosed(NodeId node, node::Channel channel, const absl::Status& why) {
  Peer& peer = peers_.at(node);
  Dialled& dialled = peer.channels[static_cast<size_t>(channel)];
  const bool was_up = std::exchange(dialled.welcome, false);
  closed_.push_back(std::move(dialled.connection));
  dialled.give_up_at = kNever;
  const auto pause = std::clamp(dialled.pause * 2, options_.pause_min, options_.pause_max);
  dialled.pause = absl::IsPermissionDenied(why) ? options_.pause_max * 5 : pause;
  const Duration drawn = rng_.Between(Duration(dialled.pause) / 2, Duration(dialled.pause));
  dialled.dial_at = Now() + drawn;
  if (tick_ != nullptr) tick_->Start(kTick);
  if (channel != node::Channel::kControl) return;
  if (!was_up) return Complain(node, absl::StrCat("cannot connect: ", why.message()));
  Log(LogLevel::kWarn, "connection lost",
      {{"node", absl::StrCat(node.value())}, {"why", std::string(why.message())}});
  events_.link(node, false);
}

// The same trouble once, not once for each attempt.
void PeerTransport::Complain(NodeId node, const std::string& complaint) {
  Peer& peer = peers_.at(node);
  if (peer.complaint == complaint) return;
  peer.complaint = complaint;
  const proto::NodeAddress* address = book_.Find(node);
  Log(LogLevel::kWarn, complaint,
      {{"node", absl::StrCat(node.value())},
       {"address", address == nullptr ? "" : address->peer()}});
}

}  // namespace lockstep::net
