#include "tests/system/support/small_disk.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/unique_fd.h"
#include "tests/system/support/isolation.h"

namespace lockstep::system {

absl::StatusOr<std::unique_ptr<SmallDisk>> SmallDisk::Mount(const std::string& path,
                                                            uint64_t bytes) {
  if (!Isolation().ok()) return Isolation();
  ::mkdir(path.c_str(), 0750);
  const std::string options = absl::StrCat("size=", bytes, ",mode=0750");
  if (::mount("tmpfs", path.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, "a tmpfs cannot be mounted");
  }
  return std::unique_ptr<SmallDisk>(new SmallDisk(path));
}

SmallDisk::~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }

void SmallDisk::Fill(uint64_t but_bytes) {
  const UniqueFd file(::open(Filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  Check(file.valid(), "the filler of a small disk cannot be made");
  // The node may give space back, and take some, meanwhile.
  const std::string block(4096, 'x');
  while (free_bytes() > but_bytes) {
    if (::write(file.get(), block.data(), block.size()) <= 0) break;
  }
}

void SmallDisk::Free() { ::unlink(Filler().c_str()); }

uint64_t SmallDisk::free_bytes() const {
  struct statvfs status = {};
  Check(::statvfs(path_.c_str(), &status) == 0);
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace lockstep::system
