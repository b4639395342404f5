#include "net/lane_thread.h"

#include <pthread.h>

#include <utility>

namespace lockstep::net {

LaneThread::LaneThread(const std::string& name, StorageExecutor execute, Done done)
    : execute_(std::move(execute)), done_(std::move(done)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

LaneThread::~LaneThread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  filled_.notify_one();
  thread_.join();
}

void LaneThread::Submit(std::vector<Waiting>& jobs) {
  if (jobs.empty()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (Waiting& job : jobs) queue_.push_back(std::move(job));
  }
  jobs.clear();
  filled_.notify_one();
}

void LaneThread::Run() {
  while (true) {
    std::unique_lock<std::mutex> lock(mutex_);
    filled_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    if (stopped_) return;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    absl::StatusOr<StorageResult> result = execute_(next.job);
    done_(next.ticket, std::move(result));
  }
}

}  // namespace lockstep::net
