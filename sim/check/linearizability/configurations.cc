#include "sim/check/linearizability/configurations.h"

#include <algorithm>

#include "core/base/hash.h"

namespace lockstep::linearizability {

uint64_t Configurations::bytes() const {
  const size_t each = sizeof(StateId) + sizeof(uint32_t) + words_ * sizeof(uint64_t);
  return states_.capacity() * each + slots_.size() * sizeof(Slot);
}

void Configurations::Clear() {
  states_.clear();
  masks_.clear();
  next_.clear();
  groups_ = 0;
  ++generation_;
}

std::optional<uint32_t> Configurations::Add(StateId state, const uint64_t* mask) {
  if ((groups_ + 1) * 4 > slots_.size() * 3) Grow();
  Slot& slot = slots_[Find(state, mask)];
  if (slot.generation != generation_) {
    slot = {generation_, kEnd};
    ++groups_;
  }
  for (uint32_t i = slot.first; i != kEnd; i = next_[i]) {
    if (CrashedWithin(this->mask(i), mask)) return std::nullopt;
  }
  const uint32_t added = static_cast<uint32_t>(states_.size());
  states_.push_back(state);
  masks_.insert(masks_.end(), mask, mask + words_);
  next_.push_back(slot.first);
  slot.first = added;
  return added;
}

bool Configurations::Dominated(uint32_t i) const {
  if (crashed_begin_ == words_) return false;
  // Later members of a group stand before earlier ones, so only they need a look: an earlier one
  // that is a subset would have kept `i` out.
  const Slot& slot = slots_[Find(state(i), mask(i))];
  for (uint32_t j = slot.first; j != i; j = next_[j]) {
    if (CrashedWithin(mask(j), mask(i))) return true;
  }
  return false;
}

uint64_t Configurations::Hash(StateId state, const uint64_t* mask) const {
  uint64_t hash = state;
  for (size_t w = 0; w < crashed_begin_; ++w) hash = HashChain(hash, mask[w]);
  return Mix64(hash);
}

size_t Configurations::Find(StateId state, const uint64_t* mask) const {
  size_t i = Hash(state, mask) & (slots_.size() - 1);
  while (slots_[i].generation == generation_ && !SameGroup(slots_[i].first, state, mask))
    i = (i + 1) & (slots_.size() - 1);
  return i;
}

bool Configurations::SameGroup(uint32_t i, StateId state, const uint64_t* mask) const {
  return states_[i] == state && std::equal(mask, mask + crashed_begin_, this->mask(i));
}

bool Configurations::CrashedWithin(const uint64_t* a, const uint64_t* b) const {
  for (size_t w = crashed_begin_; w < words_; ++w) {
    if ((a[w] & ~b[w]) != 0) return false;
  }
  return true;
}

void Configurations::Grow() {
  std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.generation == generation_) slots_[Find(states_[slot.first], mask(slot.first))] = slot;
  }
}

}  // namespace lockstep::linearizability
