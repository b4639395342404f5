#include "bin/lockstep_sim_batch.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "sim/faults/fault_kind.h"

namespace lockstep::bin {
namespace {

using nlohmann::json;

// A batch of so many seeds must have met everything that the simulator can bring about.
constexpr uint64_t kSeedsThatMeetAll = 100;

// One group cannot be cut off from another, and without shards there are no hand-overs.
bool CanHappen(sim::Profile profile, const std::string& counter) {
  return profile != sim::Profile::kRaft ||
         (!absl::EndsWith(counter, sim::FaultName(sim::FaultKind::kGroupPartition)) &&
          !absl::EndsWith(counter, sim::FaultName(sim::FaultKind::kHandoverStrike)));
}

double SecondsOf(int64_t ns) { return static_cast<double>(ns) / 1e9; }

double Rate(uint64_t count, int64_t ns) {
  return ns <= 0 ? 0.0 : static_cast<double>(count) / SecondsOf(ns);
}

// 1234567 -> "1,234,567".
std::string Grouped(uint64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

// "2 d 3 h", "14 min 2 s", "3.52 s".
std::string Span(int64_t ns) {
  const double seconds = SecondsOf(ns);
  if (seconds < 120) return absl::StrFormat("%.2f s", seconds);
  const int64_t whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 7200) return absl::StrFormat("%d min %d s", whole / 60, whole % 60);
  if (whole < 172800) return absl::StrFormat("%d h %d min", whole / 3600, whole / 60 % 60);
  return absl::StrFormat("%d d %d h", whole / 86400, whole / 3600 % 24);
}

std::string Indented(const std::string& text) {
  return absl::StrCat("  ", absl::StrReplaceAll(text, {{"\n", "\n  "}}));
}

void Row(std::string* table, const std::string& name, const std::string& value) {
  absl::StrAppendFormat(table, "  %-31s %s\n", name, value);
}

// A fault and its effects share a row: "fault crash   34, effective 23".
void AppendCounters(const sim::Counters& counters, std::string* table) {
  const auto& values = counters.values;
  for (size_t i = 0; i < values.size(); ++i) {
    std::string value = Grouped(values[i].second);
    absl::string_view kind = values[i].first;
    const std::string& name = values[i].first;
    if (i + 1 < values.size() && absl::ConsumePrefix(&kind, "fault ") &&
        values[i + 1].first == absl::StrCat("effective ", kind)) {
      absl::StrAppend(&value, ", effective ", Grouped(values[++i].second));
    }
    Row(table, name, value);
  }
}

}  // namespace

Batch::Batch(const SimOptions& options, std::string program)
    : options_(options), program_(std::move(program)) {}

void Batch::Add(const Outcome& outcome) {
  const sim::RunReport& report = outcome.report;
  ++totals_.done;
  totals_.events += report.events;
  totals_.operations += report.operations;
  totals_.virtual_ns += report.virtual_time.count();
  totals_.cpu_ns += outcome.cpu_ns;
  totals_.counters.Add(report.counters);
  if (outcome.real_ns > totals_.slowest.real_ns) totals_.slowest = outcome;
  if (outcome.failed()) totals_.failures.push_back(outcome);
}

void Batch::Finish(int64_t real_ns, bool interrupted) {
  totals_.real_ns = real_ns;
  interrupted_ = interrupted;
  std::sort(totals_.failures.begin(), totals_.failures.end(),
            [](const Outcome& a, const Outcome& b) { return a.report.seed < b.report.seed; });
  if (totals_.done < kSeedsThatMeetAll || !options_.default_run()) return;
  for (const auto& [name, value] : totals_.counters.values) {
    if (value == 0 && CanHappen(options_.run.profile, name)) untested_.push_back(name);
  }
}

int Batch::exit_code() const {
  if (interrupted_) return kExitInterrupted;
  int worst = untested_.empty() ? kExitPassed : kExitLiveness;
  for (const Outcome& failure : totals_.failures) worst = std::max(worst, failure.exit_code());
  return worst;
}

std::string Batch::Reproduce(uint64_t seed) const {
  return absl::StrCat(program_, " replay --seed ", seed, RunArguments(options_));
}

std::string Batch::DescribeFailure(const Outcome& outcome) const {
  const sim::RunReport& report = outcome.report;
  std::string text = absl::StrCat("FAILED seed ", report.seed, ": ", outcome.property());
  if (outcome.crashed) {
    absl::StrAppend(&text, "\n", Indented(outcome.crash));
  } else {
    const bool undecided = report.violation->kind == sim::ViolationKind::kUndecided;
    const bool liveness = report.violation->kind == sim::ViolationKind::kLiveness;
    absl::StrAppend(&text,
                    undecided  ? " (undecided)"
                    : liveness ? " (liveness)"
                               : " violated",
                    ", at event ", report.violation_event, "\n",
                    Indented(report.violation->evidence));
  }
  if (!report.climate.empty()) absl::StrAppend(&text, "\nclimate\n", Indented(report.climate));
  absl::StrAppend(&text, "\nreproduce\n  ", Reproduce(report.seed), "\n");
  return text;
}

std::string Batch::Table() const {
  const BatchTotals& totals = totals_;
  std::string table = absl::StrCat(interrupted_                                   ? "INTERRUPTED"
                                   : totals.failures.empty() && untested_.empty() ? "PASSED"
                                                                                  : "FAILED",
                                   "\n");
  Row(&table, "seeds",
      absl::StrCat(Grouped(totals.done), " of ", Grouped(options_.seeds()), " (",
                   options_.seed_first, "..", options_.seed_final, "), ", totals.failures.size(),
                   " failed"));
  Row(&table, "operations", Grouped(totals.operations));
  Row(&table, "events", Grouped(totals.events));
  Row(&table, "virtual time", Span(totals.virtual_ns));
  Row(&table, "real time",
      absl::StrFormat(
          "%s with %d jobs (virtual / real: %.0f)", Span(totals.real_ns), options_.jobs,
          totals.real_ns > 0 ? SecondsOf(totals.virtual_ns) / SecondsOf(totals.real_ns) : 0.0));
  Row(&table, "events/s per core",
      Grouped(static_cast<uint64_t>(Rate(totals.events, totals.cpu_ns))));
  if (totals.done > 0) {
    Row(&table, "slowest seed",
        absl::StrCat(totals.slowest.report.seed, " (", Span(totals.slowest.real_ns), ", ",
                     Grouped(totals.slowest.report.events), " events)"));
  }
  if (!totals.counters.values.empty()) absl::StrAppend(&table, "what happened\n");
  AppendCounters(totals.counters, &table);
  if (!totals.failures.empty()) absl::StrAppend(&table, "failures\n");
  for (const Outcome& failure : totals.failures) {
    Row(&table, absl::StrCat("seed ", failure.report.seed), failure.property());
  }
  for (const std::string& name : untested_) {
    absl::StrAppend(&table, "tested nothing: no ", name, " in ", totals.done, " seeds\n");
  }
  return table;
}

std::string Batch::Json() const {
  const BatchTotals& totals = totals_;
  json failures = json::array();
  for (const Outcome& outcome : totals.failures) {
    const sim::RunReport& report = outcome.report;
    failures.push_back({{"seed", report.seed},
                        {"exit_code", outcome.exit_code()},
                        {"property", outcome.property()},
                        {"evidence", outcome.crashed ? outcome.crash : report.violation->evidence},
                        {"event", report.violation_event},
                        {"hash", report.hash},
                        {"climate", report.climate},
                        {"reproduce", Reproduce(report.seed)}});
  }
  json counters = json::object();
  for (const auto& [name, value] : totals.counters.values) counters[name] = value;
  const json report = {
      {"exit_code", exit_code()},
      {"interrupted", interrupted_},
      {"options", RunArguments(options_)},
      {"jobs", options_.jobs},
      {"seeds",
       {{"first", options_.seed_first}, {"final", options_.seed_final}, {"done", totals.done}}},
      {"operations", totals.operations},
      {"events", totals.events},
      {"virtual_seconds", SecondsOf(totals.virtual_ns)},
      {"real_seconds", SecondsOf(totals.real_ns)},
      {"cpu_seconds", SecondsOf(totals.cpu_ns)},
      {"events_per_second_per_core", Rate(totals.events, totals.cpu_ns)},
      {"slowest",
       {{"seed", totals.slowest.report.seed},
        {"real_seconds", SecondsOf(totals.slowest.real_ns)},
        {"events", totals.slowest.report.events}}},
      {"counters", std::move(counters)},
      {"untested", untested_},
      {"failures", std::move(failures)}};
  return report.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string Batch::LiveLine(int64_t real_ns) const {
  const BatchTotals& totals = totals_;
  return absl::StrFormat("%d/%d seeds  %.2f M events/s  virtual/real %.0f  failures %d",
                         totals.done, options_.seeds(), Rate(totals.events, real_ns) / 1e6,
                         real_ns > 0 ? SecondsOf(totals.virtual_ns) / SecondsOf(real_ns) : 0.0,
                         totals.failures.size());
}

LiveDisplay::LiveDisplay() : on_(isatty(STDERR_FILENO) == 1) {}

void LiveDisplay::Draw(const std::string& line, int64_t now_ns) {
  constexpr int64_t kBetweenNs = 100'000'000;
  if (!on_ || now_ns - drawn_at_ns_ < kBetweenNs) return;
  drawn_at_ns_ = now_ns;
  drawn_ = true;
  std::fprintf(stderr, "\r%s\033[K", line.c_str());
  std::fflush(stderr);
}

void LiveDisplay::Wipe() {
  if (!drawn_) return;
  drawn_ = false;
  std::fprintf(stderr, "\r\033[K");
  std::fflush(stderr);
}

}  // namespace lockstep::bin
