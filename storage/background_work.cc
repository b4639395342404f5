#include "storage/background_work.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/check.h"

namespace lockstep::storage {

InlineWork::~InlineWork() { Check(waiting_.empty()); }

void InlineWork::Schedule(Function function, void* argument) {
  // LevelDB schedules one work at a time; whoever forgets to drain finds out here.
  CheckLt(waiting_.size(), size_t{1});
  waiting_.emplace_back(function, argument);
}

void InlineWork::Drain() {
  while (!waiting_.empty()) {
    const auto [function, argument] = waiting_.back();
    waiting_.pop_back();
    function(argument);
  }
}

WorkThread::~WorkThread() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stopped_ = true;
  }
  filled_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void WorkThread::Schedule(Function function, void* argument) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    waiting_.emplace_back(function, argument);
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  }
  filled_.notify_one();
}

void WorkThread::SlowDown(std::chrono::microseconds time) { std::this_thread::sleep_for(time); }

void WorkThread::Run() {
  pthread_setname_np(pthread_self(), "lockstep-level");
  // Compactions can wait, what clients wait for cannot. On Linux niceness is a thread's own.
  constexpr int kNiceness = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    filled_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto [function, argument] = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    function(argument);
    lock.lock();
  }
}

}  // namespace lockstep::storage
