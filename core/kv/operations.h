// What the commands of a session do to the table: put, append, delete, compare_and_swap, and
// batches of them. First the effects are planned, then they are written, so that a batch happens as
// a whole or not at all.
#ifndef LOCKSTEP_CORE_KV_OPERATIONS_H_
#define LOCKSTEP_CORE_KV_OPERATIONS_H_

#include "core/kv/options.h"
#include "core/kv/sessions.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"

namespace lockstep::kv {

// Executes a command and says what came of it; the reply's index is left out. REQUIRES:
// ValidateCommand accepted it, and it is an operation of a session.
StoredReply Execute(const proto::Command& command, const KvLimits& limits, TableWriter& table);

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_OPERATIONS_H_
