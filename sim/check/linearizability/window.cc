#include "sim/check/linearizability/window.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace lockstep::linearizability {
namespace {

constexpr size_t kWishesMax = 6;
constexpr size_t kEventsAheadMax = 512;

// Completed, always legal, and without an answer that says anything.
bool IsBlind(const Entry& entry) {
  return !entry.open && (entry.form == Form::kSet || entry.form == Form::kAppend);
}

// Numbers that are given back.
class Slots {
 public:
  uint32_t Take() {
    if (free_.empty()) return count_++;
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void Give(uint32_t slot) { free_.push_back(slot); }
  uint32_t count() const { return count_; }

 private:
  std::vector<uint32_t> free_;
  uint32_t count_ = 0;
};

}  // namespace

Window::Window(const Partition& partition, const std::vector<Event>& events)
    : partition_(partition),
      entries_(partition.entries()),
      events_(events),
      tracked_(partition.states().observed_end()),
      slot_(entries_.size(), kNoSlot),
      use_(entries_.size(), kNoSlot),
      counts_(tracked_) {
  AssignSlots(events);
  FindEquals();
}

uint64_t Window::bytes() const {
  return (uint64_t{tracked_} * kRoles * words_ + words_ * 64) * sizeof(uint64_t);
}

void Window::Start() {
  twin_.assign(words_ * 64, kNoSlot);
  occupied_.assign(words_, 0);
  blind_.assign(words_, 0);
  masks_.assign(static_cast<size_t>(tracked_) * kRoles * words_, 0);
  for (const Entry& entry : entries_) Count(entry, /*add=*/true);
}

void Window::AssignSlots(const std::vector<Event>& events) {
  Slots closing;
  Slots uses;
  uint32_t crashed = 0;
  for (const Event& event : events) {
    const uint32_t i = event.entry;
    const bool blind = IsBlind(entries_[i]);
    if (event.returns) {
      closing.Give(slot_[i]);
      if (blind) uses.Give(use_[i]);
    } else if (entries_[i].open) {
      slot_[i] = crashed++;
    } else {
      slot_[i] = closing.Take();
      if (blind) use_[i] = uses.Take();
    }
  }
  crashed_begin_ = (closing.count() + 63) / 64;
  words_ = crashed_begin_ + (uses.count() + crashed + 63) / 64;
  occupant_.assign(words_ * 64, kNoSlot);
  const uint32_t begin = static_cast<uint32_t>(crashed_begin_ * 64);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].open) slot_[i] += begin + uses.count();
    use_[i] = IsBlind(entries_[i]) ? use_[i] + begin : slot_[i];
  }
}

void Window::FindEquals() {
  const auto what = [&](uint32_t i) {
    const Entry& e = entries_[i];
    return std::tuple(e.form, e.expects, e.produces, e.text);
  };
  std::vector<uint32_t> order(entries_.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return what(a) < what(b); });
  equals_.resize(entries_.size());
  uint32_t number = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    if (k > 0 && what(order[k - 1]) != what(order[k])) ++number;
    equals_[order[k]] = number;
  }
  open_equals_.resize(size_t{number} + 1);
  crashed_equals_.resize(size_t{number} + 1);
}

void Window::AddEqual(uint32_t i) {
  const uint32_t kind = equals_[i];
  if (!entries_[i].open) {
    if (CanBeSpare(i) && open_equals_[kind].empty())
      blind_kinds_.insert(std::lower_bound(blind_kinds_.begin(), blind_kinds_.end(), kind), kind);
    return open_equals_[kind].push_back(i);
  }
  std::vector<uint32_t>& equals = crashed_equals_[kind];
  if (!equals.empty()) twin_[slot_[i]] = equals.back();
  if (equals.empty() && entries_[i].form != Form::kSwap) crashed_kinds_.push_back(kind);
  equals.push_back(slot_[i]);
}

