#include "bin/lockstepd_fronts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/lockstepd_exit.h"

namespace lockstep::lockstepd {
namespace {

// Whoever opens the dashboard sees the minutes before.
constexpr uint64_t kDashboardIdleMs = 5'000;

net::HttpOptions HttpOptionsOf(const Options& options, const Security& security,
                               std::shared_ptr<net::SlowRequests> slow) {
  net::HttpOptions http;
  http.slow = std::move(slow);
  http.tls = security.tls();
  http.tls_demand = security.demand();
  http.guard = security.guard();
  http.connections_per_address_max = static_cast<uint32_t>(options.connections_per_address_max);
  http.body_bytes_max = options.http_body_bytes_max;
  http.request_timeout_ms = options.request_timeout_ms;
  http.cors_origins = options.http_cors_origins;
  http.heartbeat_ms = options.heartbeat_ms;
  http.election_timeout_ms = options.election_timeout_ms;
  http.dashboard_idle_ms = kDashboardIdleMs;
  return http;
}

net::RpcOptions RpcOptionsOf(const Options& options, const Security& security,
                             std::shared_ptr<net::SlowRequests> slow) {
  net::RpcOptions rpc;
  rpc.connections_per_address_max = static_cast<uint32_t>(options.connections_per_address_max);
  rpc.slow = std::move(slow);
  rpc.tls = security.tls();
  rpc.tls_demand = security.demand();
  rpc.guard = security.guard();
  return rpc;
}

absl::Status InUse(const absl::Status& status) {
  return ExitWith(ExitCode::kAddressInUse,
                  std::string(status.message().data(), status.message().size()));
}

}  // namespace

Fronts::Fronts(const Options& options, const Security& security, net::Service& service,
               const std::shared_ptr<net::NodeMetrics>& metrics, net::LogSink log)
    : options_(options),
      slow_(std::make_shared<net::SlowRequests>(std::chrono::milliseconds(options.slow_request_ms),
                                                std::move(log))),
      rpc_(service, RpcOptionsOf(options, security, slow_), metrics),
      http_(HttpOptionsOf(options, security, slow_), service, metrics) {}

absl::Status Fronts::Start() {
  absl::Status status = rpc_.Start(options_.listen_grpc);
  if (!status.ok()) return InUse(status);
  status = http_.Start(options_.listen_http);
  return status.ok() ? status : InUse(status);
}

void Fronts::SayLeaving() {
  rpc_.SetServing(false);
  http_.SayLeaving();
}

void Fronts::Drain(std::chrono::milliseconds patience) {
  if (std::exchange(drained_, true)) return;
  const auto began = std::chrono::steady_clock::now();
  rpc_.Shutdown(patience);
  const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  http_.Stop(static_cast<uint64_t>(std::max(patience - used, patience / 10).count()));
}

}  // namespace lockstep::lockstepd
