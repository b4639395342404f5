// The witness: the store names the order in which operations took effect, and this replays it.
// O(n log n), accepts almost every correct run of the simulator.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_WITNESS_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_WITNESS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/check/linearizability/partition.h"

namespace lockstep::linearizability {

// A linearization (places in partition.entries()) made from the witnesses, checked against the
// model and against real time. Open operations without a witness are put in where a later
// observation with one needs them; completed reads without one, where the state is what they saw.
// Nothing if some other completed operation has no witness, or if the order does not hold: that is
// no verdict, for the witness may be what is wrong.
std::optional<std::vector<uint32_t>> LinearizeByWitness(Partition& partition);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_WITNESS_H_
