#include "core/client/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"

namespace lockstep::client {
namespace {

// Keeps sums of times far from overflow.
constexpr Duration kPauseMax = std::chrono::hours(24);

}  // namespace

absl::Status ValidateClientOptions(const ClientOptions& options) {
  if (options.nodes.empty()) {
    return absl::InvalidArgumentError("the client knows no nodes: name at least one");
  }
  for (size_t i = 0; i < options.nodes.size(); ++i) {
    const auto here = options.nodes.begin() + static_cast<std::ptrdiff_t>(i);
    if (!*here) return absl::InvalidArgumentError("node 0 names nobody: ids count from 1");
    if (std::find(options.nodes.begin(), here, *here) != here) {
      return absl::InvalidArgumentError(
          absl::StrCat("node ", here->value(), " is named twice: name each once"));
    }
  }
  if (options.attempt_timeout <= Duration::zero() || options.backoff_min <= Duration::zero() ||
      options.backoff_max < options.backoff_min || options.backoff_max > kPauseMax ||
      options.attempt_timeout > kPauseMax || options.attempt_timeout_per_mib < Duration::zero() ||
      options.attempt_timeout_per_mib > kPauseMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "attempt_timeout is ", options.attempt_timeout.count(), " ns, backoff_min ",
        options.backoff_min.count(), " ns, backoff_max ", options.backoff_max.count(),
        " ns: all must be above 0 and at most a day, and backoff_max at least backoff_min; ",
        "attempt_timeout_per_mib is ", options.attempt_timeout_per_mib.count(), " ns: 0 to a day"));
  }
  if (options.outstanding_max == 0 || options.outstanding_max > kSessionWindowMax) {
    return absl::InvalidArgumentError(absl::StrCat("outstanding_max is ", options.outstanding_max,
                                                   ": allowed are 1 to ", kSessionWindowMax,
                                                   " (the default session_window_max)"));
  }
  return absl::OkStatus();
}

}  // namespace lockstep::client
