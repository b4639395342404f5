#include "sim/check/linearizability/frontier.h"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "core/base/check.h"

namespace lockstep::linearizability {
namespace {

// For one return so many times the width of the frontier is looked at.
constexpr size_t kLooksPerWidth = 32;

// Of the operations that return: how many need nothing any more.
int Satisfied(const Mask& mask, size_t words) {
  int count = 0;
  for (size_t w = 0; w < words; ++w) count += std::popcount(mask[w]);
  return count;
}

}  // namespace

Frontier::Frontier(Partition& partition, MemoryMeter& memory, size_t width)
    : partition_(partition),
      memory_(memory),
      width_(width),
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
  const uint32_t returning = events_[next_event_].entry;
  target_ = window_.slot(returning);
  target_use_ = window_.use(returning);
  target_wanted_ = window_.CanBeSpare(returning) && window_.Wanted(returning);
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
    if (!window_.DeadEnd(state, state, scratch_.data()))
      Place(state, scratch_.data(), /*finishes=*/true);
  }
}

void Frontier::Place(StateId state, const uint64_t* mask, bool finishes) {
  const std::optional<uint32_t> added = seen_.Add(state, mask);
  if (!added.has_value()) return;
  // What follows while the target is spare can as well come after its return.
  if (HasBit(mask, target_) && finishes) done_.push_back(*added);
  if (HasBit(mask, target_use_) || (HasBit(mask, target_) && !target_wanted_)) return;
  const size_t level = seen_.CrashedUsed(mask);
  if (levels_.size() <= level) levels_.resize(level + 1);
  levels_[level].push_back(*added);
}

// Fewest crashed operations first, so that what dominates comes before what it
// dominates.
void Frontier::Expand(Steps& steps) {
  while (level_ < levels_.size() && levels_[level_].empty()) ++level_;
  if (level_ == levels_.size()) return EndReturn();
  if (Crowded()) {
    narrowed_ = true;
    return EndReturn();
  }
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

// `use`: of the operation.
void Frontier::Linearize(uint32_t use, StateId state, const uint64_t* mask) {
  const uint32_t i = window_.occupant(use);
  const Entry& entry = partition_.entries()[i];
  StateId after = state;
  if (!partition_.Apply(entry, &after)) return;
  const bool can_be_spare = window_.CanBeSpare(i);
  const bool optional = entry.open || (can_be_spare && HasBit(mask, window_.slot(i)));
  if (optional && after == state) return;
  if (!window_.GoesFirst(use, mask)) return;
  std::copy_n(mask, window_.words(), scratch_.begin());
  SetBit(scratch_.data(), use);
  if (can_be_spare) SetBit(scratch_.data(), window_.slot(i));
  bool helps = use == target_use_;
  if (entry.form == Form::kSet && window_.MakeSpare(scratch_.data())) helps = true;
  // What a block hides is done because of this overwrite, like the reads after it.
  const int before = Satisfied(scratch_, window_.crashed_begin());
  if (entry.form == Form::kSet) window_.Hide(scratch_.data());
  const StateId reached = after;
  window_.Settle(&after, scratch_.data());
  if (Satisfied(scratch_, window_.crashed_begin()) != before) helps = true;
  if (optional && !helps && !window_.Awaits(reached, scratch_.data())) return;
  const bool finishes = !HasBit(mask, target_) || HasBit(scratch_.data(), target_use_);
  if (!window_.DeadEnd(state, after, scratch_.data())) Place(after, scratch_.data(), finishes);
}

bool Frontier::Crowded() const { return !done_.empty() && seen_.size() / kLooksPerWidth >= width_; }

// Fewest used first: what is left may still be needed.
void Frontier::KeepBest() {
  if (done_.size() <= width_) return;
  narrowed_ = true;
  const auto used = [this](uint32_t i) { return seen_.CrashedUsed(seen_.mask(i)); };
  const auto last = done_.begin() + static_cast<std::ptrdiff_t>(width_);
  std::nth_element(done_.begin(), last, done_.end(), [&](uint32_t a, uint32_t b) {
    const uint32_t a_used = used(a);
    const uint32_t b_used = used(b);
    return a_used != b_used ? a_used < b_used : a < b;
  });
  done_.erase(last, done_.end());
}

void Frontier::EndReturn() {
  expanding_ = false;
  done_.erase(
      std::remove_if(done_.begin(), done_.end(), [this](uint32_t i) { return seen_.Dominated(i); }),
      done_.end());
  KeepBest();
  states_.clear();
  masks_.clear();
  for (uint32_t i : done_) {
    states_.push_back(seen_.state(i));
    masks_.insert(masks_.end(), seen_.mask(i), seen_.mask(i) + window_.words());
    uint64_t* const mask = &masks_[masks_.size() - window_.words()];
    ClearBit(mask, target_);
    ClearBit(mask, target_use_);
  }
  if (states_.empty()) {
    progress_ = narrowed_ ? Progress::kTooNarrow : Progress::kViolation;
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
