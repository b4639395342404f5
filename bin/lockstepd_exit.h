// The exit codes of lockstepd, which --help documents, and how a Status carries one.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_EXIT_H_
#define LOCKSTEP_BIN_LOCKSTEPD_EXIT_H_

#include <string>

#include "absl/status/status.h"

namespace lockstep::lockstepd {

enum class ExitCode : int {
  kOk = 0,
  kUsage = 1,          // a setting is wrong
  kDataDirectory = 2,  // foreign, locked, unreadable, of another cluster, node or version
  kAddressInUse = 3,   // or cannot be listened on for another reason
  kDamaged = 4,        // the data is damaged: not what was written
  kDiskFailed = 5,     // a write or a sync failed while running
  kRefused = 6,        // by the cluster: it has another name, version or incarnation of this node
  kInternal = 7,       // anything else
};

// An error that ends the process with this code. `message` is one line for people.
absl::Status ExitWith(ExitCode code, const std::string& message);

// kOk for an OK status, kInternal for one that carries no code.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_EXIT_H_
