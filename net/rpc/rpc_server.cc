#include "net/rpc/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/client/grpc_library.h"
#include "net/rpc/awake_pollers.h"
#include "net/rpc/gate.h"
#include "net/rpc/listener.h"
#include "net/rpc/services.h"
#include "net/rpc/tls_server_credentials.h"

namespace lockstep::net {
namespace {

// For last answers to be written.
constexpr std::chrono::milliseconds kFarewell{20};
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr const char* kServices[] = {"lockstep.v1.KV", "lockstep.v1.Cluster", "lockstep.v1.Direct"};

// Few threads: what serves our services are gRPC's two or so pollers; the synchronous ones are for
// reflection alone.
void LimitThreads(grpc::ServerBuilder& builder) {
  using Option = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Option::NUM_CQS, 1);
  builder.SetSyncServerOption(Option::MIN_POLLERS, 1);
  builder.SetSyncServerOption(Option::MAX_POLLERS, 2);
  grpc::ResourceQuota quota("lockstep");
  quota.SetMaxThreads(4);
  builder.SetResourceQuota(quota);
}

void SetChannelArguments(grpc::ServerBuilder& builder, const RpcOptions& options) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(options.handshake_ms_max));
  // Peers that have vanished are noticed; client libraries ask about as often.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
}

// gRPC's own pings come while there are calls; a peer that vanishes between two of them would keep
// its place among the connections for ever.
void NoticeVanishing(int connection) {
  constexpr int kOn = 1;
  constexpr int kAfterSeconds = 20;
  constexpr int kEverySeconds = 5;
  setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof(kOn));
  setsockopt(connection, IPPROTO_TCP, TCP_KEEPIDLE, &kAfterSeconds, sizeof(kAfterSeconds));
  setsockopt(connection, IPPROTO_TCP, TCP_KEEPINTVL, &kEverySeconds, sizeof(kEverySeconds));
  // Bytes, or questions, that were not acknowledged for so long tell that the peer has gone.
  setsockopt(connection, IPPROTO_TCP, TCP_USER_TIMEOUT, &kKeepaliveTimeoutMs,
             sizeof(kKeepaliveTimeoutMs));
}

}  // namespace

class RpcServer::Parts {
 public:
  Parts(Service& service, const RpcOptions& options, std::shared_ptr<NodeMetrics> metrics)
      : gate_(std::make_shared<Gate>(service, options, std::move(metrics))),
        credentials_(options.tls == nullptr
                         ? grpc::InsecureServerCredentials()
                         : TlsServerCredentials(options.tls, options.tls_demand)),
        kv_(MakeKvService(gate_)),
        cluster_(MakeClusterService(gate_)),
        direct_(MakeDirectService(gate_)) {
    client::KeepGrpc();
  }

  // Serves who connects to this. False: gRPC would not, and has written why.
  bool Start(std::unique_ptr<Listener> listener) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    LimitThreads(builder);
    SetChannelArguments(builder, gate_->options());
    acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials_);
    builder.RegisterService(kv_.get());
    builder.RegisterService(cluster_.get());
    builder.RegisterService(direct_.get());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return false;
    awake_ = std::make_unique<AwakePollers>();
    listener_ = std::move(listener);
    listener_->Run(
        ConnectionCensus(gate_->options().connections_max,
                         gate_->options().connections_per_address_max),
        [this](int socket, UniqueFd connection) { Take(socket, std::move(connection)); },
        [this] { gate_->metrics().ConnectionRefused("grpc"); });
    return true;
  }

  void SetServing(bool serving) {
    grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
    Check(health != nullptr);
    for (const char* service : kServices) health->SetServingStatus(service, serving);
    health->SetServingStatus("", serving);
  }

  void Shutdown(std::chrono::milliseconds patience) {
    if (server_ == nullptr) return;
    SetServing(false);
    gate_->Drain();
    gate_->AwaitEmpty(patience);
    listener_->Stop();
    // What is left now are calls to be cancelled, and watchers of health, who would never go.
    server_->Shutdown(std::chrono::system_clock::now() + kFarewell);
    gate_->worker().Stop();
    server_.reset();
  }

 private:
  void Take(int socket, UniqueFd connection) {
    NoticeVanishing(connection.get());
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters taken;
    taken.listener_fd = socket;
    taken.fd = connection.Release();
    acceptor_->HandleNewConnection(&taken);
  }

  const std::shared_ptr<Gate> gate_;
  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  const std::unique_ptr<grpc::Service> kv_;
  const std::unique_ptr<grpc::Service> cluster_;
  const std::unique_ptr<grpc::Service> direct_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<AwakePollers> awake_;
  std::unique_ptr<Listener> listener_;
};

RpcServer::RpcServer(Service& service, RpcOptions options, std::shared_ptr<NodeMetrics> metrics)
    : service_(service), options_(options), metrics_(std::move(metrics)) {}
RpcServer::~RpcServer() { Shutdown(std::chrono::milliseconds(0)); }

absl::Status RpcServer::Start(absl::string_view address) {
  Check(parts_ == nullptr, "a server starts once");
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Open(address);
  if (!listener.ok()) return listener.status();
  const uint16_t port = (*listener)->port();
  auto parts = std::make_unique<Parts>(service_, options_, metrics_);
  if (!parts->Start(*std::move(listener))) {
    return absl::UnavailableError(absl::StrCat(
        "cannot serve gRPC on ", address, ": gRPC does not start; its own lines above say why"));
  }
  parts_ = std::move(parts);
  address_ = absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
  SetServing(true);
  return absl::OkStatus();
}

void RpcServer::SetServing(bool serving) { parts_->SetServing(serving); }

void RpcServer::Shutdown(std::chrono::milliseconds patience) {
  if (parts_ == nullptr) return;
  parts_->Shutdown(patience);
  parts_.reset();
}

}  // namespace lockstep::net
