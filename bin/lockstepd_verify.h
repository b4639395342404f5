// `lockstepd verify DIR`: the whole data directory of a node that does not run is read and judged.
// Not a byte of it is changed.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_VERIFY_H_
#define LOCKSTEP_BIN_LOCKSTEPD_VERIFY_H_

#include <string>

#include "absl/status/statusor.h"
#include "bin/lockstepd_options.h"
#include "storage/verify.h"

namespace lockstep::lockstepd {

// The directory is locked meanwhile. Errors carry ExitCode::kDataDirectory: it is in use, missing,
// foreign, unreadable or of a newer version.
absl::StatusOr<storage::Verification> VerifyDirectory(const std::string& directory);

// A line for each flaw and one for the whole; or one JSON object with the same.
std::string PrintVerification(const std::string& directory, const storage::Verification& found,
                              VerifyRequest::Format format);

// Both, to stdout. OK: sound. ExitCode::kDamaged: not so.
absl::Status RunVerify(const VerifyRequest& request);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_VERIFY_H_
