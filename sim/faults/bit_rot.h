// Where a disk may rot: a bit of a durable file flips, or a sector holds what belongs elsewhere.
//
// Damage must be told from the torn end of a write, which is cut off at the next boot. So it hits a
// log only where a later commit stands behind it. A log cannot make the difference in its last
// commit, unless that held a term or a vote: there a flipped bit takes acknowledged entries away in
// silence. That weakness is real (docs/decisions/0018) and left out here.
#ifndef LOCKSTEP_SIM_FAULTS_BIT_ROT_H_
#define LOCKSTEP_SIM_FAULTS_BIT_ROT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "sim/disk/sim_file_system.h"

namespace lockstep::sim {

struct RotSpot {
  std::string path;
  uint64_t offset = 0;  // of the byte
  uint8_t mask = 0;     // one bit
  char damaged = 0;     // what the byte has become
};

// Whether the damage is still there: the file may be gone, or the byte have been written again.
bool LiesThere(const RotSpot& spot, const SimFileSystem& files);

// A durable write has gone to the wrong place: bytes that belong to one place of the disk lie over
// others, and at their own place there is nothing. Returns where the disk is damaged now; nothing
// if there was no place for it.
std::vector<RotSpot> Misdirect(Rng& rng, SimFileSystem& files);

// None when the disk holds nothing that may rot.
std::optional<RotSpot> DrawRotSpot(Rng& rng, const SimFileSystem& files);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_BIT_ROT_H_
