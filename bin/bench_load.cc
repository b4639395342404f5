#include "bin/bench_load.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/process_usage.h"
#include "core/base/check.h"

namespace lockstep::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

// How long a closed chain pauses after an error: a server that is away must not be asked in a
// busy loop.
constexpr Duration kPause = std::chrono::milliseconds(10);
constexpr Duration kTick = std::chrono::milliseconds(5);
// How many answers in a row may come before Start has returned.
constexpr int kAtOnceMax = 100;

uint64_t Nanoseconds(Clock::duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(Duration(duration).count(), 0));
}

uint64_t OwnCpuUs() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
  return static_cast<uint64_t>(us(usage.ru_utime) + us(usage.ru_stime));
}

// What counts CPU and syncs, at one moment.
struct Meter {
  std::vector<uint64_t> servers_us;
  std::vector<uint64_t> resident_bytes;
  uint64_t client_us = 0;
  uint64_t machine_us = 0;
  // Asked on another thread: the load does not wait for the answer.
  std::future<std::optional<uint64_t>> log_syncs;

  static Meter Read(const LoadOptions& options, Target& target) {
    Meter meter;
    for (pid_t pid : options.server_pids) {
      const ProcessUsage usage = UsageOf(pid).value_or(ProcessUsage());
      meter.servers_us.push_back(usage.cpu_us);
      meter.resident_bytes.push_back(usage.resident_bytes);
    }
    meter.client_us = OwnCpuUs();
    meter.machine_us = MachineCpuUs().value_or(0);
    meter.log_syncs = std::async(std::launch::async, [&target] { return target.LogSyncs(); });
    return meter;
  }
};

uint64_t Since(uint64_t before, uint64_t after) { return after > before ? after - before : 0; }

// Everything that answers write and the main thread reads.
class Ledger {
 public:
  // Only operations meant for [begin, end) count.
  void Window(Time begin, Time end) {
    const std::lock_guard<std::mutex> lock(mutex_);
    begin_ = begin;
    end_ = end;
    last_answer_ = begin;
  }

  void Add(Kind kind, Time meant, Time now, const Outcome& outcome) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const uint64_t took = Nanoseconds(now - meant);
    ++(outcome.answered() ? tick_answered_ : tick_failed_);
    if (outcome.answered()) tick_latency_.Add(took);
    if (outcome.answered() && now >= begin_ && now < end_) {
      longest_gap_ = std::max<Clock::duration>(longest_gap_, now - last_answer_);
      last_answer_ = std::max(last_answer_, now);
      ++answered_in_time_;
    }
    if (meant < begin_ || meant >= end_) return;
    KindReport& report = kinds_[static_cast<size_t>(kind)];
    if (!outcome.answered()) {
      const bool unknown = outcome.kind == Outcome::Kind::kUnknown;
      ++report.errors[absl::StrCat(outcome.reason, unknown ? ", unknown" : ", not executed")];
      return;
    }
    ++report.answered;
    if (outcome.kind == Outcome::Kind::kConflict) ++report.conflicts;
    if (outcome.kind == Outcome::Kind::kMissing) ++report.missing;
    report.latency.Add(took);
  }

  Progress Tick(Duration elapsed, bool warming_up, Duration since_last) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Progress progress;
    progress.elapsed = elapsed;
    progress.warming_up = warming_up;
    progress.per_second =
        tick_answered_ * 1'000'000'000 / std::max<uint64_t>(Nanoseconds(since_last), 1);
    progress.failed = std::exchange(tick_failed_, 0);
    progress.latency = std::exchange(tick_latency_, Histogram());
    tick_answered_ = 0;
    return progress;
  }

  // Ends the window where it is; what was meant before still counts when it is answered.
  void Close(Time now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    end_ = std::min(end_, now);
    if (end_ > begin_) {
      longest_gap_ = std::max<Clock::duration>(longest_gap_, end_ - last_answer_);
    }
  }

  void Fill(LoadReport& report) {
    const std::lock_guard<std::mutex> lock(mutex_);
    report.elapsed = std::max<Clock::duration>(end_ - begin_, Clock::duration(0));
    report.answered_in_time = answered_in_time_;
    report.longest_gap = longest_gap_;
    report.kinds = kinds_;
    for (const KindReport& kind : kinds_) report.all.Merge(kind);
  }

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

