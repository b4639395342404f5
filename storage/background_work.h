// Where LevelDB's own work (flushes of memtables, compactions) runs: within the calls of the
// table's owner, as the simulator needs it, or on a thread of its own, so that a compaction of
// seconds delays nobody (production).
#ifndef LOCKSTEP_STORAGE_BACKGROUND_WORK_H_
#define LOCKSTEP_STORAGE_BACKGROUND_WORK_H_

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace lockstep::storage {

class BackgroundWork {
 public:
  using Function = void (*)(void*);
  virtual ~BackgroundWork() = default;
  virtual void Schedule(Function function, void* argument) = 0;
  // Runs what waits for the owner to run it, and what that asks for. From no call of LevelDB.
  virtual void Drain() = 0;
  // LevelDB slows a writer down so that its background work can catch up.
  virtual void SlowDown(std::chrono::microseconds time) = 0;
  // Whether the owner must wait for what it has scheduled: it runs at the same time.
  virtual bool concurrent() const = 0;
};

// Work waits for Drain, and has always caught up then. One thread.
class InlineWork final : public BackgroundWork {
 public:
  // REQUIRES: nothing waits.
  ~InlineWork() override;
  void Schedule(Function function, void* argument) override;
  void Drain() override;
  void SlowDown(std::chrono::microseconds) override {}
  bool concurrent() const override { return false; }

 private:
  std::vector<std::pair<Function, void*>> waiting_;
};

// A thread, from the first work on. Outlives the databases that use it. Thread-safe.
class WorkThread final : public BackgroundWork {
 public:
  WorkThread() = default;
  // Finishes what was scheduled.
  ~WorkThread() override;
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;

  void Schedule(Function function, void* argument) override;
  void Drain() override {}
  void SlowDown(std::chrono::microseconds time) override;
  bool concurrent() const override { return true; }

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::pair<Function, void*>> waiting_;  // guarded by mutex_
  bool stopped_ = false;                            // likewise
  std::thread thread_;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_BACKGROUND_WORK_H_
