// A file system of so many bytes, mounted at a directory for as long as the object lives.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_SMALL_DISK_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_SMALL_DISK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace lockstep::system {

class SmallDisk {
 public:
  // Makes the directory. An error says what this process is not allowed to do.
  static absl::StatusOr<std::unique_ptr<SmallDisk>> Mount(const std::string& path, uint64_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::string& path() const { return path_; }
  // Takes all the space there is, but for so much; gives it back.
  void Fill(uint64_t but_bytes = 0);
  void Free();
  uint64_t free_bytes() const;

 private:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {}
  std::string Filler() const { return path_ + "/filler"; }

  const std::string path_;
};

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_SMALL_DISK_H_
