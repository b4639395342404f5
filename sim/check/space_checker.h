// Who was told that its disk has little space left takes no more into its log than the limits allow
// (docs/decisions/0019).
//
// A server's notes of a turn come at its end, so a measurement of the same turn may have come after
// what they tell of: it counts from the next turn on.
#ifndef LOCKSTEP_SIM_CHECK_SPACE_CHECKER_H_
#define LOCKSTEP_SIM_CHECK_SPACE_CHECKER_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/node/space_gauge.h"
#include "core/runtime/journal.h"
#include "sim/check/checker.h"

namespace lockstep::sim {

class SpaceChecker {
 public:
  explicit SpaceChecker(const node::SpaceLimits& limits) : limits_(limits) {}

  // `turn` is the server's, which counts up.
  void OnMeasured(NodeId server, uint32_t turn, uint64_t free_bytes);
  // `leads`: the server leads the note's group.
  void OnNote(NodeId server, uint32_t turn, bool leads, const Note& note, Findings& findings);

  uint64_t measured_low() const { return measured_low_; }

 private:
  struct Disk {
    uint64_t free_bytes = UINT64_MAX;  // the newest measurement...
    uint32_t turn = 0;                 // ...in this turn...
    uint64_t before = UINT64_MAX;      // ...and the greatest that was in force in it
    // An entry that replaces others may be taken: there is then one less, or more.
    absl::btree_map<GroupId, bool> truncated;
  };

  void OnAppended(NodeId server, uint64_t free_bytes, bool replaces, bool leads, const Note& note,
                  Findings& findings) const;

  const node::SpaceLimits limits_;
  absl::btree_map<NodeId, Disk> disks_;
  uint64_t measured_low_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_SPACE_CHECKER_H_
