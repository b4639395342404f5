#include "sim/framework/history_recorder.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/check/linearizability/checker.h"

namespace lockstep::sim {

using linearizability::Operation;
using linearizability::Outcome;
using linearizability::Value;

Instant HistoryRecorder::Tick(Instant now) {
  last_ = std::max(now, last_ + Duration(1));
  return last_;
}

HistoryRecorder::CallNumber HistoryRecorder::Invoke(Instant now, Operation operation) {
  operation.invoked = Tick(now);
  operation.outcome = Outcome::kUnknown;
  operations_.push_back(std::move(operation));
  refused_.push_back(false);
  return operations_.size() - 1;
}

void HistoryRecorder::Return(Instant now, CallNumber call, Value result) {
  Operation& operation = operations_.at(call);
  Check(operation.open(), "a call returns once");
  operation.outcome = Outcome::kDone;
  operation.result = std::move(result);
  operation.returned = Tick(now);
}

void HistoryRecorder::ReturnMismatch(Instant now, CallNumber call, Value found) {
  Return(now, call, std::move(found));
  operations_[call].outcome = Outcome::kMismatch;
}

void HistoryRecorder::Refuse(CallNumber call) {
  Check(operations_.at(call).open(), "a call returns once");
  refused_[call] = true;
}

linearizability::History HistoryRecorder::history() const {
  linearizability::History history;
  for (size_t i = 0; i < operations_.size(); ++i) {
    if (!refused_[i]) history.operations.push_back(operations_[i]);
  }
  return history;
}

void HistoryRecorder::CheckLinearizable(Findings& findings) const {
  const linearizability::History judged = history();
  const absl::Status valid = linearizability::Validate(judged);
  Check(valid.ok(), valid.message());
  // More than any run of a few thousand calls needs, and still a matter of seconds.
  linearizability::Options options;
  options.steps_max = 50'000'000;
  options.memory_bytes_max = uint64_t{256} << 20;
  const linearizability::Report report = linearizability::CheckHistory(judged, options);
  if (report.verdict == linearizability::Verdict::kLinearizable) return;
  const bool undecided = report.verdict == linearizability::Verdict::kUndecided;
  findings.Report({.kind = undecided ? ViolationKind::kUndecided : ViolationKind::kSafety,
                   .property = "Linearizability",
                   .evidence = linearizability::Describe(report, judged)});
}

}  // namespace lockstep::sim
