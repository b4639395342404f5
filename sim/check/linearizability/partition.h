// The operations of one key, made ready for the algorithms: linearizability is local, so each key
// is judged alone (Herlihy and Wing 1990; P-compositionality of Horn and Kroening 2015).
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_PARTITION_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_PARTITION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/check/linearizability/history.h"
#include "sim/check/linearizability/states.h"

namespace lockstep::linearizability {

// What an operation does to the state, seen with its outcome.
enum class Form : uint8_t {
  kRead,    // legal if the state is `expects`; changes nothing
  kDiffer,  // legal unless the state is `expects`; changes nothing (a mismatch without a value)
  kSet,     // always legal; leaves `produces`
  kSwap,    // legal if the state is `expects`; leaves `produces`
  kAppend,  // always legal; appends `text`
  kNever,   // never legal: it contradicts itself
};

struct Entry {
  Form form = Form::kRead;
  bool open = false;  // may take effect at any moment after `invoked`, or never
  StateId expects = kOther;
  StateId produces = kOther;
  uint32_t text = 0;       // of kAppend, for States::Append
  uint32_t operation = 0;  // place in History::operations
  int64_t invoked = 0;
  int64_t returned = INT64_MAX;  // INT64_MAX if open

  bool observes() const { return form == Form::kRead || form == Form::kSwap; }
};

// One end of an interval. Order: time, then invocations before returns since intervals are closed.
struct Event {
  int64_t time = 0;
  bool returns = false;
  uint32_t entry = 0;
};

class Partition {
 public:
  // `operations`: all operations of one key, as places in `history`, which must outlive this.
  Partition(const History& history, const std::vector<uint32_t>& operations);

  // By invocation. Operations that cannot matter are left out: open ones that change nothing or
  // that nobody can notice.
  const std::vector<Entry>& entries() const { return entries_; }
  const Operation& operation(const Entry& entry) const {
    return history_->operations[entry.operation];
  }
  // What the operation puts or appends. REQUIRES: it has a value.
  absl::string_view argument(const Entry& entry) const { return operation(entry).value->view(); }

  StateId initial() const { return initial_; }
  const Value& initial_value() const { return history_->initial; }
  bool has_appends() const { return has_appends_; }
  bool has_differs() const { return has_differs_; }
  States& states() { return states_; }
  const States& states() const { return states_; }

  // Moves `*state` over the operation if it is legal there, else returns false.
  bool Apply(const Entry& entry, StateId* state);
  // Both ends of completed operations, the invocations of open ones.
  std::vector<Event> Events() const;

 private:
  Entry Compile(uint32_t operation);
  bool Matters(const Entry& entry) const;

  const History* history_;
  States states_;
  StateId initial_;
  bool has_appends_ = false;
  bool has_differs_ = false;
  std::vector<Entry> entries_;
};

// The operations of each key, as places in the history; keys in ascending order.
std::vector<std::vector<uint32_t>> SplitByKey(const History& history);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_PARTITION_H_
