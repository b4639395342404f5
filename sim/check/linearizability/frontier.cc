#include "sim/check/linearizability/frontier.h"

#include <algorithm>
#include <bit>

#include "core/base/check.h"

namespace lockstep::linearizability {
namespace {

int Linearized(const Mask& mask) {
  int count = 0;
  for (uint64_t word : mask) count += std::popcount(word);
  return count;
}

}  // namespace

Frontier::Frontier(Partition& partition, MemoryMeter& memory)
    : partition_(partition),
      memory_(memory),
      events_(partition.Events()),
      window_(partition, events_),
      states_({partition.initial()}),
      masks_(window_.words(), 0),
      seen_(window_.crashed_begin(), window_.words()),
      scratch_(window_.words(), 0),
      current_(window_.words(), 0) {
  if (Charge()) {
    window_.Start();
  } else {
    progress_ = Progress::kGaveUp;
  }
}

Frontier::~Frontier() { memory_.Give(charged_); }

Progress Frontier::Run(Steps& steps) {
  while (progress_ == Progress::kWorking && !steps.exhausted()) {
    if (!Charge()) {
      progress_ = Progress::kGaveUp;
    } else if (expanding_) {
      Expand(steps);
    } else if (next_event_ == events_.size()) {
      progress_ = Progress::kLinearizable;
    } else if (events_[next_event_].returns) {
      BeginReturn(steps);
    } else {
      ++steps.used;
      window_.Open(events_[next_event_].entry);
      ++next_event_;
    }
  }
  return progress_;
}

void Frontier::BeginReturn(Steps& steps) {
  expanding_ = true;
  target_ = window_.slot(events_[next_event_].entry);
  seen_.Clear();
  done_.clear();
  for (std::vector<uint32_t>& level : levels_) level.clear();
  level_ = 0;
  window_.LookAhead(next_event_);
  const size_t words = window_.words();
  for (size_t i = 0; i < states_.size(); ++i) {
    ++steps.used;
    StateId state = states_[i];
    std::copy_n(masks_.begin() + static_cast<std::ptrdiff_t>(i * words), words, scratch_.begin());
    window_.Settle(&state, scratch_.data());
    if (!window_.DeadEnd(state, state, scratch_.data())) Place(state, scratch_.data());
  }
}

void Frontier::Place(StateId state, const uint64_t* mask) {
  const std::optional<uint32_t> added = seen_.Add(state, mask);
  if (!added.has_value()) return;
  if (HasBit(mask, target_)) {
    done_.push_back(*added);
    return;
  }
  const size_t level = seen_.CrashedUsed(mask);
  if (levels_.size() <= level) levels_.resize(level + 1);
  levels_[level].push_back(*added);
}

// Fewest crashed operations first, so that what dominates comes before what it dominates.
void Frontier::Expand(Steps& steps) {
  while (level_ < levels_.size() && levels_[level_].empty()) ++level_;
  if (level_ == levels_.size()) return EndReturn();
  const uint32_t configuration = levels_[level_].back();
  levels_[level_].pop_back();
  ++steps.used;
  if (!seen_.Dominated(configuration)) ExpandOne(configuration, steps);
}

void Frontier::ExpandOne(uint32_t configuration, Steps& steps) {
  const size_t words = window_.words();
  const StateId state = seen_.state(configuration);
  std::copy_n(seen_.mask(configuration), words, current_.begin());
  for (size_t w = 0; w < words; ++w) {
    for (uint64_t left = window_.Candidates(state, w) & ~current_[w]; left != 0; left &= left - 1) {
      ++steps.used;
      Linearize(static_cast<uint32_t>(w * 64) + static_cast<uint32_t>(std::countr_zero(left)),
                state, current_.data());
    }
  }
  window_.FirstOfEach(current_.data(), &firsts_);
  for (uint32_t slot : firsts_) {
    ++steps.used;
    Linearize(slot, state, current_.data());
  }
}

void Frontier::Linearize(uint32_t slot, StateId state, const uint64_t* mask) {
  const Entry& entry = partition_.entries()[window_.occupant(slot)];
  StateId after = state;
  if (!partition_.Apply(entry, &after)) return;
  if (entry.open && after == state) return;
  if (!window_.GoesFirst(slot, mask)) return;
  std::copy_n(mask, window_.words(), scratch_.begin());
  SetBit(scratch_.data(), slot);
  if (entry.form == Form::kSet) window_.Hide(scratch_.data());
  const StateId reached = after;
  const int before = Linearized(scratch_);
  window_.Settle(&after, scratch_.data());
  if (entry.open && Linearized(scratch_) == before && !window_.Awaits(reached, scratch_.data()))
    return;
  if (!window_.DeadEnd(state, after, scratch_.data())) Place(after, scratch_.data());
}

void Frontier::EndReturn() {
  expanding_ = false;
  states_.clear();
  masks_.clear();
  for (uint32_t i : done_) {
    if (seen_.Dominated(i)) continue;
    states_.push_back(seen_.state(i));
    masks_.insert(masks_.end(), seen_.mask(i), seen_.mask(i) + window_.words());
    ClearBit(&masks_[masks_.size() - window_.words()], target_);
  }
  if (states_.empty()) {
    progress_ = Progress::kViolation;
    return;
  }
  window_.Close(events_[next_event_].entry);
  ++next_event_;
}

bool Frontier::Charge() {
  const uint64_t bytes = window_.bytes() + seen_.bytes() + masks_.capacity() * sizeof(uint64_t);
  if (bytes <= charged_) return true;
  if (!memory_.Take(bytes - charged_)) return false;
  charged_ = bytes;
  return true;
}

}  // namespace lockstep::linearizability
