#include "net/seed.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/node/channel.h"
#include "net/connection.h"
#include "net/handshake.h"
#include "net/uv_handles.h"

namespace lockstep::net {
namespace {

absl::StatusOr<proto::Welcome> Judge(const std::string& address, FrameKind kind,
                                     const Bytes& payload) {
  absl::StatusOr<proto::Welcome> welcome = absl::InvalidArgumentError("no welcome");
  if (kind == FrameKind::kWelcome) welcome = ReadWelcome(payload);
  if (!welcome.ok()) {
    return absl::UnavailableError(absl::StrCat(address, " answers, but not as a lockstep node"));
  }
  if (welcome->refusal() != proto::WELCOME) return absl::PermissionDeniedError(welcome->advice());
  return welcome;
}

}  // namespace

absl::StatusOr<proto::Welcome> AskSeed(const std::string& address, const std::string& cluster,
                                       const proto::NodeAddress& self,
                                       std::chrono::milliseconds patience, size_t attempt,
                                       std::shared_ptr<const TlsCredentials> credentials) {
  Loop loop;
  TransportCounters counters;
  std::optional<absl::StatusOr<proto::Welcome>> answer;
  std::unique_ptr<Connection> connection;
  Connection::Events events;
  events.connected = [&] {
    if (connection->certified() != nullptr && !IsNode(*connection->certified())) {
      answer = absl::PermissionDeniedError(
          absl::StrCat(address, " shows a certificate that is no node's of this cluster"));
      return;
    }
    const proto::Hello hello = MakeHello(cluster, self, NodeId(), node::Channel::kBulk);
    connection->Send(FrameKind::kHello, Bytes::Copy(hello.SerializeAsString()));
    connection->Flush();
  };
  events.frame = [&](FrameKind kind, Bytes payload) {
    answer = Judge(address, kind, payload);
    return false;
  };
  events.closed = [&](absl::Status why) {
    if (answer.has_value()) return;
    const std::string text = absl::StrCat(address, ": ", why.message());
    // Whoever does not trust this node's certificate, or is not to be trusted, will not later.
    const bool for_good = absl::IsUnauthenticated(why);
    answer = for_good ? absl::PermissionDeniedError(text) : absl::UnavailableError(text);
  };
  connection = std::make_unique<Connection>(loop.get(), std::move(events), Connection::Limits(),
                                            counters, std::move(credentials));
  Timer timer(loop.get(), [&] {
    if (!answer.has_value()) {
      answer = absl::UnavailableError(absl::StrCat(address, ": no answer in time"));
    }
  });
  timer.Start(patience);
  connection->Connect(address, attempt);
  while (!answer.has_value()) uv_run(loop.get(), UV_RUN_ONCE);
  return *std::move(answer);
}

}  // namespace lockstep::net
