// The linearizability checker (Herlihy and Wing 1990): is there one order of the operations in
// which each gives the answer it gave, and in which none comes before one that had returned when it
// was invoked?
//
// Each key is judged alone, by the first of these that can: its witness, zones, and then the
// frontier and the depth-first search in turns, over all undecided keys, in slices that double. All
// budgets are counted in steps, so a verdict depends on the history and the options only.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_CHECKER_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_CHECKER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/check/linearizability/history.h"

namespace lockstep::linearizability {

// What is known of a history.
enum class Verdict : uint8_t {
  kLinearizable,
  kViolation,
  kUndecided,  // the budget of steps or memory was too small; not a pass
};

// How a key was decided, from the cheapest on.
enum class Algorithm : uint8_t { kWitness, kZones, kFrontier, kDepthFirst };
inline constexpr size_t kAlgorithms = 4;  // of Algorithm

// How much may be spent.
struct Options {
  // Together for all keys. A step is one configuration or operation looked at: 10 to 50 ns.
  uint64_t steps_max = 1'000'000'000;
  uint64_t memory_bytes_max = uint64_t{1} << 30;  // for the memos of the searches
  uint64_t slice_steps = 4096;                    // of the first round of the searches
  uint64_t shrink_steps_max = 50'000'000;         // to make the counterexample small; 0: leave it
  // Configurations that the frontier search keeps at first; it widens as long as these show
  // nothing.
  size_t frontier_width = 64;
  std::array<bool, kAlgorithms> use = {true, true, true, true};  // by Algorithm
};

// Why a history is not linearizable: a few operations of one key that already are not. Operations
// are named by their place in History::operations.
struct Counterexample {
  Bytes key;           // the operations are all of this key
  std::string reason;  // one sentence
  // In the order of their invocations. Even cut off at the return of `unplaced`, what had not
  // returned by then being open, they have no order.
  std::vector<size_t> operations;
  // An order for those of them that happened before `unplaced` returned.
  std::vector<size_t> prefix;
  // The operation whose return leaves no order.
  size_t unplaced = 0;
  // The longest linearizable prefix of all operations of the key, those that were then open taken
  // as open for ever, ends right before `unplaced` returns. False: not known within the budget.
  bool longest = false;
  // An order for that prefix; empty if none was found within the budget.
  std::vector<size_t> key_prefix;
  // The first had returned when the second was invoked; without that there would be an order.
  std::optional<std::pair<size_t, size_t>> blocking;
  size_t key_operations = 0;  // how many operations of the key there are in the history
};

// The verdict and what it cost.
struct Report {
  Verdict verdict = Verdict::kUndecided;         // of the whole history
  size_t keys = 0;                               // how many there are
  std::array<size_t, kAlgorithms> decided = {};  // keys, by the Algorithm that decided them
  uint64_t steps = 0;                            // spent, of Options::steps_max
  std::vector<Bytes> undecided;                  // keys, ascending; empty after a violation
  std::optional<Counterexample> counterexample;  // after a violation
};

// REQUIRES: Validate(history).ok().
[[nodiscard]] Report CheckHistory(const History& history, const Options& options = {});

// For people: the verdict and, after a violation, what to look at. Several lines.
// REQUIRES: the report is of this history.
std::string Describe(const Report& report, const History& history);
// "linearizable", ...
absl::string_view Name(Verdict verdict);
// "zones", ...
absl::string_view Name(Algorithm algorithm);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_CHECKER_H_
