// For the checker's tests: histories written by hand, histories of a simulated store, and a second,
// deliberately dumb checker to compare with.
#ifndef LOCKSTEP_TESTS_UNIT_LINEARIZABILITY_SUPPORT_H_
#define LOCKSTEP_TESTS_UNIT_LINEARIZABILITY_SUPPORT_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "sim/check/linearizability/checker.h"
#include "sim/check/linearizability/history.h"

namespace lockstep::linearizability {

inline Value Text(absl::string_view text) { return Bytes::Copy(text); }
inline Instant At(int64_t time) { return Instant(Duration(time)); }

// One operation on key "x", by process 1 unless said, in [invoked, returned].
Operation Get(int64_t invoked, int64_t returned, Value result);
Operation Put(int64_t invoked, int64_t returned, absl::string_view value);
Operation Append(int64_t invoked, int64_t returned, absl::string_view value);
Operation Delete(int64_t invoked, int64_t returned);
Operation Cas(int64_t invoked, int64_t returned, Value expected, Value value);
Operation Mismatch(int64_t invoked, int64_t returned, Value expected, Value value, Value found);
Operation BareMismatch(int64_t invoked, int64_t returned, Value expected, Value value);
Operation Open(Operation operation);  // its fate is unknown
Operation On(absl::string_view key, Operation operation);

History Of(std::vector<Operation> operations);

// What the simulated store and its clients do.
struct Shape {
  uint32_t operations = 8;
  uint32_t processes = 3;
  uint32_t keys = 1;
  bool unique = true;  // every value is written once; strings can be taken apart
  bool appends = false;
  bool swaps = false;
  bool deletes = false;
  bool bare = false;      // some mismatches do not say what they found
  bool numbered = false;  // each event has a time of its own
  Ratio open = {0, 1};
  Ratio open_witness = {1, 2};  // of the open operations that take effect
  Value initial;
};

// A linearizable history with witnesses: operations take effect at one moment of their interval.
History Simulate(Rng rng, const Shape& shape);
// Small and various: what is allowed at all is drawn too.
Shape RandomShape(Rng& rng, bool unique);
// Breaks something, perhaps: a result, an interval, an operation.
void Mutate(Rng& rng, History* history);

// Tries all orders, over all keys at once. For a dozen operations.
bool BruteForce(const History& history);
// The part of the history that the counterexample speaks of.
History Part(const History& history, const Counterexample& example);

// The verdict of one algorithm alone.
Verdict Only(Algorithm algorithm, const History& history);
// All of it, to print when a comparison fails.
std::string Dump(const History& history);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_TESTS_UNIT_LINEARIZABILITY_SUPPORT_H_