class Runner;

// One place for an outstanding operation. In a closed loop it goes from one to the next by itself.
struct Chain {
  Chain(Runner& owner, uint64_t number, Rng chance) : runner(owner), id(number), rng(chance) {}
  Runner& runner;
  const uint64_t id;
  Rng rng;
  // Whether Start or `done` comes first: a target that answers at once must not make us recurse.
  std::atomic<int> arrivals{0};
  bool failed = false;  // the last one; written before the second arrival
};

class Runner {
 public:
  Runner(const LoadOptions& options, const Targets& targets)
      : options_(options),
        targets_(targets),
        keys_(options.key_prefix, options.keys, options.distribution),
        rng_(options.seed) {
    Rng bytes = rng_.Split("value");
    value_.resize(options.value_bytes);
    for (char& c : value_) c = static_cast<char>('a' + bytes.Below(26));
    for (uint32_t weight : options.weights) weight_sum_ += weight;
    Check(weight_sum_ > 0);
    Check(!targets.empty());
  }

  LoadReport Run(const std::function<void(const Progress&)>& tell, const std::atomic<bool>& stop);

  // --- Called by chains.
  void Advance(Chain& chain);

 private:
  void Prepare(const std::atomic<bool>& stop);
  void RunClosed(const std::atomic<bool>& stop);
  void RunOpen(const std::atomic<bool>& stop);
  void StartOpen(Time meant, Rng& rng);
  // Progress, the beginning and the end of the window. Whether to go on.
  bool Tick(const std::atomic<bool>& stop);
  void BeginWindow(Time now);
  void WaitForOutstanding();
  void Release();

  Kind DrawKind(Rng& rng) const;
  Operation Draw(Rng& rng) const;
  bool TakeCount();
  Target& TargetOf(uint64_t number) const { return *targets_[number % targets_.size()]; }

  const LoadOptions& options_;
  const Targets& targets_;
  const Keys keys_;
  Rng rng_;
  std::string value_;
  uint64_t weight_sum_ = 0;

  const std::function<void(const Progress&)>* tell_ = nullptr;
  Ledger ledger_;
  Time start_;
  Time window_begin_;
  Time last_tick_;
  bool window_open_ = false;
  Meter meter_begin_;
  uint64_t sequence_ = 0;  // of the open loop
  std::atomic<bool> stopping_{false};
  std::atomic<bool> counting_{false};
  std::atomic<uint64_t> counted_{0};  // operations taken after the warm-up

  std::mutex mutex_;
  std::condition_variable idle_;
  uint64_t outstanding_ = 0;     // guarded by mutex_
  std::vector<Chain*> pausing_;  // guarded by mutex_
};

Kind Runner::DrawKind(Rng& rng) const {
  uint64_t at = rng.Below(weight_sum_);
  for (size_t kind = 0; kind < kKinds; ++kind) {
    if (at < options_.weights[kind]) return static_cast<Kind>(kind);
    at -= options_.weights[kind];
  }
  return Kind::kGet;
}

Operation Runner::Draw(Rng& rng) const {
  Operation operation;
  operation.kind = DrawKind(rng);
  operation.key = keys_.Key(keys_.Draw(rng));
  const bool writes = operation.kind == Kind::kPut || operation.kind == Kind::kAppend ||
                      operation.kind == Kind::kCas;
  if (writes) operation.value = value_;
  return operation;
}

// With --count: whether one more may be started.
bool Runner::TakeCount() {
  if (options_.count == 0 || !counting_) return true;
  return counted_.fetch_add(1) < options_.count;
}

void Runner::Release() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--outstanding_ == 0) idle_.notify_all();
}

