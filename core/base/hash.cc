#include "core/base/hash.h"

#define XXH_INLINE_ALL  // The header's own switch: no link-time dependency.
#include <xxhash.h>

namespace lockstep {

uint64_t StableHash(absl::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace lockstep
