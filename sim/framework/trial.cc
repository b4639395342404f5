#include "sim/framework/trial.h"

#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/check.h"
#include "sim/check/evidence.h"
#include "sim/framework/trial_run.h"

namespace lockstep::sim {
namespace {

// Keeps the end of a trace.
class Tail final : public TraceSink {
 public:
  explicit Tail(size_t lines_max) : lines_max_(lines_max) {}
  void Add(const TraceEvent& event) override {
    lines_.push_back(FormatTraceEvent(event));
    if (lines_.size() <= lines_max_) return;
    lines_.pop_front();
    ++dropped_;
  }
  std::string text() const {
    std::string text = absl::StrCat("trace, without its first ", dropped_, " lines\n");
    for (const std::string& line : lines_) absl::StrAppend(&text, "  ", line, "\n");
    return text;
  }

 private:
  const size_t lines_max_;
  std::deque<std::string> lines_;
  uint64_t dropped_ = 0;
};

std::string Indent(const std::string& text) {
  return absl::StrCat("  ", absl::StrReplaceAll(text, {{"\n", "\n  "}}));
}

}  // namespace

FaultSet GeneralFaults() {
  FaultSet faults = FaultSet::All();
  for (const FaultKind kind :
       {FaultKind::kElectionStrike, FaultKind::kSnapshotStrike, FaultKind::kPromiseStrike,
        FaultKind::kLeaderIsolation, FaultKind::kBitRot, FaultKind::kGroupPartition,
        FaultKind::kHandoverStrike, FaultKind::kMisdirectedWrite, FaultKind::kIoFailure,
        FaultKind::kDiskFull, FaultKind::kDiskWipe, FaultKind::kTransferStrike}) {
    faults.erase(kind);
  }
  return faults;
}

RunReport RunTrial(const TrialOptions& options, System& system) {
  Check(options.servers >= 1 && options.servers <= 60, "TrialOptions::servers is not 1 to 60");
  CheckLe(options.clients, 1000u);
  CheckLe(options.survivors_min, options.servers);
  Check(options.unit > Duration(0), "TrialOptions::unit is not above zero");
  Check(options.storm >= Duration(0));
  Check(options.calm_max > Duration(0));
  TrialRun run(options, system);
  run.Go();
  return run.Report();
}

std::string TellTrial(TrialOptions options, const MakeSystem& make, size_t lines_max) {
  Tail tail(lines_max);
  options.trace = &tail;
  const std::unique_ptr<System> system = make();
  const RunReport report = RunTrial(options, *system);
  return absl::StrCat(Describe(report), "climate\n", Indent(report.climate), "\n", tail.text());
}

std::string Describe(const RunReport& report) {
  const std::string where = absl::StrCat("seed ", report.seed, ", event ", report.events, ", ",
                                         Seconds(Instant(report.virtual_time)),
                                         " of virtual time, hash ", report.hash, "\n");
  if (!report.violation.has_value()) return absl::StrCat("passed: ", where);
  return absl::StrCat(report.violation->property, " violated: ", where,
                      Indent(report.violation->evidence), "\n");
}

}  // namespace lockstep::sim
