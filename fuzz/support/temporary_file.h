// A file in memory for readers that want a path. It is gone with the object, however that ends.
#ifndef LOCKSTEP_FUZZ_SUPPORT_TEMPORARY_FILE_H_
#define LOCKSTEP_FUZZ_SUPPORT_TEMPORARY_FILE_H_

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"

namespace lockstep::fuzz {

class TemporaryFile {
 public:
  explicit TemporaryFile(absl::string_view content) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    CheckLe(0, fd_);
    while (!content.empty()) {
      const ssize_t written = ::write(fd_, content.data(), content.size());
      CheckLt(ssize_t{0}, written);
      content.remove_prefix(static_cast<size_t>(written));
    }
  }
  ~TemporaryFile() { ::close(fd_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  // Good for reading as long as the object lives.
  std::string path() const { return absl::StrCat("/proc/self/fd/", fd_); }

 private:
  const int fd_;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_TEMPORARY_FILE_H_
