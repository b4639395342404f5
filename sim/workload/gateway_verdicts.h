// What is judged of calls through gateways beside the history: what a shard's contents tell, as a
// model of them follows from the committed log.
//
//   Exactly-Once   a write was executed as often, at most, as operations that asked for it may have
//                  been; where the answer says so; never if all were told "not executed"
//   Stale Reads    an answer that may be old is a state that was, and not one that is yet to come;
//                  and it says so
#ifndef LOCKSTEP_SIM_WORKLOAD_GATEWAY_VERDICTS_H_
#define LOCKSTEP_SIM_WORKLOAD_GATEWAY_VERDICTS_H_

#include "sim/check/checker.h"
#include "sim/check/shard_model.h"
#include "sim/workload/recorder.h"

namespace lockstep::sim {

// Both after the run, when everything has returned or was given up.
void CheckExecutions(const Recorder& recorder, const ShardModel& model, Findings& findings);
void CheckStaleReads(const Recorder& recorder, const ShardModel& model, Findings& findings);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_GATEWAY_VERDICTS_H_
