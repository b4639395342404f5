// An order that shows that operations of one key are linearizable.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_ORDER_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/check/linearizability/history.h"

namespace lockstep::linearizability {

// An order for `operations`, places in the history; what is open is in it if it took effect.
// Nothing if they have none, or if it was not found in `steps_max` steps.
std::vector<size_t> FindOrder(const History& history, const std::vector<uint32_t>& operations,
                              uint64_t steps_max);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_ORDER_H_
