#include "net/seed.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/node/channel.h"
#include "net/connection.h"
#include "net/peer_transport.h"
#include "net/uv_handles.h"

namespace lockstep::net {
namespace {

proto::Hello MakeHello(const std::string& cluster, const proto::NodeAddress& self) {
  proto::Hello hello;
  hello.set_version(kPeerProtocolVersion);
  hello.set_cluster(cluster);
  *hello.mutable_from() = self;
  hello.set_channel(static_cast<uint32_t>(node::Channel::kBulk));
  return hello;
}

absl::StatusOr<proto::Welcome> Judge(const std::string& address, FrameKind kind,
                                     const Bytes& payload) {
  proto::Welcome welcome;
  if (kind != FrameKind::kWelcome ||
      !welcome.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return absl::UnavailableError(absl::StrCat(address, " answers, but not as a lockstep node"));
  }
  if (welcome.refusal() != proto::WELCOME) return absl::PermissionDeniedError(welcome.advice());
  return welcome;
}

}  // namespace

absl::StatusOr<proto::Welcome> AskSeed(const std::string& address, const std::string& cluster,
                                       const proto::NodeAddress& self,
                                       std::chrono::milliseconds patience) {
  const absl::StatusOr<SocketAddress> resolved = ResolveAddress(address);
  if (!resolved.ok()) return resolved.status();
  Loop loop;
  TransportCounters counters;
  std::optional<absl::StatusOr<proto::Welcome>> answer;
  std::unique_ptr<Connection> connection;
  Connection::Events events;
  events.connected = [&] {
    const proto::Hello hello = MakeHello(cluster, self);
    connection->Send(FrameKind::kHello, Bytes::Copy(hello.SerializeAsString()));
    connection->Flush();
  };
  events.frame = [&](FrameKind kind, Bytes payload) {
    answer = Judge(address, kind, payload);
    return false;
  };
  events.closed = [&](absl::Status why) {
    if (answer.has_value()) return;
    answer = absl::UnavailableError(absl::StrCat(address, ": ", why.message()));
  };
  connection =
      std::make_unique<Connection>(loop.get(), std::move(events), Connection::Limits(), counters);
  Timer timer(loop.get(), [&] {
    if (!answer.has_value()) {
      answer = absl::UnavailableError(absl::StrCat(address, ": no answer in time"));
    }
  });
  timer.Start(patience);
  connection->Connect(*resolved);
  while (!answer.has_value()) uv_run(loop.get(), UV_RUN_ONCE);
  return *std::move(answer);
}

}  // namespace lockstep::net