bool Window::Awaits(StateId state, const uint64_t* mask) const {
  if (state == kOther) return false;
  if (partition_.has_appends()) return true;
  const uint64_t* observers = this->mask(state, kObservers);
  const uint64_t* reads = this->mask(state, kReads);
  for (size_t w = 0; w < words_; ++w) {
    if ((observers[w] & ~reads[w] & ~mask[w]) != 0) return true;
  }
  return false;
}

bool Window::GoesFirst(uint32_t slot, const uint64_t* mask) const {
  if (twin_[slot] != kNoSlot && !HasBit(mask, twin_[slot])) return false;
  const uint32_t i = occupant_[slot];
  // An append, other than an overwrite, satisfies nobody but itself: a spare
  // one must not keep one back that has to be linearized yet.
  const bool presses =
      entries_[i].form == Form::kAppend && CanBeSpare(i) && !HasBit(mask, slot_[i]);
  for (uint32_t other : open_equals_[equals_[i]]) {
    if (other == i || HasBit(mask, use_[other])) continue;
    if (presses && HasBit(mask, slot_[other])) continue;
    if (entries_[other].returned < entries_[i].returned) return false;
    if (entries_[other].returned == entries_[i].returned && other < i) return false;
  }
  return true;
}

void Window::Count(const Entry& entry, bool add) {
  const uint32_t one = add ? 1 : UINT32_MAX;  // Modulo 2^32.
  const bool differs = entry.form == Form::kDiffer;
  if ((entry.observes() || differs) && Tracked(entry.expects)) {
    counts_[entry.expects].observers += one;
    if (!entry.open && !differs) counts_[entry.expects].needs += one;
  }
  const bool makes = entry.form == Form::kSet || entry.form == Form::kSwap;
  if (makes && Tracked(entry.produces)) counts_[entry.produces].makers += one;
}

void Window::Mark(uint32_t i, bool set) {
  const Entry& entry = entries_[i];
  const uint32_t slot = slot_[i];
  const uint32_t use = use_[i];
  const auto mark = [&](StateId state, Role role, uint32_t bit) {
    if (!Tracked(state)) return;
    uint64_t* bits = &masks_[(static_cast<size_t>(state) * kRoles + role) * words_];
    if (set) {
      SetBit(bits, bit);
    } else {
      ClearBit(bits, bit);
    }
  };
  const bool differs = entry.form == Form::kDiffer;
  if (entry.form == Form::kRead) mark(entry.expects, kReads, slot);
  if (entry.observes() || differs) mark(entry.expects, kObservers, slot);
  if (entry.observes() && !entry.open) mark(entry.expects, kNeeds, slot);
  if (entry.form == Form::kSet || entry.form == Form::kSwap) mark(entry.produces, kMakers, use);
}

void Window::Open(uint32_t i) {
  const Entry& entry = entries_[i];
  occupant_[slot_[i]] = i;
  occupant_[use_[i]] = i;
  SetBit(occupied_.data(), slot_[i]);
  if (CanBeSpare(i)) SetBit(blind_.data(), slot_[i]);
  Mark(i, /*set=*/true);
  AddEqual(i);
  if (entry.form == Form::kDiffer) differs_.push_back(i);
}

void Window::Close(uint32_t i) {
  const Entry& entry = entries_[i];
  ClearBit(occupied_.data(), slot_[i]);
  ClearBit(blind_.data(), slot_[i]);
  Mark(i, /*set=*/false);
  std::vector<uint32_t>& equals = open_equals_[equals_[i]];
  equals.erase(std::remove(equals.begin(), equals.end(), i), equals.end());
  if (CanBeSpare(i) && equals.empty())
    blind_kinds_.erase(std::lower_bound(blind_kinds_.begin(), blind_kinds_.end(), equals_[i]));
  Count(entry, /*add=*/false);
  differs_.erase(std::remove(differs_.begin(), differs_.end(), i), differs_.end());
}

