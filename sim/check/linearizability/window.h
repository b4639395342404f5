// What the frontier search knows about the operations around the present
// moment: which slot of the masks each has, and which of them could still
// observe or make a state.
//
// From that it prunes, all of it exact:
//   * Reads: an open read whose state is there is linearized at once. It
//   changes nothing, and later
//     it could only be harder.
//   * Forgotten states: a state that nobody observes any more is "other".
//   * Symmetry: of operations that do the same, the one that must return first
//   goes first; the other
//     can stand wherever it would have stood. Those that never return come
//     last.
//   * Just in time: an operation that stays open for ever takes effect right
//   before something that
//     observes its effect, or else it need not take effect at all.
//   * Hidden blocks: a completed put together with all that still observes its
//   value, if all of that
//     is open now (reads, and a swap with what in turn observes its value), is
//     linearized right before the next overwrite: there it is in nobody's way,
//     and done is better than not done. (Not when there are mismatches without
//     a value: those can observe it.)
//   * Spare writes: when an overwrite is linearized, a completed put or append
//   that is open may have
//     come right before it, where nobody can tell. From then on it need not be
//     linearized any more until it returns, but still may be: one configuration
//     stands for both. So such an operation has two bits in a mask: its slot
//     says that it is satisfied, and its use, among the operations that need
//     not take effect, that it was linearized where it matters.
//   * Dead ends: a state must not be left while a completed operation still has
//   to observe it and
//     no operation is left to make it again. With appends: a completed
//     operation that returns soon must find the state that it observed, or a
//     prefix of it, or something left that resets the key to such a prefix.
//     (For puts, appends and gets this is the future-read pruning of strings.)
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_WINDOW_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/check/linearizability/configurations.h"
#include "sim/check/linearizability/partition.h"

namespace lockstep::linearizability {

class Window {
 public:
  Window(const Partition& partition, const std::vector<Event>& events);

  size_t words() const { return words_; }
  size_t crashed_begin() const { return crashed_begin_; }
  // What Start is going to allocate: large if there are many states and many
  // open operations.
  uint64_t bytes() const;
  // REQUIRED before anything below.
  void Start();
  uint32_t slot(uint32_t entry) const { return slot_[entry]; }
  // The bit that says that the entry was linearized: its slot, unless it can be
  // spare.
  uint32_t use(uint32_t entry) const { return use_[entry]; }
  // Whether the entry is a completed put or append, which overwrites make
  // spare.
  bool CanBeSpare(uint32_t entry) const { return use_[entry] != slot_[entry]; }
  uint32_t occupant(uint32_t slot) const { return occupant_[slot]; }
  // Word `w` of the slots of open operations that may be worth linearizing in
  // this state, without those of FirstOfEach.
  uint64_t Candidates(StateId state, size_t w) const {
    if (w < crashed_begin_) return occupied_[w] & ~blind_[w];
    return Tracked(state) ? mask(state, kObservers)[w] : 0;
  }
  // Of the operations that are always legal, the uses of those that may be
  // worth linearizing: of each kind the first not in `mask`. Of those that stay
  // open for ever only if something open can observe the effect.
  void FirstOfEach(const uint64_t* mask, std::vector<uint32_t>* slots) const;

  // The entry has been invoked.
  void Open(uint32_t entry);
  // The entry, a completed one, has returned and is linearized everywhere.
  void Close(uint32_t entry);
  // Prepares FirstOfEach, Hide and DeadEnd for the return that is event number
  // `now`.
  void LookAhead(size_t now);

