// The session rule in its smallest form: a command, named by its session and sequence, takes effect
// at the first index where the committed log has it, or never; every later copy is a duplicate. It
// never does if a command before it said that the client was done with it, or if its session had
// been closed or had expired.
// Kept apart from the state machine, so that its session table is checked and not believed.
#ifndef LOCKSTEP_SIM_CHECK_SESSION_MODEL_H_
#define LOCKSTEP_SIM_CHECK_SESSION_MODEL_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/base/types.h"
#include "sim/check/command_identity.h"

namespace lockstep::sim {

class SessionModel {
 public:
  // A store that knows `sessions_max` sessions expires the least recently used one for a new one.
  explicit SessionModel(uint64_t sessions_max = UINT64_MAX) : sessions_max_(sessions_max) {}

  // The entry at the next index (from 1, without gaps) is committed.
  void OnCommitted(const CommandIdentity& command);
  // The same for a part of a log, such as one shard's: the entry at `index`, above all earlier.
  void OnCommittedAt(Index index, const CommandIdentity& command);

  struct Place {
    CommandIdentity command;
    Index first;  // where it takes effect; none: the entry carries no such command
  };
  // What the log has at `index`; nullptr: nothing has been committed there.
  const Place* At(Index index) const;
  // Where the command takes effect, if it ever does; none: it is not in the committed log.
  Index FirstOf(const CommandIdentity& command) const;

  uint64_t commands() const { return first_.size(); }
  uint64_t duplicates() const { return duplicates_; }  // copies after the first

 private:
  void Execute(const CommandIdentity& command, Index index);
  void Register(Index index);
  void Expel(SessionId session);
  void Use(SessionId session, Index index);

  uint64_t sessions_max_;
  absl::btree_map<SessionId, Index> used_;    // live sessions, and when each was used last
  absl::btree_map<Index, SessionId> by_use_;  // the same
  absl::btree_set<SessionId> gone_;           // closed or expired
  std::vector<Place> places_;                 // places_[i] is at index i + 1
  absl::btree_map<std::pair<SessionId, uint64_t>, Index> first_;
  absl::btree_map<SessionId, uint64_t> done_before_;  // the largest first_outstanding
  uint64_t duplicates_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_SESSION_MODEL_H_
