#include "core/base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <limits>

namespace lockstep {

uint32_t Crc32cExtend(uint32_t crc, absl::string_view bytes) {
  constexpr size_t kPieceBytesMax = std::numeric_limits<int>::max();
  uint32_t state = ~crc;
  while (!bytes.empty()) {
    const size_t piece = std::min(bytes.size(), kPieceBytesMax);
    // The library does not write there.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    state = crc32_iscsi(data, static_cast<int>(piece), state);
    bytes.remove_prefix(piece);
  }
  return ~state;
}

uint32_t Crc32c(absl::string_view bytes) { return Crc32cExtend(0, bytes); }

}  // namespace lockstep
