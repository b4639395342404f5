// What one turn of a Raft replica may bring out, and hold in memory: messages that pass the door of
// others, none of them tied to a write that does not exist, within what the configuration allows.
#ifndef LOCKSTEP_FUZZ_MODELS_RAFT_LIMITS_H_
#define LOCKSTEP_FUZZ_MODELS_RAFT_LIMITS_H_

#include "core/raft/io.h"
#include "core/raft/raft.h"

namespace lockstep::fuzz {

// A message as its receiver gets it: through the wire format.
raft::Message OverTheWire(const raft::Message& message);

// `newest` is the number of the newest batch that there is: open, being written or written.
void CheckOutput(const raft::Config& config, const raft::Output& output, PersistSeq newest);

// The log, the windows and the queues of a replica.
void CheckMemory(const raft::Raft& raft);

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_RAFT_LIMITS_H_
