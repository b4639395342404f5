// One thread that does what the loop thread must not: parse, serialise, and speak to gRPC.
#ifndef LOCKSTEP_NET_RPC_WORKER_H_
#define LOCKSTEP_NET_RPC_WORKER_H_

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace lockstep::net {

// Thread-safe. Tasks run one after the other, in the order they came. There is no limit of its own:
// each call under way has at most one task here, and those are limited.
class Worker {
 public:
  using Task = absl::AnyInvocable<void()>;

  Worker();
  ~Worker();  // stops
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // After Stop the task is dropped.
  void Post(Task task);
  // Runs what has come so far, and ends the thread. Again: no effect. Not from a task.
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Task> tasks_;  // guarded by mutex_, like the next two
  bool waiting_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_WORKER_H_
