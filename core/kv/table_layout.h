// Where things lie in a group's table. The first byte of a key is the kind of its record:
//
//   'd' key                    -> value           one pair of the store
//   's' session                -> format byte     a registered session
//   's' session slot           -> reply record    one reply that is kept for the session
//
// with session as 8 and slot as 2 bytes, both big-endian, so that a session's records lie together
// and sessions in ascending order. Part of the disk and snapshot formats.
#ifndef LOCKSTEP_CORE_KV_TABLE_LAYOUT_H_
#define LOCKSTEP_CORE_KV_TABLE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace lockstep::kv {

inline constexpr char kDataKind = 'd';
inline constexpr char kSessionKind = 's';
inline constexpr size_t kSessionKeyBytes = 1 + 8;
inline constexpr size_t kSlotKeyBytes = kSessionKeyBytes + 2;

inline void AppendBigEndian64(uint64_t number, std::string* to) {
  for (int shift = 56; shift >= 0; shift -= 8) to->push_back(static_cast<char>(number >> shift));
}

// REQUIRES: at least 8 bytes.
inline uint64_t ReadBigEndian64(absl::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

// The Set functions reuse the capacity of `out`.
inline void SetDataKey(absl::string_view key, std::string* out) {
  out->assign(1, kDataKind);
  out->append(key.data(), key.size());
}

inline void SetSessionKey(SessionId session, std::string* out) {
  out->assign(1, kSessionKind);
  AppendBigEndian64(session.value(), out);
}

inline void SetSlotKey(SessionId session, size_t slot, std::string* out) {
  SetSessionKey(session, out);
  out->push_back(static_cast<char>(slot >> 8));
  out->push_back(static_cast<char>(slot));
}

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_TABLE_LAYOUT_H_
