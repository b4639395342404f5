// What a key-value group allows. Equal on every replica of a group: these values decide the outcome
// of log entries.
#ifndef LOCKSTEP_CORE_KV_OPTIONS_H_
#define LOCKSTEP_CORE_KV_OPTIONS_H_

#include <cstdint>

#include "core/base/limits.h"

namespace lockstep::kv {

// What one request may hold; enough to validate it at the door.
struct KvLimits {
  uint64_t key_bytes_max = kKeyBytesMax;
  uint64_t value_bytes_max = kValueBytesMax;
  uint32_t batch_operations_max = kBatchOperationsMax;
  uint64_t batch_bytes_max = kBatchBytesMax;  // of all keys and values in it
  uint32_t get_many_keys_max = kGetManyKeysMax;
  uint64_t get_many_bytes_max = kGetManyBytesMax;  // of all values; one alone may exceed them
  uint32_t list_pairs_max = kListPairsMax;
  uint64_t list_bytes_max = kListBytesMax;
  uint32_t session_window_max = kSessionWindowMax;  // at most 65,536: a slot number has 16 bits
};

struct KvOptions {
  KvLimits limits;
  uint32_t sessions_max = kSessionsMax;  // at least 1
  // A stored reply whose value exceeds either bound is stored without it. See Sessions.
  uint64_t session_value_bytes_max = kSessionValueBytesMax;  // one reply
  uint64_t session_reply_bytes_max = kSessionReplyBytesMax;  // all replies of a session
};

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_OPTIONS_H_
