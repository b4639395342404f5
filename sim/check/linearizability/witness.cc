#include "sim/check/linearizability/witness.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"

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
    if (!unplaced_.empty() && !PlaceReads()) return std::nullopt;
    if (!KeepsRealTime()) return std::nullopt;
    return order_;
  }

 private:
  // False if a completed operation has no witness, and is no read.
  bool SortByWitness() {
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      if (partition_.operation(entries_[i]).witness.has_value()) {
        witnessed_.push_back(i);
      } else if (entries_[i].open) {
        spare_.push_back(i);
      } else if (entries_[i].form == Form::kRead) {
        unplaced_.push_back(i);
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

  // Reads that nobody can place by number: each goes to the first place that real time allows and
  // where the state is what it saw. That is never worse than a later one. False: there is none.
  bool PlaceReads() {
    absl::btree_map<StateId, std::vector<size_t>> places;  // ascending
    StateId state = partition_.initial();
    for (size_t place = 0; place <= order_.size(); ++place) {
      places[state].push_back(place);
      if (place < order_.size()) partition_.Apply(entries_[order_[place]], &state);
    }
    std::vector<std::pair<int64_t, size_t>> returned;  // when, and which place is behind it
    std::vector<std::pair<int64_t, size_t>> invoked;   // when, and which place is before it
    for (size_t place = 0; place < order_.size(); ++place) {
      returned.emplace_back(entries_[order_[place]].returned, place + 1);
      invoked.emplace_back(entries_[order_[place]].invoked, place);
    }
    std::sort(returned.begin(), returned.end());
    std::sort(invoked.begin(), invoked.end());
    for (size_t k = 1; k < returned.size(); ++k) {
      returned[k].second = std::max(returned[k].second, returned[k - 1].second);
    }
    for (size_t k = invoked.size(); k > 1; --k) {
      invoked[k - 2].second = std::min(invoked[k - 2].second, invoked[k - 1].second);
    }
    std::vector<std::pair<size_t, uint32_t>> placed;
    absl::btree_map<int64_t, size_t> reads;  // by return: the furthest place so far
    for (const uint32_t i : unplaced_) {     // by invocation
      const Entry& read = entries_[i];
      const auto after =
          std::lower_bound(returned.begin(), returned.end(), std::pair(read.invoked, size_t{0}));
      const auto before =
          std::upper_bound(invoked.begin(), invoked.end(), std::pair(read.returned, SIZE_MAX));
      size_t least = after == returned.begin() ? 0 : std::prev(after)->second;
      const size_t most = before == invoked.end() ? order_.size() : before->second;
      const auto earlier = reads.lower_bound(read.invoked);
      if (earlier != reads.begin()) least = std::max(least, std::prev(earlier)->second);
      const auto known = places.find(read.expects);
      if (known == places.end()) return false;
      const auto place = std::lower_bound(known->second.begin(), known->second.end(), least);
      if (place == known->second.end() || *place > most) return false;
      placed.emplace_back(*place, i);
      NoteFurthest(read.returned, *place, reads);
    }
    Insert(std::move(placed));
    return true;
  }

  // Keeps `reads` ascending in both.
  static void NoteFurthest(int64_t returned, size_t place,
                           absl::btree_map<int64_t, size_t>& reads) {
    auto at = reads.lower_bound(returned);
    const bool further = at == reads.begin() || std::prev(at)->second < place;
    if (at != reads.end() && at->first == returned && at->second >= place) return;
    if (!further) return;
    while (at != reads.end() && at->second <= place) at = reads.erase(at);
    reads[returned] = place;
  }

  void Insert(std::vector<std::pair<size_t, uint32_t>> placed) {
    std::sort(placed.begin(), placed.end());  // In one place by invocation.
    std::vector<uint32_t> order;
    auto next = placed.begin();
    for (size_t place = 0; place <= order_.size(); ++place) {
      for (; next != placed.end() && next->first == place; ++next) order.push_back(next->second);
      if (place < order_.size()) order.push_back(order_[place]);
    }
    order_ = std::move(order);
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
  std::vector<uint32_t> spare_;     // open and without a witness, not used yet
  std::vector<uint32_t> unplaced_;  // completed reads without a witness
  std::vector<uint32_t> order_;
};

}  // namespace

std::optional<std::vector<uint32_t>> LinearizeByWitness(Partition& partition) {
  return Replay(partition).Run();
}

}  // namespace lockstep::linearizability
