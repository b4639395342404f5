// What a load counts while it runs: answers, and what the machine spends on them.
#ifndef LOCKSTEP_BIN_BENCH_LEDGER_H_
#define LOCKSTEP_BIN_BENCH_LEDGER_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <mutex>
#include <optional>
#include <vector>

#include "bin/bench_histogram.h"
#include "bin/bench_load.h"
#include "bin/bench_target.h"

namespace lockstep::bench {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

// What counts CPU and syncs, at one moment.
struct Meter {
  std::vector<uint64_t> servers_us;
  std::vector<uint64_t> resident_bytes;
  uint64_t client_us = 0;
  uint64_t machine_us = 0;
  // Asked on another thread: the load does not wait for the answer.
  std::future<std::optional<uint64_t>> log_syncs;

  // `target` outlives it.
  static Meter Read(const LoadOptions& options, Target& target);
  // What was spent from `begin` to `end`. Waits for the answers.
  static void Fill(Meter& begin, Meter& end, LoadReport& report);
};

// Everything that answers write and the main thread reads. Thread-safe.
class Ledger {
 public:
  // Only operations meant for [begin, end) count.
  void Window(Time begin, Time end);
  // An operation that was meant for then has ended.
  void Add(Kind kind, Time meant, Time now, const Outcome& outcome);
  // What has happened since the last time.
  Progress Tick(Duration elapsed, bool warming_up, Duration since_last);
  // Ends the window where it is; what was meant before still counts when it is answered.
  void Close(Time now);
  void Fill(LoadReport& report);

 private:
  std::mutex mutex_;
  Time begin_ = Time::max();
  Time end_ = Time::max();
  Time last_answer_;
  Clock::duration longest_gap_{0};
  uint64_t answered_in_time_ = 0;
  std::array<KindReport, kKinds> kinds_;
  uint64_t tick_answered_ = 0;
  uint64_t tick_failed_ = 0;
  Histogram tick_latency_;
};

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_LEDGER_H_
