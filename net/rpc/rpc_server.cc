#include "net/rpc/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/client/grpc_library.h"
#include "net/rpc/gate.h"
#include "net/rpc/listen_probe.h"
#include "net/rpc/services.h"
#include "net/rpc/tls_server_credentials.h"

namespace lockstep::net {
namespace {

// For last answers to be written.
constexpr std::chrono::milliseconds kFarewell{20};
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
  // Otherwise a second node would share the port of the first, in silence.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(options.handshake_ms_max));
  // Peers that have vanished are noticed; client libraries ask about as often.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
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

  // The port; 0: gRPC refused.
  int Start(const std::string& address) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    LimitThreads(builder);
    SetChannelArguments(builder, gate_->options());
    int port = 0;
    builder.AddListeningPort(address, credentials_, &port);
    builder.RegisterService(kv_.get());
    builder.RegisterService(cluster_.get());
    builder.RegisterService(direct_.get());
    server_ = builder.BuildAndStart();
    return server_ == nullptr ? 0 : port;
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
    // What is left now are calls to be cancelled, and watchers of health, who would never go.
    server_->Shutdown(std::chrono::system_clock::now() + kFarewell);
    gate_->worker().Stop();
    server_.reset();
  }

 private:
  const std::shared_ptr<Gate> gate_;
  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  const std::unique_ptr<grpc::Service> kv_;
  const std::unique_ptr<grpc::Service> cluster_;
  const std::unique_ptr<grpc::Service> direct_;
  std::unique_ptr<grpc::Server> server_;
};

RpcServer::RpcServer(Service& service, RpcOptions options, std::shared_ptr<NodeMetrics> metrics)
    : service_(service), options_(options), metrics_(std::move(metrics)) {}
RpcServer::~RpcServer() { Shutdown(std::chrono::milliseconds(0)); }

absl::Status RpcServer::Start(absl::string_view address) {
  Check(parts_ == nullptr, "a server starts once");
  const absl::Status probe = ProbeListen(address);
  if (!probe.ok()) return probe;
  auto parts = std::make_unique<Parts>(service_, options_, metrics_);
  const std::string wanted(address.data(), address.size());
  const int port = parts->Start(wanted);
  if (port == 0) {
    return absl::AlreadyExistsError(absl::StrCat("cannot listen for gRPC on ", address,
                                                 ": somebody else took it just now; try again"));
  }
  address_ = absl::StrCat(wanted.substr(0, wanted.rfind(':')), ":", port);
  parts_ = std::move(parts);
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
