// A file descriptor with an owner.
#ifndef LOCKSTEP_BIN_UNIQUE_FD_H_
#define LOCKSTEP_BIN_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace lockstep {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() { Reset(); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // Closes it; errno stays as it is.
  void Reset();

 private:
  int fd_ = -1;
};

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_UNIQUE_FD_H_
