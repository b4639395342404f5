#include "net/rpc/worker.h"

#include <utility>

namespace lockstep::net {

Worker::Worker() : thread_([this] { Run(); }) {}
Worker::~Worker() { Stop(); }

void Worker::Post(Task task) {
  bool wake;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    tasks_.push_back(std::move(task));
    wake = std::exchange(waiting_, false);
  }
  if (wake) arrived_.notify_one();
}

void Worker::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Worker::Run() {
  std::vector<Task> tasks;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    waiting_ = true;
    arrived_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    waiting_ = false;
    if (tasks_.empty()) return;
    tasks.swap(tasks_);
    lock.unlock();
    for (Task& task : tasks) task();
    tasks.clear();
    lock.lock();
  }
}

}  // namespace lockstep::net
