// The judge of the stability phase, in which nothing goes wrong and nothing moves.
//
//   Stability     a healthy leader stays
//   Idle Growth   shard groups write nothing of their own into their logs
#ifndef LOCKSTEP_SIM_WORLD_REST_H_
#define LOCKSTEP_SIM_WORLD_REST_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "sim/check/checker.h"

namespace lockstep::sim {

class Rest {
 public:
  // The phase begins. `internal_entries`: of shard groups themselves, so far.
  void Begin(uint64_t internal_entries) { entries_at_begin_ = internal_entries; }
  // In the phase, a leader of the group was elected though the one before was healthy.
  void NoteReplaced(GroupId group) { ++replaced_[group]; }
  // The phase ends. `prompt`: heartbeats arrive before anybody is impatient, but for one in many
  // thousands; otherwise elections prove nothing.
  void Judge(bool prompt, uint64_t internal_entries, Findings& findings) const;

 private:
  uint64_t entries_at_begin_ = 0;
  absl::btree_map<GroupId, uint64_t> replaced_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_REST_H_
