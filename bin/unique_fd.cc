#include "bin/unique_fd.h"

#include <cerrno>

namespace lockstep {

void UniqueFd::Reset() {
  const int error = errno;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  errno = error;
}

}  // namespace lockstep
