// Small open-addressing tables for the memos of the searches. They can be asked and filled but not
// iterated, so the order in which they hold their entries cannot be observed.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_TABLES_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/base/hash.h"

namespace lockstep::linearizability {

// How many bytes the memos of one check may still take. Approximate: it counts the large arrays.
class MemoryMeter {
 public:
  explicit MemoryMeter(uint64_t bytes_max) : left_(bytes_max) {}
  // False, and nothing taken, if there is not enough left.
  [[nodiscard]] bool Take(uint64_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  void Give(uint64_t bytes) { left_ += bytes; }

 private:
  uint64_t left_;
};

// A set of 128-bit fingerprints. Two different things share a fingerprint with probability 2^-128,
// so for a thousand million of them the chance of any mistake is below 2^-68.
class FingerprintSet {
 public:
  struct Fingerprint {
    uint64_t a = 0;
    uint64_t b = 0;
    friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
  };

  bool Contains(Fingerprint f) const { return !slots_.empty() && slots_[Find(f)] == f; }

  // True if it was not there. `bytes_to_grow()` says what the insertion is going to allocate.
  bool Insert(Fingerprint f) {
    if (f == Fingerprint()) f.a = 1;  // All zero marks an empty slot.
    if (NeedsToGrow()) Grow();
    Fingerprint& slot = slots_[Find(f)];
    if (slot == f) return false;
    slot = f;
    ++size_;
    return true;
  }

  uint64_t bytes_to_grow() const {
    return NeedsToGrow() ? NextCapacity() * sizeof(Fingerprint) : 0;
  }
  uint64_t bytes() const { return slots_.size() * sizeof(Fingerprint); }

 private:
  bool NeedsToGrow() const { return (size_ + 1) * 4 > slots_.size() * 3; }
  size_t NextCapacity() const { return slots_.empty() ? 64 : slots_.size() * 2; }
  size_t Find(Fingerprint f) const {
    size_t i = f.a & (slots_.size() - 1);
    while (slots_[i] != Fingerprint() && slots_[i] != f) i = (i + 1) & (slots_.size() - 1);
    return i;
  }
  void Grow() {
    std::vector<Fingerprint> old(NextCapacity());
    old.swap(slots_);
    for (const Fingerprint& f : old) {
      if (f != Fingerprint()) slots_[Find(f)] = f;
    }
  }

  std::vector<Fingerprint> slots_;
  size_t size_ = 0;
};

// From pairs of 32-bit numbers to a 32-bit number.
class PairMap {
 public:
  static constexpr uint32_t kAbsent = UINT32_MAX;

  uint32_t Find(uint32_t first, uint32_t second) const {
    if (slots_.empty()) return kAbsent;
    return slots_[Place(Key(first, second))].value;
  }
  // REQUIRES: the pair is not there yet and is not (UINT32_MAX, UINT32_MAX).
  void Insert(uint32_t first, uint32_t second, uint32_t value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) Grow();
    Slot& slot = slots_[Place(Key(first, second))];
    CheckEq(slot.key, kEmpty);
    slot = {Key(first, second), value};
    ++size_;
  }

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;
  struct Slot {
    uint64_t key = kEmpty;
    uint32_t value = kAbsent;
  };
  static uint64_t Key(uint32_t first, uint32_t second) {
    return (static_cast<uint64_t>(first) << 32) | second;
  }
  size_t Place(uint64_t key) const {
    size_t i = Mix64(key) & (slots_.size() - 1);
    while (slots_[i].key != kEmpty && slots_[i].key != key) i = (i + 1) & (slots_.size() - 1);
    return i;
  }
  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key != kEmpty) slots_[Place(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

// Numbers distinct strings, from 0 in the order in which they first come. The strings outlive it.
class StringTable {
 public:
  static constexpr uint32_t kAbsent = UINT32_MAX;

  uint32_t Insert(absl::string_view text) {
    if ((strings_.size() + 1) * 4 > slots_.size() * 3) Grow();
    const uint64_t hash = StableHash(text);
    Slot& slot = slots_[Place(hash, text)];
    if (slot.number == kAbsent) {
      slot = {hash, static_cast<uint32_t>(strings_.size())};
      strings_.push_back(text);
    }
    return slot.number;
  }
  uint32_t Find(absl::string_view text) const {
    return slots_.empty() ? kAbsent : slots_[Place(StableHash(text), text)].number;
  }
  const std::vector<absl::string_view>& strings() const { return strings_; }  // by number

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t number = kAbsent;
  };
  // Long values with long common prefixes are compared only if they are equal.
  size_t Place(uint64_t hash, absl::string_view text) const {
    size_t i = hash & (slots_.size() - 1);
    while (slots_[i].number != kAbsent &&
           (slots_[i].hash != hash || strings_[slots_[i].number] != text))
      i = (i + 1) & (slots_.size() - 1);
    return i;
  }
  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number == kAbsent) continue;
      size_t i = slot.hash & (slots_.size() - 1);
      while (slots_[i].number != kAbsent) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = slot;
    }
  }

  std::vector<absl::string_view> strings_;
  std::vector<Slot> slots_;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_TABLES_H_
