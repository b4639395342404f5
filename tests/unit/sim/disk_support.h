// Opening and reading files of a simulated disk, for its tests.
#ifndef LOCKSTEP_TESTS_UNIT_SIM_DISK_SUPPORT_H_
#define LOCKSTEP_TESTS_UNIT_SIM_DISK_SUPPORT_H_

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"

namespace lockstep::sim {

inline std::unique_ptr<storage::File> MustOpen(
    SimFileSystem& disk, const std::string& path,
    storage::OpenMode mode = storage::OpenMode::kCreate) {
  auto file = disk.Open(path, mode);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

inline std::string Contents(SimFileSystem& disk, const std::string& path) {
  auto file = disk.Open(path, storage::OpenMode::kRead);
  if (!file.ok()) return "(missing)";
  std::string text;
  EXPECT_TRUE((*file)->Read(0, 1 << 30, &text).ok());
  return text;
}

}  // namespace lockstep::sim

#endif  // LOCKSTEP_TESTS_UNIT_SIM_DISK_SUPPORT_H_
