// A thread that executes the jobs of one storage lane, first in, first out. Submit hands over under
// a lock that is never held while a job runs.
#ifndef LOCKSTEP_NET_LANE_THREAD_H_
#define LOCKSTEP_NET_LANE_THREAD_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/runtime/storage_job.h"

namespace lockstep::net {

// Executes a job; blocking. Called by one thread of each lane at the same time.
using StorageExecutor = std::function<absl::StatusOr<StorageResult>(const StorageJob& job)>;

class LaneThread {
 public:
  // Runs on the lane's thread.
  using Done = std::function<void(Ticket ticket, absl::StatusOr<StorageResult> result)>;

  // `name` (up to 15 bytes) is what process tools show.
  LaneThread(const std::string& name, StorageExecutor execute, Done done);
  // Finishes the job under way and drops the others.
  ~LaneThread();
  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;

  struct Waiting {
    Ticket ticket;
    StorageJob job;
  };
  // With one hand-over; takes all of `jobs` and leaves it empty. Nothing happens where it is empty.
  void Submit(std::vector<Waiting>& jobs);

 private:
  void Run();

  const StorageExecutor execute_;
  const Done done_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Waiting> queue_;  // guarded by mutex_
  bool stopped_ = false;       // likewise
  std::thread thread_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_LANE_THREAD_H_
