// A file descriptor with an owner.
#ifndef LOCKSTEP_NET_UNIQUE_FD_H_
#define LOCKSTEP_NET_UNIQUE_FD_H_

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace lockstep {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() { Reset(); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Closes it; errno stays as it is.
  void Reset() {
    if (!valid()) return;
    const int error = errno;
    close(Release());
    errno = error;
  }
  // Somebody else closes it.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace lockstep

#endif  // LOCKSTEP_NET_UNIQUE_FD_H_