// Starts operations of this chain until one is under way.
void Runner::Advance(Chain& chain) {
  for (int at_once = 0;; ++at_once) {
    if (stopping_ || !TakeCount()) return Release();
    Operation operation = Draw(chain.rng);
    const Kind kind = operation.kind;
    const Time meant = Clock::now();
    chain.arrivals.store(0, std::memory_order_relaxed);
    TargetOf(chain.id).Start(operation, [&chain, kind, meant, this](const Outcome& outcome) {
      ledger_.Add(kind, meant, Clock::now(), outcome);
      chain.failed = !outcome.answered();
      if (chain.arrivals.fetch_add(1, std::memory_order_acq_rel) == 0) return;
      if (!chain.failed) return Advance(chain);
      const std::lock_guard<std::mutex> lock(mutex_);
      pausing_.push_back(&chain);
    });
    if (chain.arrivals.fetch_add(1, std::memory_order_acq_rel) == 0) return;
    // A target that always answers at once must not keep the main thread from its clock.
    if (!chain.failed && at_once < kAtOnceMax) continue;
    const std::lock_guard<std::mutex> lock(mutex_);
    return pausing_.push_back(&chain);
  }
}

void Runner::BeginWindow(Time now) {
  window_open_ = true;
  meter_begin_ = Meter::Read(options_, *targets_.front());
  window_begin_ = now = Clock::now();
  counting_ = true;
  ledger_.Window(now, options_.count > 0 ? Time::max() : now + options_.duration);
}

bool Runner::Tick(const std::atomic<bool>& stop) {
  const Time now = Clock::now();
  if (!window_open_ && now - start_ >= options_.warm_up) BeginWindow(now);
  if (now - last_tick_ >= std::chrono::seconds(1)) {
    const Progress progress = ledger_.Tick(now - start_, !window_open_, now - last_tick_);
    if (*tell_) (*tell_)(progress);
    last_tick_ = now;
  }
  if (stop) return false;
  if (!window_open_) return true;
  if (options_.count > 0) return counted_ < options_.count;
  return now - window_begin_ < options_.duration;
}

void Runner::RunClosed(const std::atomic<bool>& stop) {
  std::vector<std::unique_ptr<Chain>> chains;
  for (uint64_t i = 0; i < options_.outstanding; ++i) {
    chains.push_back(std::make_unique<Chain>(*this, i, rng_.Split("chain", i)));
  }
  outstanding_ = chains.size();
  bool go_on = Tick(stop);
  for (const auto& chain : chains) Advance(*chain);
  for (; go_on; go_on = Tick(stop)) {
    std::this_thread::sleep_for(kTick);
    std::vector<Chain*> again;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      again.swap(pausing_);
    }
    if (!again.empty()) std::this_thread::sleep_for(kPause - kTick);
    for (Chain* chain : again) Advance(*chain);
  }
  stopping_ = true;
  ledger_.Close(Clock::now());
  WaitForOutstanding();
}

void Runner::StartOpen(Time meant, Rng& rng) {
  Operation operation = Draw(rng);
  const Kind kind = operation.kind;
  uint64_t number = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    number = outstanding_;
    if (outstanding_ < options_.outstanding) ++outstanding_;
  }
  // A system that has stopped must not cost this one all of its memory.
  if (number >= options_.outstanding) {
    return ledger_.Add(kind, meant, Clock::now(),
                       {.kind = Outcome::Kind::kNotExecuted, .reason = "NOT_SENT"});
  }
  TargetOf(sequence_++).Start(operation, [kind, meant, this](const Outcome& outcome) {
    ledger_.Add(kind, meant, Clock::now(), outcome);
    Release();
  });
}

void Runner::RunOpen(const std::atomic<bool>& stop) {
  Rng times = rng_.Split("times");
  Rng operations = rng_.Split("operations");
  const double mean_ns = 1e9 / options_.rate;
  bool go_on = Tick(stop);
  const Time origin = Clock::now();
  double next_ns = 0;  // since then; in floating point, so that no rate drifts
  for (; go_on; go_on = Tick(stop)) {
    const Time next = origin + Duration(static_cast<int64_t>(next_ns));
    const Time now = Clock::now();
    if (next > now) {
      std::this_thread::sleep_until(std::min(next, now + kTick));
      continue;
    }
    // All that are due, and then a look at the clock and the end.
    if (!TakeCount()) break;
    StartOpen(next, operations);
    next_ns += options_.poisson ? -std::log(DrawUnit(times)) * mean_ns : mean_ns;
  }
  ledger_.Close(Clock::now());
  WaitForOutstanding();
}

