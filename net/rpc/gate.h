// What all calls at a gRPC front share: the way to the node's process, the thread that answers, and
// how much may be under way.
//
// Calls keep it alive, since answers may come when the server has gone. Thread-safe.
#ifndef LOCKSTEP_NET_RPC_GATE_H_
#define LOCKSTEP_NET_RPC_GATE_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "net/access/door.h"
#include "net/metrics/node_metrics.h"
#include "net/rpc/direct_series.h"
#include "net/rpc/options.h"
#include "net/rpc/worker.h"
#include "net/service.h"

namespace lockstep::net {

class ExchangeStream;

class Gate {
 public:
  Gate(Service& service, const RpcOptions& options, std::shared_ptr<NodeMetrics> metrics)
      : options_(options),
        door_(service, options.guard),
        metrics_(std::move(metrics)),
        direct_(*metrics_) {}

  const RpcOptions& options() const { return options_; }
  Door& door() { return door_; }
  Worker& worker() { return worker_; }
  NodeMetrics& metrics() { return *metrics_; }
  DirectSeries& direct() { return direct_; }
  // Calls on streams that are not answered. Thread-safe.
  std::atomic<uint64_t>& stream_calls() { return stream_calls_; }

  // A place for a call with a request of so many bytes; an error: there is none.
  absl::Status Enter(uint64_t bytes);
  // The caller has its answer, or has gone.
  void Leave();
  // The node is done with its request: for one that has gone, that may be later.
  void Free(uint64_t bytes);

  // The streams that are open, so that they can be ended.
  absl::Status Enter(ExchangeStream* stream);
  void Leave(ExchangeStream* stream);
  // Refuses what is new from now on. Each stream ends when what it has begun is answered.
  void Drain();
  // Until no call and no stream is left. REQUIRES: Drain.
  void AwaitEmpty(std::chrono::milliseconds patience);

 private:
  const RpcOptions options_;
  Door door_;
  const std::shared_ptr<NodeMetrics> metrics_;
  DirectSeries direct_;
  Worker worker_;
  std::atomic<uint64_t> stream_calls_{0};
  std::mutex mutex_;
  std::condition_variable left_;
  uint32_t calls_ = 0;  // guarded by mutex_, like all below
  uint64_t calls_bytes_ = 0;
  absl::flat_hash_set<ExchangeStream*> streams_;
  bool draining_ = false;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_GATE_H_
