// The one thread of a Store: the router, what it waits for, and the carrier that drives it all.
//
// Callers put work into a queue. They ring the alarm only when the thread may be about to wait, and
// never twice before it has heard, so that many calls cost one wake.
#ifndef LOCKSTEP_NET_CLIENT_ENGINE_H_
#define LOCKSTEP_NET_CLIENT_ENGINE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "core/client/router.h"
#include "net/client/carrier.h"
#include "net/client/cluster_calls.h"
#include "net/client/directory.h"
#include "net/client/operations.h"
#include "net/client/store_types.h"

namespace lockstep::client {

class Engine final : private CarrierListener {
 public:
  using OperationDone = absl::AnyInvocable<void(Outcome)>;
  using Kind = ClusterCalls::Kind;

  // REQUIRES: ValidateStoreOptions(options).ok().
  explicit Engine(StoreOptions options);
  ~Engine() override;  // closes, with no patience

  const StoreOptions& options() const { return options_; }

  // Any thread. `done` is called once, on the engine's thread; after Close on the caller's.
  void Submit(Operation operation, Instant deadline, OperationDone done);
  struct Request {
    std::vector<std::string> servers = {};  // none: any
    std::string method;
    Kind kind = Kind::kReads;
    Bytes request = {};
    Instant deadline;
    ClusterCalls::Done done;
  };
  void Call(Request request);

  absl::Status WaitReady(Duration timeout);
  void Close(Duration patience);
  uint64_t unfinished() const { return unfinished_.load(std::memory_order_relaxed); }
  bool OnEngineThread() const { return std::this_thread::get_id() == thread_id_.load(); }

 private:
  struct Submission {
    Operation operation;
    Instant deadline;
    OperationDone done;
    uint64_t bytes = 0;
    bool refused = false;  // there was no room for it; `operation` is gone
  };
  struct UnderWay {
    OperationDone done;
    uint64_t bytes = 0;
    bool writes = false;
  };

  // engine.cc: the thread, the queue and the operations.
  void Run();
  void Turn();
  void TakeQueued();
  Instant IdleUntil();
  void Begin(Submission submission);
  void Invoke(Submission submission);
  void ExpireWaiting(Instant now);
  void Begin(Request request);
  void StepRouter(Input input);
  void CarryOut();
  void Finish(uint64_t id, Outcome outcome);
  void Complete(UnderWay operation, Outcome outcome);
  void OnAnswer(uint64_t id, absl::string_view reply) override;
  void OnLost(const Lost& lost) override;
  void WakeLocked(std::unique_lock<std::mutex>* lock);

  // engine_nodes.cc: who the nodes are, and the end.
  void KeepDiscovering(Instant now);
  void OnStatus(const absl::StatusOr<Bytes>& answer);
  void OnNotAdmitted(const absl::Status& status);
  void Learn(const v1::StatusResponse& status);
  void TellControllers();
  void NoteProblem(const std::string& problem);
  bool TimeToClose();
  void EndAll();
  void LeaveSessions();
  void AwaitAlarm();

  const StoreOptions options_;

  std::mutex mutex_;  // guards the members up to the next blank line
  std::condition_variable changed_;
  std::vector<Submission> submissions_;
  std::vector<Request> requests_;
  bool idle_ = false;     // the thread waits, or is about to
  bool ringing_ = false;  // the alarm is set, and the thread has not heard it
  bool ready_ = false;
  bool closed_ = false;  // nothing is taken any more
  std::optional<Instant> close_by_;
  std::string problem_;                       // why the nodes are not known
  std::optional<absl::Status> not_admitted_;  // to those who know them, as it was said last

  std::atomic<uint64_t> unfinished_{0};
  std::atomic<uint64_t> unfinished_bytes_{0};

  // The thread's own.
  Carrier carrier_;
  ClusterCalls calls_;
  Directory directory_;
  std::unique_ptr<Router> router_;  // once the nodes are known
  Instant now_;
  Instant router_wake_at_ = kNever;
  Output output_;
  std::deque<AttemptId> undeliverable_;
  std::vector<Submission> taken_;
  std::deque<Submission> waiting_;  // for the router, in the order of their coming
  Instant waiting_until_ = kNever;
  uint64_t last_operation_ = 0;
  absl::flat_hash_map<uint64_t, UnderWay> operations_;
  bool discovery_wanted_ = true;
  bool discovering_ = false;
  Instant discover_at_;
  Duration discover_pause_ = {};

  std::mutex close_mutex_;  // one Close at a time
  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_ENGINE_H_
