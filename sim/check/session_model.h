// The session rule in its smallest form: a command, named by its session and sequence, takes effect
// at the first index where the committed log has it, or never; every later copy is a duplicate.
// Kept apart from the state machine, so that its session table is checked and not believed.
#ifndef LOCKSTEP_SIM_CHECK_SESSION_MODEL_H_
#define LOCKSTEP_SIM_CHECK_SESSION_MODEL_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "sim/check/command_identity.h"

namespace lockstep::sim {

class SessionModel {
 public:
  // The entry at the next index (from 1, without gaps) is committed.
  void OnCommitted(const CommandIdentity& command);

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
  std::vector<Place> places_;  // places_[i] is at index i + 1
  absl::btree_map<std::pair<SessionId, uint64_t>, Index> first_;
  uint64_t duplicates_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_SESSION_MODEL_H_