// There may be thousands of operations that stay open for ever, but they do few
// different things, and of those that overwrite only the ones matter whose
// effect something open can observe.
void Window::FindKinds() {
  live_kinds_.clear();
  const bool all = partition_.has_appends() || partition_.has_differs();
  for (uint32_t kind : crashed_kinds_) {
    const Entry& entry = entries_[occupant_[crashed_equals_[kind].front()]];
    if (all || Observable(entry.produces)) live_kinds_.push_back(kind);
  }
}

void Window::FirstOfEach(const uint64_t* mask, std::vector<uint32_t>* slots) const {
  slots->clear();
  for (uint32_t kind : live_kinds_) {
    for (uint32_t slot : crashed_equals_[kind]) {
      if (HasBit(mask, slot)) continue;
      slots->push_back(slot);
      break;
    }
  }
  for (uint32_t kind : blind_kinds_) AddFirstSpare(kind, mask, slots);
}

// Those for whom GoesFirst holds.
void Window::AddFirstSpare(uint32_t kind, const uint64_t* mask,
                           std::vector<uint32_t>* slots) const {
  for (uint32_t i : open_equals_[kind]) {
    if (!HasBit(mask, use_[i]) && GoesFirst(use_[i], mask)) slots->push_back(use_[i]);
  }
}

bool Window::MakeSpare(uint64_t* mask) const {
  uint64_t fresh = 0;
  for (size_t w = 0; w < crashed_begin_; ++w) {
    fresh |= blind_[w] & ~mask[w];
    mask[w] |= blind_[w];
  }
  return fresh != 0;
}

bool Window::Wanted(uint32_t i) const {
  const Entry& entry = entries_[i];
  if (partition_.has_differs() || entry.form == Form::kAppend) return true;
  if (partition_.has_appends()) return entry.produces != kOther;
  return Tracked(entry.produces) && counts_[entry.produces].observers > 0;
}

bool Window::Observable(StateId state) const {
  if (!Tracked(state)) return false;
  const uint64_t* observers = mask(state, kObservers);
  return std::any_of(observers, observers + words_, [](uint64_t word) { return word != 0; });
}

void Window::FindHidden() {
  hidden_.clear();
  hidden_blocks_.clear();
  if (partition_.has_differs()) return;
  Mask block(words_, 0);
  for (size_t w = 0; w < crashed_begin_; ++w) {
    for (uint64_t left = occupied_[w]; left != 0; left &= left - 1) {
      const uint32_t slot =
          static_cast<uint32_t>(w * 64) + static_cast<uint32_t>(std::countr_zero(left));
      const Entry& entry = entries_[occupant_[slot]];
      if (entry.form != Form::kSet) continue;
      // With appends a prefix is observed by whoever observes what it grows
      // into.
      if (partition_.has_appends() && entry.produces != kOther) continue;
      std::fill(block.begin(), block.end(), 0);
      if (!AddObservers(entry.produces, block.data())) continue;
      const uint32_t use = use_[occupant_[slot]];
      SetBit(block.data(), slot);
      SetBit(block.data(), use);
      hidden_.push_back(use);
      hidden_blocks_.insert(hidden_blocks_.end(), block.begin(), block.end());
    }
  }
}

bool Window::AddObservers(StateId state, uint64_t* block) const {
  for (size_t length = 0; Tracked(state); ++length) {
    const uint64_t* reads = mask(state, kReads);
    const uint64_t* needs = mask(state, kNeeds);
    uint32_t seen = 0;
    uint32_t swaps = 0;
    uint32_t swap = 0;
    for (size_t w = 0; w < crashed_begin_; ++w) {
      seen += static_cast<uint32_t>(std::popcount(needs[w]));
      block[w] |= needs[w];
      const uint64_t others = needs[w] & ~reads[w];
      if (others == 0) continue;
      swaps += static_cast<uint32_t>(std::popcount(others));
      swap = static_cast<uint32_t>(w * 64) + static_cast<uint32_t>(std::countr_zero(others));
    }
    if (seen != counts_[state].observers || swaps > 1 || length > crashed_begin_ * 64) return false;
    if (swaps == 0) return true;
    state = entries_[occupant_[swap]].produces;
  }
  return true;
}

