// One replica's log as its notes tell it: per entry the term and the chain hash, which names the
// whole prefix. Two mirrors with equal chains at an index hold equal logs up to there.
//
// Appending and looking up are O(1); entries before the base are dropped in large steps.
#ifndef LOCKSTEP_SIM_CHECK_LOG_MIRROR_H_
#define LOCKSTEP_SIM_CHECK_LOG_MIRROR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep::sim {

// An entry as the checkers remember it. `chain` covers all entries up to and including it.
struct ChainLink {
  Term term;
  uint64_t chain = 0;
  friend bool operator==(ChainLink, ChainLink) = default;
};

// What an entry adds to the chain: its term, its kind and its data.
inline uint64_t EntryHash(const Entry& entry) {
  const uint64_t kind = static_cast<uint64_t>(entry.kind);
  return HashChain(HashChain(StableHash(entry.data.view()), kind), entry.term.value());
}

class LogMirror {
 public:
  // The log is empty and begins after `base`, whose link is `link`.
  void Reset(Index base, ChainLink link) {
    origin_ = base_ = base;
    links_.assign(1, link);
  }

  Index base() const { return base_; }
  Index last() const { return origin_.Plus(links_.size() - 1); }
  // Whether At(index) is known: base() <= index <= last().
  bool Holds(Index index) const { return base_ <= index && index <= last(); }
  // REQUIRES: Holds(index).
  ChainLink At(Index index) const {
    Check(Holds(index));
    return links_[index.Since(origin_)];
  }
  ChainLink Last() const { return links_.back(); }

  void Append(ChainLink link) { links_.push_back(link); }
  // Forgets `index` and all that follow. REQUIRES: base() < index <= last().
  void TruncateFrom(Index index) {
    CheckLt(base_, index);
    CheckLe(index, last());
    links_.resize(index.Since(origin_));
  }
  // REQUIRES: Holds(base).
  void MoveBase(Index base) {
    Check(Holds(base));
    base_ = base;
    const size_t dead = base_.Since(origin_);
    if (dead < kDeadMax || dead < links_.size() / 2) return;
    links_.erase(links_.begin(), links_.begin() + static_cast<ptrdiff_t>(dead));
    origin_ = base_;
  }

 private:
  static constexpr size_t kDeadMax = 4096;
  Index base_;                       // Invariant: origin_ <= base_.
  Index origin_;                     // links_[0] is the link at this index
  std::vector<ChainLink> links_{1};  // Invariant: never empty.
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_LOG_MIRROR_H_
