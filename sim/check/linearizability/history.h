// Histories of a key-value store as its clients saw it: what the recorder writes and the checker
// judges. A register is a store with one key.
//
// What belongs in a history: every call that may have been executed, once, whatever its retries. A
// call that definitely was not executed is left out. A call whose fate is unknown (timeout, lost
// leadership, end of the run) has Outcome::kUnknown and stays open for ever; its client goes on
// under a new process number.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_HISTORY_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/bytes.h"
#include "core/base/types.h"

namespace lockstep::linearizability {

// What a call does.
enum class Kind : uint8_t {
  kGet,
  kPut,
  kAppend,  // to a missing key: as to an empty value
  kDelete,  // of a missing key: no change
  kCompareAndSwap,
};

// How a call ended.
enum class Outcome : uint8_t {
  kDone,      // executed; a CompareAndSwap swapped
  kMismatch,  // CompareAndSwap only: executed, and the key did not hold what was expected
  kUnknown,   // may take effect at any moment after its invocation, or never
};

// What a key holds. Absent: the key is missing, which is not the same as empty.
using Value = std::optional<Bytes>;

// Where the store itself says that an operation took effect. Operations of one key are ordered by
// epoch, then index; Gets come after the other operation at their index and may share it. A witness
// is a hint: a wrong one costs time and never changes a verdict.
struct Witness {
  uint64_t epoch = 0;  // which log: the number of the shard configuration, 0 if shards do not move
  uint64_t index = 0;  // place in that log; of a Get: the index whose state was read
};

// One call of one client. Its interval is closed: operations that touch in time are concurrent. A
// recorder that wants the sharpest verdicts numbers its events and uses the numbers as times.
struct Operation {
  uint64_t process = 0;    // who called; for people
  Kind kind = Kind::kGet;  // decides which of the values below are used
  Bytes key;               // the part of the store that it is about
  Value value;     // Put, Append: the argument. CompareAndSwap: the new value; absent: delete
  Value expected;  // CompareAndSwap; absent: the key must be missing
  Outcome outcome = Outcome::kUnknown;  // decides whether `result` counts
  Value result;                         // Get: what it read. A mismatch: what the key held instead
  bool result_known = true;        // false: a mismatch whose answer did not say what the key held
  Instant invoked;                 // when it was called
  Instant returned = kNever;       // ignored if the outcome is unknown
  std::optional<Witness> witness;  // if the store says

  // It never returned, as far as anybody knows.
  bool open() const { return outcome == Outcome::kUnknown; }
};

// All that clients saw of a store.
struct History {
  std::vector<Operation> operations;  // in any order
  Value initial;                      // what every key holds at first; missing unless said
};

// InvalidArgument if an operation lacks what its kind needs or ends before it begins.
[[nodiscard]] absl::Status Validate(const History& history);

// One line for people: `[10, 20] process 3: put "x" = "1" -> ok`. Long values are abbreviated.
// What has the empty key is told as a read or a write of a register.
std::string Describe(const Operation& operation);
// `put "x" = "1" -> ok`; of longer keys and values than `shown_max` bytes both ends are shown.
inline constexpr size_t kShownBytesMax = 48;
// Both ends of what is longer than `shown_max` bytes.
std::string DescribeCall(const Operation& operation, size_t shown_max = kShownBytesMax);
// In quotes, abbreviated; or `missing`.
std::string Describe(const Value& value);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_HISTORY_H_
