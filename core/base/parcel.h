// A message in two pieces, so that what is large need not be copied behind its header.
#ifndef LOCKSTEP_CORE_BASE_PARCEL_H_
#define LOCKSTEP_CORE_BASE_PARCEL_H_

#include <cstddef>
#include <cstring>

#include "core/base/bytes.h"

namespace lockstep {

// A payload of at least so many bytes stays where it is; a smaller one is cheaper to copy.
inline constexpr size_t kTailBytesMin = size_t{64} << 10;

struct Parcel {
  Bytes head;
  Bytes tail;  // the rest of the message; empty: the head is all of it

  size_t size() const { return head.size() + tail.size(); }
  // In one piece: a copy if there are two.
  Bytes Joined() const {
    if (tail.empty()) return head;
    return Bytes::Make(size(), [this](char* to) {
      std::memcpy(to, head.data(), head.size());
      std::memcpy(to + head.size(), tail.data(), tail.size());
    });
  }
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_PARCEL_H_
