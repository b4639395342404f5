#include "sim/check/linearizability/witness.h"

#include <algorithm>
#include <tuple>

namespace lockstep::linearizability {
namespace {

class Replay {
 public:
  explicit Replay(Partition& partition)
      : partition_(partition), entries_(partition.entries()), state_(partition.initial()) {}

  std::optional<std::vector<uint32_t>> Run() {
    if (!SortByWitness()) return std::nullopt;
    for (uint32_t i : witnessed_) {
      if (!Step(i)) return std::nullopt;
    }
    if (!KeepsRealTime()) return std::nullopt;
    return order_;
  }

 private:
  // False if a completed operation has no witness.
  bool SortByWitness() {
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      if (partition_.operation(entries_[i]).witness.has_value()) {
        witnessed_.push_back(i);
      } else if (entries_[i].open) {
        spare_.push_back(i);
      } else {
        return false;
      }
    }
    const auto rank = [this](uint32_t i) {
      const Operation& operation = partition_.operation(entries_[i]);
      const bool reads = operation.kind == Kind::kGet;
      return std::tuple(operation.witness->epoch, operation.witness->index, reads, i);
    };
    std::sort(witnessed_.begin(), witnessed_.end(),
              [&](uint32_t a, uint32_t b) { return rank(a) < rank(b); });
    return true;
  }

  bool Step(uint32_t i) {
    const Entry& entry = entries_[i];
    StateId after = state_;
    while (!partition_.Apply(entry, &after)) {
      if (!entry.observes() || !UseSpareTowards(entry.expects)) return entry.open;
      after = state_;
    }
    while (entry.form == Form::kAppend && after == kOther && state_ != kOther) {
      // Nobody ever sees this string. Perhaps an open append came in between.
      if (!UseSpareBefore(entry)) break;
      after = state_;
      partition_.Apply(entry, &after);
    }
    state_ = after;
    order_.push_back(i);
    return true;
  }

  // Executes an unused open operation that leads to `wanted`, or closer to it by an append.
  bool UseSpareTowards(StateId wanted) {
    return UseSpare([&](const Entry& entry, StateId after) {
      if (after == wanted) return true;
      return entry.form == Form::kAppend && partition_.states().MayGrowInto(after, wanted);
    });
  }

  bool UseSpareBefore(const Entry& append) {
    return UseSpare([&](const Entry& entry, StateId after) {
      return entry.form == Form::kAppend &&
             partition_.states().Append(after, append.text) != kOther;
    });
  }

  template <class Wanted>
  bool UseSpare(Wanted wanted) {
    for (size_t k = 0; k < spare_.size(); ++k) {
      const uint32_t i = spare_[k];
      StateId after = state_;
      if (!partition_.Apply(entries_[i], &after) || after == state_) continue;
      if (!wanted(entries_[i], after)) continue;
      state_ = after;
      order_.push_back(i);
      spare_.erase(spare_.begin() + static_cast<std::ptrdiff_t>(k));
      return true;
    }
    return false;
  }

  // No operation stands before one that had returned when it was invoked.
  bool KeepsRealTime() const {
    int64_t first_return = INT64_MAX;  // of what stands behind
    for (auto i = order_.rbegin(); i != order_.rend(); ++i) {
      if (entries_[*i].invoked > first_return) return false;
      first_return = std::min(first_return, entries_[*i].returned);
    }
    return true;
  }

  Partition& partition_;
  const std::vector<Entry>& entries_;
  StateId state_;
  std::vector<uint32_t> witnessed_;
  std::vector<uint32_t> spare_;  // open and without a witness, not used yet
  std::vector<uint32_t> order_;
};

}  // namespace

std::optional<std::vector<uint32_t>> LinearizeByWitness(Partition& partition) {
  return Replay(partition).Run();
}

}  // namespace lockstep::linearizability
