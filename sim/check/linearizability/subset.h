// Parts of a key's history that are still violations if the whole is not to blame for less: what a
// counterexample may leave out.
//
// Three reductions turn a linearizable history into a linearizable one, so a violation that is left
// after them was there before: dropping an operation that only reads; dropping a write that no
// remaining operation can have observed; cutting the history off at a moment, so that what has not
// returned by then is open.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SUBSET_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SUBSET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/check/linearizability/checker.h"
#include "sim/check/linearizability/history.h"
#include "sim/check/linearizability/tables.h"

namespace lockstep::linearizability {

// Operations of one key, as ascending places in the history, up to a moment.
struct Subset {
  std::vector<uint32_t> operations;
  int64_t cut = INT64_MAX;
};

class SubsetJudge {
 public:
  // `key`: all operations of the key. `history` outlives this.
  SubsetJudge(const History& history, const std::vector<uint32_t>& key, uint64_t steps_max);

  // The subset as a history of its own; `places[i]` is the place in the whole of its operation i.
  History Build(const Subset& subset, std::vector<uint32_t>* places) const;
  // A try that takes more than `steps_max` is not worth more, unless it is one of few.
  static constexpr uint64_t kTryStepsMax = 2'000'000;
  Verdict Judge(const Subset& subset, uint64_t steps_max = kTryStepsMax);
  // Why the subset is a violation, as far as an algorithm can say; may be empty.
  std::string Reason(const Subset& subset);
  Verdict Judge(const History& history, uint64_t steps_max = kTryStepsMax);

  // Adds the writes among `from` that operations of the subset can have observed, so that what
  // remains are reductions as above. False, and nothing done, if the budget is used up.
  [[nodiscard]] bool Close(const std::vector<uint32_t>& from, std::vector<uint32_t>* operations);
  bool exhausted() const { return steps_ >= steps_max_; }
  uint64_t steps() const { return steps_; }

 private:
  struct Observed {
    absl::string_view value;
    uint32_t observer;
  };
  struct Observations {
    std::vector<Observed> strings;  // by value, unique
    bool missing = false;
    bool anything = false;  // a mismatch without a value observes every write
  };
  Observations ObservedBy(const std::vector<uint32_t>& operations) const;
  bool CanHaveSeen(const Observations& observed, uint32_t write);
  bool MayContain(const Observed& observed, uint32_t write);
  Options JudgeOptions(uint64_t steps_max) const;

  const History& history_;
  const uint64_t steps_max_;
  uint64_t steps_ = 0;
  PairMap contains_;      // (observer, write) -> 0 or 1, for keys with appends
  bool appends_ = false;  // somewhere in the key: values can be parts of longer ones
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SUBSET_H_
