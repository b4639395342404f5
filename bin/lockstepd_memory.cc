#include "bin/lockstepd_memory.h"

#include <cstddef>

// tcmalloc's own, if it is linked (gperftools/malloc_extension_c.h; the package without headers).
extern "C" {
__attribute__((weak)) int MallocExtension_SetNumericProperty(const char* property, size_t value);
__attribute__((weak)) void MallocExtension_ReleaseFreeMemory(void);
}

namespace lockstep::lockstepd {

void BoundAllocatorCaches() {
  constexpr size_t kCachesBytesMax = size_t{8}
                                     << 20;  // of all threads; tcmalloc's default is 32 MiB
  if (MallocExtension_SetNumericProperty == nullptr) return;
  MallocExtension_SetNumericProperty("tcmalloc.max_total_thread_cache_bytes", kCachesBytesMax);
}

void ReturnFreedMemory() {
  if (MallocExtension_ReleaseFreeMemory != nullptr) MallocExtension_ReleaseFreeMemory();
}

}  // namespace lockstep::lockstepd
