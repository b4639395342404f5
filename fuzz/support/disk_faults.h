// Power failures of a simulated disk, as a fuzz input chooses them.
#ifndef LOCKSTEP_FUZZ_SUPPORT_DISK_FAULTS_H_
#define LOCKSTEP_FUZZ_SUPPORT_DISK_FAULTS_H_

#include <cstdint>

#include "core/base/rng.h"
#include "fuzz/support/input.h"
#include "sim/disk/crash_options.h"
#include "sim/disk/sim_file_system.h"

namespace lockstep::fuzz {

// Lets the machine lose its power, with what is unsynced kept, lost or torn; or only its process.
inline void Crash(Input& input, sim::SimFileSystem& files) {
  const uint8_t how = input.Byte();
  if ((how & 0xC0) == 0xC0) return files.Kill();
  sim::CrashOptions options;
  if ((how & 0xC0) == 0x80) options = sim::CrashOptions::DropAll();
  if ((how & 0xC0) == 0x40) options = sim::CrashOptions::KeepAll();
  Rng rng = Rng(input.Number(2)).Split("crash");
  files.Crash(rng, options);
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_DISK_FAULTS_H_
