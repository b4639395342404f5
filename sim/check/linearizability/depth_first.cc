#include "sim/check/linearizability/depth_first.h"

#include "core/base/check.h"
#include "core/base/hash.h"

namespace lockstep::linearizability {
namespace {

// Zobrist keys: the fingerprint of a set is the exclusive or of those of its members.
FingerprintSet::Fingerprint KeyOf(uint64_t number) {
  return {Mix64(2 * number + 1), Mix64(Mix64(2 * number + 2) + 0x9E3779B97F4A7C15)};
}

FingerprintSet::Fingerprint Xor(FingerprintSet::Fingerprint x, FingerprintSet::Fingerprint y) {
  return {x.a ^ y.a, x.b ^ y.b};
}

constexpr uint64_t kStateKeys = uint64_t{1} << 40;  // beyond the numbers of operations

}  // namespace

DepthFirst::DepthFirst(Partition& partition, MemoryMeter& memory)
    : partition_(partition),
      memory_(memory),
      events_(partition.Events()),
      next_(events_.size() + 1),
      previous_(events_.size() + 1),
      invocation_(partition.entries().size(), 0),
      return_(partition.entries().size(), 0),
      state_(partition.initial()) {
  const uint32_t count = static_cast<uint32_t>(events_.size());
  for (uint32_t node = 0; node <= count; ++node) {
    next_[node] = node == count ? 0 : node + 1;
    previous_[node] = node == 0 ? count : node - 1;
    if (node == 0) continue;
    const Event& event = events_[node - 1];
    (event.returns ? return_ : invocation_)[event.entry] = node;
    if (event.returns) ++unreturned_;
  }
  cursor_ = next_[0];
}

DepthFirst::~DepthFirst() { memory_.Give(memo_.bytes()); }

Progress DepthFirst::Run(Steps& steps) {
  while (progress_ == Progress::kWorking && !steps.exhausted()) {
    ++steps.used;
    if (unreturned_ == 0) {
      progress_ = Progress::kLinearizable;
      break;
    }
    Check(cursor_ != 0);  // A return is left in the list, and it stops us.
    if (events_[cursor_ - 1].returns) {
      // Whatever comes next would stand behind an operation that has returned untaken.
      if (taken_.empty()) {
        progress_ = Progress::kViolation;
      } else {
        Backtrack();
      }
    } else if (Take(cursor_)) {
      cursor_ = next_[0];
    } else {
      cursor_ = next_[cursor_];
    }
  }
  return progress_;
}

std::vector<uint32_t> DepthFirst::Order() const {
  std::vector<uint32_t> order;
  for (const Taken& taken : taken_) order.push_back(taken.entry);
  return order;
}

bool DepthFirst::Take(uint32_t node) {
  const uint32_t i = events_[node - 1].entry;
  const Entry& entry = partition_.entries()[i];
  StateId after = state_;
  if (!partition_.Apply(entry, &after)) return false;
  if (entry.open && after == state_) return false;
  const Fingerprint set = Xor(taken_set_, KeyOf(i));
  if (!Remember(Xor(set, KeyOf(kStateKeys + after)))) return false;
  taken_.push_back({i, state_});
  taken_set_ = set;
  state_ = after;
  Lift(node);
  if (!entry.open) {
    Lift(return_[i]);
    --unreturned_;
  }
  return true;
}

void DepthFirst::Backtrack() {
  const Taken last = taken_.back();
  taken_.pop_back();
  if (!partition_.entries()[last.entry].open) {
    Unlift(return_[last.entry]);
    ++unreturned_;
  }
  Unlift(invocation_[last.entry]);
  taken_set_ = Xor(taken_set_, KeyOf(last.entry));
  state_ = last.state_before;
  cursor_ = next_[invocation_[last.entry]];
}

void DepthFirst::Lift(uint32_t node) {
  next_[previous_[node]] = next_[node];
  previous_[next_[node]] = previous_[node];
}

void DepthFirst::Unlift(uint32_t node) {
  next_[previous_[node]] = node;
  previous_[next_[node]] = node;
}

bool DepthFirst::Remember(Fingerprint f) {
  const uint64_t growth = memo_.bytes_to_grow();
  if (growth == 0) return memo_.Insert(f);
  const uint64_t old = memo_.bytes();
  if (!memory_.Take(growth)) return !memo_.Contains(f);
  const bool fresh = memo_.Insert(f);
  memory_.Give(old);
  return fresh;
}

}  // namespace lockstep::linearizability
