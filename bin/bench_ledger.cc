#include "bin/bench_ledger.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/process_usage.h"

namespace lockstep::bench {
namespace {

uint64_t Nanoseconds(Clock::duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(Duration(duration).count(), 0));
}

uint64_t OwnCpuUs() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
  return static_cast<uint64_t>(us(usage.ru_utime) + us(usage.ru_stime));
}

uint64_t Since(uint64_t before, uint64_t after) { return after > before ? after - before : 0; }

}  // namespace

Meter Meter::Read(const LoadOptions& options, Target& target) {
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

void Meter::Fill(Meter& begin, Meter& end, LoadReport& report) {
  uint64_t servers_us = 0;
  for (size_t i = 0; i < end.servers_us.size(); ++i) {
    report.server_cpu_us.push_back(Since(begin.servers_us[i], end.servers_us[i]));
    servers_us += report.server_cpu_us.back();
  }
  report.server_resident_bytes = end.resident_bytes;
  report.client_cpu_us = Since(begin.client_us, end.client_us);
  report.other_cpu_us =
      Since(servers_us + report.client_cpu_us, Since(begin.machine_us, end.machine_us));
  const std::optional<uint64_t> syncs_before = begin.log_syncs.get();
  const std::optional<uint64_t> syncs_after = end.log_syncs.get();
  if (syncs_before.has_value() && syncs_after.has_value()) {
    report.log_syncs = Since(*syncs_before, *syncs_after);
  }
}

void Ledger::Window(Time begin, Time end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  begin_ = begin;
  end_ = end;
  last_answer_ = begin;
}

void Ledger::Add(Kind kind, Time meant, Time now, const Outcome& outcome) {
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

Progress Ledger::Tick(Duration elapsed, bool warming_up, Duration since_last) {
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

void Ledger::Close(Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  end_ = std::min(end_, now);
  if (end_ > begin_) {
    longest_gap_ = std::max<Clock::duration>(longest_gap_, end_ - last_answer_);
  }
}

void Ledger::Fill(LoadReport& report) {
  const std::lock_guard<std::mutex> lock(mutex_);
  report.elapsed = std::max<Clock::duration>(end_ - begin_, Clock::duration(0));
  report.answered_in_time = answered_in_time_;
  report.longest_gap = longest_gap_;
  report.kinds = kinds_;
  for (const KindReport& kind : kinds_) report.all.Merge(kind);
}

}  // namespace lockstep::bench
