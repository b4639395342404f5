// lockstep::check and nothing else: judges a history of two operations.
#include <cstdio>

#include "sim/check/linearizability/checker.h"

namespace lin = lockstep::linearizability;
using lockstep::Bytes;
using lockstep::Duration;
using lockstep::Instant;

namespace {

lin::Operation Done(lin::Kind kind, const char* value, int64_t invoked, int64_t returned) {
  lin::Operation operation;
  operation.kind = kind;
  operation.key = Bytes::Copy("x");
  (kind == lin::Kind::kPut ? operation.value : operation.result) = Bytes::Copy(value);
  operation.outcome = lin::Outcome::kDone;
  operation.invoked = Instant(Duration(invoked));
  operation.returned = Instant(Duration(returned));
  return operation;
}

}  // namespace

int main() {
  lin::History history;
  history.operations.push_back(Done(lin::Kind::kPut, "1", 10, 20));
  history.operations.push_back(Done(lin::Kind::kGet, "2", 30, 40));
  const lin::Report report = lin::CheckHistory(history);
  std::printf("%s", lin::Describe(report, history).c_str());
  return report.verdict == lin::Verdict::kViolation ? 0 : 1;
}
