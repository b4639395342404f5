// The states of one key as small numbers, exact and without copying a value.
//
// Only what some operation observed can tell states apart. So a state is "missing", or a prefix of
// an observed value that appends may complete, or "other": all the rest are one state, since no
// operation can ever tell them apart or lead out of them except by overwriting. A prefix is a range
// of the sorted observed values plus a length, so an append is two binary searches in that range.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_STATES_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_STATES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/check/linearizability/history.h"
#include "sim/check/linearizability/tables.h"

namespace lockstep::linearizability {

using StateId = uint32_t;
inline constexpr StateId kMissing = 0;
inline constexpr StateId kOther = 1;
inline constexpr StateId kFirstObserved = 2;

class States {
 public:
  // `observed`: the values that operations of the key observe; views that outlive this object.
  // `texts`: what operations append to the key. Duplicates are welcome in both.
  States(const std::vector<absl::string_view>& observed,
         const std::vector<absl::string_view>& texts);

  // The state of a key that holds `value`.
  StateId Of(const Value& value);
  // The number of an appended text. REQUIRES: it is one of `texts`.
  uint32_t TextOf(absl::string_view text) const;
  // The state after text number `text` was appended.
  StateId Append(StateId state, uint32_t text);
  // Whether appends alone may turn `from` into the observed state `to` (also if they are equal).
  bool MayGrowInto(StateId from, StateId to) const;

  // States below this are missing, other, or observed in full; states above are proper prefixes.
  StateId observed_end() const { return kFirstObserved + static_cast<StateId>(values().size()); }
  // REQUIRES: `state` is an observed string.
  absl::string_view value(StateId state) const;

 private:
  struct Node {  // The values [begin, until) are those that start with this prefix.
    uint32_t begin = 0;
    uint32_t until = 0;
    size_t length = 0;
  };
  const std::vector<absl::string_view>& values() const {
    return grows_ ? values_ : observed_.strings();
  }
  // The part of [node.begin, node.until) that goes on with `text` after node.length bytes.
  Node Narrow(Node node, absl::string_view text) const;
  StateId Intern(Node node);

  bool grows_;  // there are appends, so prefixes matter
  StringTable observed_;
  std::vector<absl::string_view> values_;  // only if grows_: what was observed, sorted
  std::vector<absl::string_view> texts_;   // sorted, unique
  std::vector<Node> nodes_;                // only if grows_; nodes_[i] is state kFirstObserved + i
  PairMap proper_;                         // (begin, length) of a proper prefix -> state
  PairMap appended_;                       // (state, text) -> state
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_STATES_H_
