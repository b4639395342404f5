// Words for the evidence: short, stable, the same in every checker.
#ifndef LOCKSTEP_SIM_CHECK_EVIDENCE_H_
#define LOCKSTEP_SIM_CHECK_EVIDENCE_H_

#include <string>

#include "core/base/types.h"
#include "core/raft/quorum.h"
#include "core/runtime/log.h"
#include "sim/check/log_mirror.h"

namespace lockstep::sim {

// "12.345678 s" since the run began.
std::string Seconds(Instant instant);
// "nodes 1 2 3", or "nodes 1 2 and nodes 2 3".
std::string DescribeVoters(const raft::Membership& members);
// "index 7, term 2, a command of 31 bytes".
std::string DescribeEntry(const Entry& entry);
// "index 7 of term 2"; "the beginning" for index 0.
std::string DescribeAt(Index index, ChainLink link);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_EVIDENCE_H_
