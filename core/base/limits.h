// The limits that clients can meet. Each is a default: the options of the part that enforces it
// carry the value in force, so that a simulation can draw small ones.
//
// Limits that decide the outcome of a log entry (all of these but those of reads) are part of the
// replicated state machine: every replica of a group runs with the same values.
#ifndef LOCKSTEP_CORE_BASE_LIMITS_H_
#define LOCKSTEP_CORE_BASE_LIMITS_H_

#include <cstdint>

namespace lockstep {

// Keys are 1 to kKeyBytesMax arbitrary bytes; values 0 to kValueBytesMax.
inline constexpr uint64_t kKeyBytesMax = uint64_t{4} << 10;
inline constexpr uint64_t kValueBytesMax = uint64_t{64} << 20;

// The largest encoded command that passes validation: a CompareAndSwap carries two values.
inline constexpr uint64_t kCommandBytesMax = 2 * kValueBytesMax + kKeyBytesMax + 256;

// One Batch; its bytes are those of all keys and values in it.
inline constexpr uint32_t kBatchOperationsMax = 1000;
inline constexpr uint64_t kBatchBytesMax = kValueBytesMax;

// One GetMany; its bytes are those of all values in the answer. A single value may exceed them.
inline constexpr uint32_t kGetManyKeysMax = 1000;
inline constexpr uint64_t kGetManyBytesMax = kValueBytesMax;

// One answer to a List. A single pair may exceed the bytes, so that listing always makes progress.
inline constexpr uint32_t kListPairsMax = 1000;
inline constexpr uint64_t kListBytesMax = uint64_t{2} << 20;

// Sessions of one group, beyond which the least recently used one expires.
inline constexpr uint32_t kSessionsMax = 4096;
// Sequences that one session may have outstanding, hence replies that are kept for it.
inline constexpr uint32_t kSessionWindowMax = 256;
// Value bytes kept with one stored reply, and with all stored replies of a session.
inline constexpr uint64_t kSessionValueBytesMax = uint64_t{1} << 10;
inline constexpr uint64_t kSessionReplyBytesMax = uint64_t{32} << 10;

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_LIMITS_H_
