// Where a node's process runs in production: one loop thread (libuv), one thread for each storage
// lane, and a thread-safe door for the fronts.
//
// The loop thread alone touches the process. What other threads bring waits in a queue under a lock
// that is held for moments only; the loop takes all of it at once. A turn ends when the loop has
// seen to everything that was ready: then effects happen, and each connection gets one write.
#ifndef LOCKSTEP_NET_UV_HOST_H_
#define LOCKSTEP_NET_UV_HOST_H_

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/runtime/host.h"
#include "core/runtime/process.h"
#include "net/address_book.h"
#include "net/lane_thread.h"
#include "net/log.h"
#include "net/peer_transport.h"
#include "net/service.h"
#include "net/uv_handles.h"

namespace lockstep::net {

// What the loop has done so far. Loop thread only.
struct HostCounters {
  uint64_t log_writes = 0;  // jobs of the log lane that are done: one fsync each
  uint64_t calls = 0;
  uint64_t calls_answered = 0;
  std::chrono::nanoseconds calls_time{0};  // from the hand-over to the answer, over all answered
  std::chrono::nanoseconds turn_max{0};    // the longest that the loop was kept busy in one turn
};

class UvHost final : public Service, private Clock, private Disk, private Replies, private Journal {
 public:
  struct Events {
    // The disk failed. Nothing is promised any more; the program ends.
    std::function<void(const absl::Status& status)> disk_failed;
    std::function<void(NodeId peer, proto::Refusal refusal, const std::string& advice)> refused;
  };

  // `book` outlives it, and belongs to the loop thread while Run runs.
  UvHost(const PeerTransportOptions& transport, AddressBook& book, Events events, LogSink log,
         Rng rng);
  ~UvHost() override;

  // Before anything else. AlreadyExists: the port is taken.
  absl::Status Listen() { return transport_.Listen(); }
  // Where: with the real port.
  const std::string& listen_address() const { return transport_.listen_address(); }
  // The process and the executor of its jobs; the process is made on the calling thread, which then
  // calls Run.
  using MakeProcess = std::function<std::unique_ptr<Process>(const Host& host)>;
  void Boot(StorageExecutor execute, Introduction introduction, const MakeProcess& make);
  // The calling thread becomes the loop thread, until Stop.
  void Run();
  // Thread-safe.
  void Stop();

  // The following are thread-safe from the beginning: what comes before Run waits for it.

  // Runs on the loop thread, as an event of its own.
  void Post(std::function<void()> task);
  // What was measured of the data directory's disk.
  void TellSpace(const DiskSpace& space);
  void Call(Bytes request, Done done) override;
  void CallAll(std::vector<std::pair<Bytes, Done>> calls) override;

  // Loop thread only.
  uv_loop_t* loop() { return loop_.get(); }
  const PeerTransport& transport() const { return transport_; }
  const HostCounters& counters() const { return counters_; }

 private:
  struct Completion {
    Lane lane;
    Ticket ticket;
    absl::StatusOr<StorageResult> result;
  };

  struct Waiting {
    Done done;
    Instant since;
  };

  // Host.
  Instant Now() const override { return now_; }
  void WakeAt(Instant when) override;
  Ticket Submit(StorageJob job) override;
  void Reply(RequestId id, Bytes reply) override;
  bool listening() const override { return false; }
  void Record(const Note&) override {}

  void Begin();
  void TakeArrived();
  void OnCompletion(Completion completion);
  void EndTurn();
  void SubmitJobs();
  void AddCompletion(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result);

  Loop loop_;
  const Events events_;
  const LogSink log_;
  Instant now_;
  HostCounters counters_;
  PeerTransport transport_;
  Signal arrived_;
  Timer alarm_;
  TurnHooks hooks_;

  std::mutex mutex_;
  std::vector<Completion> completions_;  // guarded by mutex_, like the next three
  std::vector<std::pair<Bytes, Done>> calls_;
  std::vector<std::function<void()>> tasks_;
  bool raised_ = false;  // arrived_ was raised and not heard

  std::unique_ptr<Process> process_;
  std::unique_ptr<LaneThread> log_lane_;
  std::unique_ptr<LaneThread> table_lane_;
  std::vector<LaneThread::Waiting> log_jobs_;  // of this turn
  std::vector<LaneThread::Waiting> table_jobs_;
  Ticket last_log_ticket_;
  Ticket last_table_ticket_;
  RequestId last_request_;
  std::unordered_map<uint64_t, Waiting> waiting_;  // by RequestId
  bool dirty_ = false;                             // events since the last end of a turn
  bool failed_ = false;
  bool stopping_ = false;
  uint64_t turn_began_ = 0;  // uv_hrtime; 0: no turn is under way
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_UV_HOST_H_