  // Linearizes what can be linearized for nothing in this configuration; may
  // forget the state.
  void Settle(StateId* state, uint64_t* mask) const;
  // Adds the hidden blocks to `mask`: an overwrite is about to be linearized.
  void Hide(uint64_t* mask) const;
  // Satisfies what is open and can be spare. False if all of it was.
  bool MakeSpare(uint64_t* mask) const;
  // Whether anything may come of linearizing the spare entry at its return.
  bool Wanted(uint32_t entry) const;
  // Whether an open operation that changes the state may come next because this
  // is the state. (With appends: always, since these observe any state.)
  bool Awaits(StateId state, const uint64_t* mask) const;
  // Whether no open operation that does the same should go before the one in
  // this slot.
  bool GoesFirst(uint32_t slot, const uint64_t* mask) const;
  // Whether a configuration that came from state `from` to `to` cannot be
  // completed.
  bool DeadEnd(StateId from, StateId to, const uint64_t* mask) const;

 private:
  // For each observed state, operations that have not returned: how many there
  // are...
  struct Counts {
    uint32_t observers = 0;  // may observe it
    uint32_t needs = 0;      // completed, so they must observe it
    uint32_t makers = 0;     // may produce it
  };
  // ... and which slots those of them have that are open now.
  enum Role : uint8_t { kReads, kObservers, kNeeds, kMakers, kRoles };
  // An operation that returns soon, and what it asks of the state.
  struct Wish {
    uint32_t slot;  // kNoSlot: not invoked yet
    StateId state;
    bool later;  // something not yet invoked may reset the key for it
    Mask resets;
  };
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  void AssignSlots(const std::vector<Event>& events);
  void FindEquals();
  void AddFirstSpare(uint32_t kind, const uint64_t* mask, std::vector<uint32_t>* slots) const;
  void AddEqual(uint32_t entry);
  void Count(const Entry& entry, bool add);
  void Mark(uint32_t entry, bool set);
  void FindKinds();
  bool Observable(StateId state) const;  // by something open
  void FindHidden();
  // Adds what observes `state` to the block; false if not all of that is open
  // and completed.
  bool AddObservers(StateId state, uint64_t* block) const;
  bool Tracked(StateId state) const { return state < tracked_ && state != kOther; }
  const uint64_t* mask(StateId state, Role role) const {
    return &masks_[(static_cast<size_t>(state) * kRoles + role) * words_];
  }
  // How many of `all` are not in `mask`; `slots` are those of them that are
  // open.
  uint32_t Left(uint32_t all, const uint64_t* slots, const uint64_t* mask) const;
  bool Unfulfilled(const Wish& wish, StateId state, const uint64_t* mask) const;
  void MakeWish(size_t now, size_t returns);

  const Partition& partition_;
  const std::vector<Entry>& entries_;
  const std::vector<Event>& events_;
  const StateId tracked_;  // states below this have counts and masks
  size_t crashed_begin_ = 0;
  size_t words_ = 0;
  std::vector<uint32_t> slot_;                      // by entry
  std::vector<uint32_t> use_;                       // by entry
  std::vector<uint32_t> occupant_;                  // by slot and by use
  Mask occupied_;                                   // slots that are in use
  Mask blind_;                                      // those of them that can be spare
  std::vector<uint32_t> blind_kinds_;               // what they do, ascending
  std::vector<uint32_t> equals_;                    // by entry: the number of what it does
  std::vector<std::vector<uint32_t>> open_equals_;  // by that number: open completed entries
  // Slots of operations that stay open for ever, by that number, first invoked
  // first; the numbers of those that are always legal; and of those that matter
  // at this return.
  std::vector<std::vector<uint32_t>> crashed_equals_;
  std::vector<uint32_t> crashed_kinds_;
  std::vector<uint32_t> live_kinds_;
  std::vector<uint32_t> twin_;  // by slot: the crashed operation that should go first, or kNoSlot
  // The hidden blocks: put number k has the use hidden_[k], its block is the
  // words from k * words_ on.
  std::vector<uint32_t> hidden_;
  Mask hidden_blocks_;
  std::vector<Counts> counts_;     // by state
  Mask masks_;                     // by state, role, word
  std::vector<uint32_t> differs_;  // open mismatches without a value
  std::vector<Wish> wishes_;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_WINDOW_H_