void Runner::WaitForOutstanding() {
  std::unique_lock<std::mutex> lock(mutex_);
  outstanding_ -= std::exchange(pausing_, {}).size();
  // A chain may fail while we wait, and pauses: nobody starts it again.
  while (outstanding_ > 0) {
    idle_.wait_for(lock, kPause);
    outstanding_ -= std::exchange(pausing_, {}).size();
  }
}

// Every key once. What fails is tried again: a missing key would be no honest get.
void Runner::Prepare(const std::atomic<bool>& stop) {
  std::vector<uint64_t> todo(keys_.count());
  for (uint64_t i = 0; i < todo.size(); ++i) todo[i] = todo.size() - 1 - i;
  const uint64_t most = std::clamp<uint64_t>(options_.outstanding, 64, 256);
  bool failed = false;
  std::unique_lock<std::mutex> lock(mutex_);
  while ((!todo.empty() || outstanding_ > 0) && !stop) {
    if (failed || todo.empty() || outstanding_ >= most) {
      failed = false;
      idle_.wait_for(lock, kPause);
      continue;
    }
    const uint64_t number = todo.back();
    todo.pop_back();
    ++outstanding_;
    lock.unlock();
    TargetOf(number).Start({.kind = Kind::kPut, .key = keys_.Key(number), .value = value_},
                           [this, number, &todo, &failed](const Outcome& outcome) {
                             const std::lock_guard<std::mutex> again(mutex_);
                             failed = failed || !outcome.answered();
                             if (!outcome.answered()) todo.push_back(number);
                             --outstanding_;
                             idle_.notify_all();
                           });
    lock.lock();
  }
  idle_.wait(lock, [this] { return outstanding_ == 0; });
}

LoadReport Runner::Run(const std::function<void(const Progress&)>& tell,
                       const std::atomic<bool>& stop) {
  tell_ = &tell;
  if (options_.prepare) Prepare(stop);
  start_ = last_tick_ = Clock::now();
  options_.rate > 0 ? RunOpen(stop) : RunClosed(stop);
  LoadReport report;
  ledger_.Fill(report);
  if (!window_open_) return report;
  Meter end = Meter::Read(options_, *targets_.front());
  uint64_t servers_us = 0;
  for (size_t i = 0; i < end.servers_us.size(); ++i) {
    report.server_cpu_us.push_back(Since(meter_begin_.servers_us[i], end.servers_us[i]));
    servers_us += report.server_cpu_us.back();
  }
  report.server_resident_bytes = end.resident_bytes;
  report.client_cpu_us = Since(meter_begin_.client_us, end.client_us);
  report.other_cpu_us =
      Since(servers_us + report.client_cpu_us, Since(meter_begin_.machine_us, end.machine_us));
  const std::optional<uint64_t> syncs_before = meter_begin_.log_syncs.get();
  const std::optional<uint64_t> syncs_after = end.log_syncs.get();
  if (syncs_before.has_value() && syncs_after.has_value()) {
    report.log_syncs = Since(*syncs_before, *syncs_after);
  }
  return report;
}

}  // namespace

const char* NameOf(Kind kind) {
  static constexpr const char* kNames[kKinds] = {"put", "get", "append", "delete", "cas", "list"};
  return kNames[static_cast<size_t>(kind)];
}

void KindReport::Merge(const KindReport& other) {
  answered += other.answered;
  conflicts += other.conflicts;
  missing += other.missing;
  for (const auto& [reason, count] : other.errors) errors[reason] += count;
  latency.Merge(other.latency);
}

uint64_t KindReport::failed() const {
  uint64_t sum = 0;
  for (const auto& [reason, count] : errors) sum += count;
  return sum;
}

double LoadReport::seconds() const { return static_cast<double>(elapsed.count()) / 1e9; }
double LoadReport::per_second() const {
  return elapsed.count() <= 0 ? 0 : static_cast<double>(answered_in_time) / seconds();
}

LoadReport RunLoad(const LoadOptions& options, const Targets& targets,
                   const std::function<void(const Progress&)>& tell,
                   const std::atomic<bool>& stop) {
  return Runner(options, targets).Run(tell, stop);
}

}  // namespace lockstep::bench
