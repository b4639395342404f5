// Writes down what clients see of a key-value store, for the linearizability checker.
#ifndef LOCKSTEP_SIM_FRAMEWORK_HISTORY_RECORDER_H_
#define LOCKSTEP_SIM_FRAMEWORK_HISTORY_RECORDER_H_

#include <cstddef>
#include <vector>

#include "core/base/types.h"
#include "sim/check/checker.h"
#include "sim/check/linearizability/history.h"

namespace lockstep::sim {

// One for all clients of a run. A call is invoked once and then answered, refused or left open: a
// call that nobody answered may have taken effect, may later, or never.
class HistoryRecorder {
 public:
  // Names one call; in the order of invocations.
  using CallNumber = size_t;

  // A client calls now. Needs process, kind, key and what the kind takes; the rest is filled in.
  CallNumber Invoke(Instant now, linearizability::Operation operation);
  // It was executed. `result` is what a Get read; of no interest for the others.
  void Return(Instant now, CallNumber call, linearizability::Value result = {});
  // A CompareAndSwap was executed and found another value than it expected.
  void ReturnMismatch(Instant now, CallNumber call, linearizability::Value found);
  // It was certainly not executed, and never will be.
  void Refuse(CallNumber call);

  // All calls but the refused ones.
  linearizability::History history() const;
  // Reports to `findings` what is not linearizable, and what could not be decided.
  void CheckLinearizable(Findings& findings) const;

 private:
  // Times that only grow, so that what followed in the run follows in the history.
  Instant Tick(Instant now);

  std::vector<linearizability::Operation> operations_;
  std::vector<bool> refused_;  // by CallNumber
  Instant last_{};
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FRAMEWORK_HISTORY_RECORDER_H_
