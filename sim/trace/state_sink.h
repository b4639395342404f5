// Who wants to know what a cluster looks like from far away (sim/trace/abstract_state.h).
#ifndef LOCKSTEP_SIM_TRACE_STATE_SINK_H_
#define LOCKSTEP_SIM_TRACE_STATE_SINK_H_

#include <cstdint>

namespace lockstep::sim {

class StateSink {
 public:
  virtual ~StateSink() = default;
  // The state after something has changed it. Must not disturb the run.
  virtual void See(uint64_t state) = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_TRACE_STATE_SINK_H_
