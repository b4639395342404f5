// How much memory the allocator keeps for itself.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_MEMORY_H_
#define LOCKSTEP_BIN_LOCKSTEPD_MEMORY_H_

namespace lockstep::lockstepd {

// Bounds what each thread's cache may hold back. Once, at the start. No effect with another
// allocator than tcmalloc.
void BoundAllocatorCaches();
// Gives freed pages back to the system. Now and then.
void ReturnFreedMemory();

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_MEMORY_H_
