// CRC-32C (Castagnoli), the checksum of log records and frames, by ISA-L: in the processor's own
// instructions where it has them.
#ifndef LOCKSTEP_CORE_BASE_CRC32C_H_
#define LOCKSTEP_CORE_BASE_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace lockstep {

// The CRC of `bytes`. Crc32c("123456789") is 0xE3069283.
uint32_t Crc32c(absl::string_view bytes);

// The CRC of a text whose first part has the CRC `crc` and whose rest is `bytes`.
uint32_t Crc32cExtend(uint32_t crc, absl::string_view bytes);

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_CRC32C_H_
