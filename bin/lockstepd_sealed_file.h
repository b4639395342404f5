// The small files of a data directory, each with a checksum over its content, so that what rots is
// noticed and never believed.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_SEALED_FILE_H_
#define LOCKSTEP_BIN_LOCKSTEPD_SEALED_FILE_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace lockstep::lockstepd {

// The version of what stands in a data directory. Raised when an older build must not touch it.
inline constexpr uint64_t kFormatVersion = 1;

// A JSON object as it was read.
struct SealedJson {
  nlohmann::ordered_json json;  // without its checksum
  bool sealed = false;          // it had one. Files of the first builds have none
  bool exact = false;           // it is, byte for byte, what Write makes of it
};

// The JSON object in a file of ours, whose format this build knows. NotFound when there is none;
// else errors carry ExitCode::kDataDirectory or kDamaged.
absl::StatusOr<SealedJson> ReadSealedJson(const std::string& path);
// Adds format and checksum, and replaces the file atomically. Errors: as WriteFileAtomically.
absl::Status WriteSealedJson(const std::string& path, const nlohmann::ordered_json& content);

// A number in a file of its own. `exact` may be null.
absl::StatusOr<uint64_t> ReadSealedNumber(const std::string& path, bool* exact);
absl::Status WriteSealedNumber(const std::string& path, uint64_t number);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_SEALED_FILE_H_
