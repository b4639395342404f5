// Reads of the store. They change nothing and need no session.
#ifndef LOCKSTEP_CORE_KV_READS_H_
#define LOCKSTEP_CORE_KV_READS_H_

#include "core/kv/options.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"

namespace lockstep::kv {

// OK with the value, or OK without one when the key is missing.
void ReadGet(const proto::Get& get, const TableReader& table, proto::Result* result);

// OK with a pair for each key that exists, in the order asked for. TOO_LARGE when their values
// exceed get_many_bytes_max, unless it is one alone. REQUIRES: ValidateQuery accepted it.
void ReadGetMany(const proto::GetMany& get, const KvLimits& limits, const TableReader& table,
                 proto::Result* result);

// OK with pairs in ascending order of their keys: those at or after `start` that begin with
// `prefix` and lie after the continuation. At most `limit` and at most list_pairs_max pairs, and no
// more than list_bytes_max bytes of keys and values unless the first pair alone is larger. A
// continuation is given exactly when there are more. REQUIRES: ValidateQuery accepted it.
void ReadList(const proto::List& list, const KvLimits& limits, const TableReader& table,
              proto::Result* result);

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_READS_H_
