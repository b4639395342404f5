// The two doors for clients, gRPC and HTTP, as one.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_FRONTS_H_
#define LOCKSTEP_BIN_LOCKSTEPD_FRONTS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "bin/lockstepd_options.h"
#include "bin/lockstepd_security.h"
#include "net/http/http_server.h"
#include "net/log.h"
#include "net/metrics/node_metrics.h"
#include "net/metrics/slow_requests.h"
#include "net/rpc/rpc_server.h"
#include "net/service.h"

namespace lockstep::lockstepd {

class Fronts {
 public:
  // `service` outlives Drain.
  Fronts(const Options& options, const Security& security, net::Service& service,
         const std::shared_ptr<net::NodeMetrics>& metrics, net::LogSink log);

  // Listens; calls wait until the service runs. An error carries its exit code.
  absl::Status Start();
  // What is listened on, with the real ports.
  std::string grpc_address() const { return rpc_.address(); }
  std::string http_address() const { return http_.address(); }

  // How many the cluster has, once that is known.
  void SetShards(uint32_t shards) { slow_->SetShards(shards); }
  // Health checks say from now on that this node is leaving.
  void SayLeaving();
  // No new calls; those under way are answered, for this long at the most. A second one does
  // nothing. Not on the loop thread.
  void Drain(std::chrono::milliseconds patience);

 private:
  const Options& options_;
  const std::shared_ptr<net::SlowRequests> slow_;
  net::RpcServer rpc_;
  net::HttpServer http_;
  bool drained_ = false;
};

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_FRONTS_H_
