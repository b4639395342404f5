// What a test tells the disk of a running process, by a file that both have mapped. Zeroes: all is
// well.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_FAULTY_DISK_CONTROL_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_FAULTY_DISK_CONTROL_H_

#include <atomic>
#include <cstdint>

namespace lockstep::system {

// The variable that holds the path of the file.
inline constexpr char kFaultyDiskVariable[] = "LOCKSTEP_FAULTY_DISK";

struct FaultyDiskControl {
  // Orders.
  std::atomic<uint32_t> sync_error;      // fsync and fdatasync fail with this errno; 0: they do not
  std::atomic<uint32_t> sync_delay_ms;   // and take so much longer
  std::atomic<uint32_t> write_error;     // pwrite fails with this errno
  std::atomic<uint32_t> write_delay_ms;  // and takes so much longer

  // Reports, since the file was made.
  std::atomic<uint64_t> syncs;
  std::atomic<uint64_t> syncs_failed;
  std::atomic<uint64_t> writes;
  std::atomic<uint64_t> writes_failed;
  // Calls that touch a disk made by the main thread, which is a node's loop thread.
  std::atomic<uint64_t> by_main_thread;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_FAULTY_DISK_CONTROL_H_