void Window::LookAhead(size_t now) {
  FindKinds();
  FindHidden();
  wishes_.clear();
  if (!partition_.has_appends()) return;
  const size_t until = std::min(events_.size(), now + kEventsAheadMax);
  for (size_t i = now; i < until && wishes_.size() < kWishesMax; ++i) {
    if (events_[i].returns && entries_[events_[i].entry].observes()) MakeWish(now, i);
  }
}

void Window::MakeWish(size_t now, size_t returns) {
  const uint32_t reader = events_[returns].entry;
  const StateId state = entries_[reader].expects;
  const auto resets = [&](const Entry& entry) {
    if (entry.form != Form::kSet && entry.form != Form::kSwap) return false;
    return partition_.states().MayGrowInto(entry.produces, state);
  };
  Wish wish{kNoSlot, state, /*later=*/false, Mask(words_, 0)};
  if (occupant_[slot_[reader]] == reader && HasBit(occupied_.data(), slot_[reader]))
    wish.slot = slot_[reader];
  for (size_t w = 0; w < words_; ++w) {
    for (uint64_t left = occupied_[w]; left != 0; left &= left - 1) {
      const uint32_t slot =
          static_cast<uint32_t>(w * 64) + static_cast<uint32_t>(std::countr_zero(left));
      if (resets(entries_[occupant_[slot]])) SetBit(wish.resets.data(), use_[occupant_[slot]]);
    }
  }
  for (size_t i = now; i < returns && !wish.later; ++i) {
    if (!events_[i].returns && resets(entries_[events_[i].entry])) wish.later = true;
  }
  wishes_.push_back(std::move(wish));
}

void Window::Settle(StateId* state, uint64_t* mask) const {
  for (uint32_t i : differs_) {
    if (entries_[i].expects != *state) SetBit(mask, slot_[i]);
  }
  if (!Tracked(*state)) return;
  const uint64_t* reads = this->mask(*state, kReads);
  for (size_t w = 0; w < crashed_begin_; ++w) mask[w] |= reads[w];
  if (partition_.has_appends()) return;  // A prefix matters even if nobody observes just it.
  const uint32_t observers = Left(counts_[*state].observers, this->mask(*state, kObservers), mask);
  if (observers == 0) *state = kOther;
}

void Window::Hide(uint64_t* mask) const {
  for (size_t k = 0; k < hidden_.size(); ++k) {
    if (HasBit(mask, hidden_[k])) continue;
    for (size_t w = 0; w < words_; ++w) mask[w] |= hidden_blocks_[k * words_ + w];
  }
}

bool Window::DeadEnd(StateId from, StateId to, const uint64_t* mask) const {
  if (partition_.has_appends()) {
    for (const Wish& wish : wishes_) {
      if (Unfulfilled(wish, to, mask)) return true;
    }
    return false;
  }
  if (from == to || !Tracked(from)) return false;
  if (Left(counts_[from].needs, this->mask(from, kNeeds), mask) == 0) return false;
  return Left(counts_[from].makers, this->mask(from, kMakers), mask) == 0;
}

bool Window::Unfulfilled(const Wish& wish, StateId state, const uint64_t* mask) const {
  if (wish.later) return false;
  if (wish.slot != kNoSlot && HasBit(mask, wish.slot)) return false;
  if (partition_.states().MayGrowInto(state, wish.state)) return false;
  for (size_t w = 0; w < words_; ++w) {
    if ((wish.resets[w] & ~mask[w]) != 0) return false;
  }
  return true;
}

uint32_t Window::Left(uint32_t all, const uint64_t* slots, const uint64_t* mask) const {
  int taken = 0;
  for (size_t w = 0; w < words_; ++w) taken += std::popcount(slots[w] & mask[w]);
  return all - static_cast<uint32_t>(taken);
}

}  // namespace lockstep::linearizability
