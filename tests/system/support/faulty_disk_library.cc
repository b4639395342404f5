// Stands between a program and its disk, by LD_PRELOAD: the calls by which storage touches files
// fail, or take their time, when a test says so (faulty_disk_control.h). The real call is made
// after a delay, and not made when it fails: what was written stays in the page cache alone.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "tests/system/support/faulty_disk_control.h"

namespace lockstep::system {
namespace {

FaultyDiskControl* MapControl() {
  const char* const path = std::getenv(kFaultyDiskVariable);
  if (path == nullptr) return nullptr;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* const mapped =
      ::mmap(nullptr, sizeof(FaultyDiskControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return mapped == MAP_FAILED ? nullptr : static_cast<FaultyDiskControl*>(mapped);
}

FaultyDiskControl* Control() {
  static FaultyDiskControl* const control = MapControl();
  return control;
}

template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// In slices, so that a delay ends soon after it is called off.
void Linger(const std::atomic<uint32_t>& delay_ms) {
  for (uint32_t waited = 0; waited < delay_ms.load(); ++waited) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void CountThread() {
  if (Control() != nullptr && ::gettid() == ::getpid()) ++Control()->by_main_thread;
}

// True: the call must fail, and errno says why.
bool Spoils(std::atomic<uint32_t> FaultyDiskControl::* error,
            std::atomic<uint32_t> FaultyDiskControl::* delay_ms,
            std::atomic<uint64_t> FaultyDiskControl::* calls,
            std::atomic<uint64_t> FaultyDiskControl::* failures) {
  FaultyDiskControl* const control = Control();
  if (control == nullptr) return false;
  CountThread();
  ++(control->*calls);
  Linger(control->*delay_ms);
  const uint32_t code = (control->*error).load();
  if (code == 0) return false;
  ++(control->*failures);
  errno = static_cast<int>(code);
  return true;
}

bool SyncSpoils() {
  return Spoils(&FaultyDiskControl::sync_error, &FaultyDiskControl::sync_delay_ms,
                &FaultyDiskControl::syncs, &FaultyDiskControl::syncs_failed);
}

bool WriteSpoils() {
  return Spoils(&FaultyDiskControl::write_error, &FaultyDiskControl::write_delay_ms,
                &FaultyDiskControl::writes, &FaultyDiskControl::writes_failed);
}

}  // namespace
}  // namespace lockstep::system

extern "C" {

int fsync(int fd) {
  static auto* const real = lockstep::system::Real<int(int)>("fsync");
  return lockstep::system::SyncSpoils() ? -1 : real(fd);
}

int fdatasync(int fd) {
  static auto* const real = lockstep::system::Real<int(int)>("fdatasync");
  return lockstep::system::SyncSpoils() ? -1 : real(fd);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const real =
      lockstep::system::Real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return lockstep::system::WriteSpoils() ? -1 : real(fd, bytes, size, offset);
}

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  static auto* const real = lockstep::system::Real<ssize_t(int, void*, size_t, off_t)>("pread");
  lockstep::system::CountThread();
  return real(fd, bytes, size, offset);
}

int ftruncate(int fd, off_t size) noexcept {
  static auto* const real = lockstep::system::Real<int(int, off_t)>("ftruncate");
  lockstep::system::CountThread();
  return real(fd, size);
}

}  // extern "C"
