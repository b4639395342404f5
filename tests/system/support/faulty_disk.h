// The disk of one node, as a test would have it: it fails and lingers on command, while the node
// runs, and says how often it was asked.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_FAULTY_DISK_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_FAULTY_DISK_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/system/support/faulty_disk_control.h"

namespace lockstep::system {

class FaultyDisk {
 public:
  // `path`: of a file to be made.
  explicit FaultyDisk(const std::string& path);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // What a process must find in its environment.
  std::vector<std::pair<std::string, std::string>> variables() const;

  // From now on, until Heal.
  void FailSyncs(int error) { control_->sync_error = static_cast<uint32_t>(error); }
  void FailWrites(int error) { control_->write_error = static_cast<uint32_t>(error); }
  void SlowSyncs(std::chrono::milliseconds by) {
    control_->sync_delay_ms = static_cast<uint32_t>(by.count());
  }
  void Heal();

  const FaultyDiskControl& reports() const { return *control_; }

 private:
  const std::string path_;
  FaultyDiskControl* control_;
};

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_FAULTY_DISK_H_
