#include "bin/lockstepd_exit.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"

namespace lockstep::lockstepd {
namespace {

constexpr const char* kPayload = "lockstep/exit-code";

absl::StatusCode CanonicalOf(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
      return absl::StatusCode::kOk;
    case ExitCode::kUsage:
      return absl::StatusCode::kInvalidArgument;
    case ExitCode::kDataDirectory:
    case ExitCode::kRefused:
      return absl::StatusCode::kFailedPrecondition;
    case ExitCode::kAddressInUse:
    case ExitCode::kDiskFailed:
      return absl::StatusCode::kUnavailable;
    case ExitCode::kDamaged:
      return absl::StatusCode::kDataLoss;
    case ExitCode::kInternal:
      return absl::StatusCode::kInternal;
  }
  return absl::StatusCode::kInternal;
}

}  // namespace

absl::Status ExitWith(ExitCode code, const std::string& message) {
  absl::Status status(CanonicalOf(code), message);
  // A Cord of a view: clang 19 and the g++ that has built Debian's Abseil name the constructor from
  // a std::string differently.
  const std::string number = absl::StrCat(static_cast<int>(code));
  status.SetPayload(kPayload, absl::Cord(absl::string_view(number)));
  return status;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  int code = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &code)) {
    return ExitCode::kInternal;
  }
  return static_cast<ExitCode>(code);
}

}  // namespace lockstep::lockstepd
