#include "tests/system/support/faulty_disk.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/check.h"
#include "net/unique_fd.h"

namespace lockstep::system {

FaultyDisk::FaultyDisk(const std::string& path) : path_(path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  Check(fd.valid() && ::ftruncate(fd.get(), sizeof(FaultyDiskControl)) == 0,
        "the control file of a faulty disk cannot be made");
  void* const mapped =
      ::mmap(nullptr, sizeof(FaultyDiskControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  Check(mapped != MAP_FAILED, "the control file of a faulty disk cannot be mapped");
  control_ = static_cast<FaultyDiskControl*>(mapped);
}

FaultyDisk::~FaultyDisk() { ::munmap(control_, sizeof(FaultyDiskControl)); }

std::vector<std::pair<std::string, std::string>> FaultyDisk::variables() const {
  return {{"LD_PRELOAD", LOCKSTEP_FAULTY_DISK_LIBRARY}, {kFaultyDiskVariable, path_}};
}

void FaultyDisk::Heal() {
  control_->sync_error = 0;
  control_->write_error = 0;
  control_->sync_delay_ms = 0;
  control_->write_delay_ms = 0;
}

}  // namespace lockstep::system
