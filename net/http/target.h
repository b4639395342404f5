// The request target: path segments and parameters, percent-decoded into any bytes.
#ifndef LOCKSTEP_NET_HTTP_TARGET_H_
#define LOCKSTEP_NET_HTTP_TARGET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::net::http {

// InvalidArgument when a '%' is not followed by two hexadecimal digits.
absl::StatusOr<std::string> PercentDecode(absl::string_view text);
// All but letters, digits and "-._~" encoded: fit for one path segment or a parameter.
std::string PercentEncode(absl::string_view bytes);

struct Target {
  std::string path;                                         // as sent
  std::vector<std::string> segments;                        // decoded; "/" has none
  std::vector<std::pair<std::string, std::string>> params;  // decoded, in their order

  // The first of that name.
  const std::string* Find(absl::string_view name) const;
  // Absent: `otherwise`. InvalidArgument unless it is a number of at most `max`.
  absl::StatusOr<uint64_t> Number(absl::string_view name, uint64_t otherwise, uint64_t max) const;
  // "true", "1" and "" are true, "false" and "0" and absence are false.
  absl::StatusOr<bool> Flag(absl::string_view name) const;
};

// Takes the origin form ("/a/b?c=d") and the absolute form ("http://host/a/b?c=d"). A '+' in a
// parameter is a plus: '%20' is a space.
absl::StatusOr<Target> ParseTarget(absl::string_view text);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_TARGET_H_
