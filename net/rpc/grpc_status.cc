#include "net/rpc/grpc_status.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "net/client/failure.h"

namespace lockstep::net {

using client::Effect;
using client::FailureStatus;

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message().data(), status.message().size());
  const std::optional<v1::Failure> failure = client::FailureOf(status);
  if (!failure.has_value()) return grpc::Status(code, message);
  return grpc::Status(code, message, client::EncodeDetails(status.code(), message, *failure));
}

absl::Status Overloaded() {
  return FailureStatus(absl::StatusCode::kResourceExhausted, Effect::kNone, "OVERLOADED",
                       "too much is under way at this node: try again later, or elsewhere");
}

absl::Status Leaving() {
  return FailureStatus(absl::StatusCode::kUnavailable, Effect::kNone, "UNAVAILABLE",
                       "this node is leaving: ask another one");
}

absl::Status TooLate() {
  return FailureStatus(absl::StatusCode::kDeadlineExceeded, Effect::kNone, "TIMEOUT",
                       "the deadline had passed when the call arrived: it was not begun");
}

std::optional<uint64_t> PatienceOf(const grpc::CallbackServerContext& context) {
  using std::chrono::microseconds;
  using std::chrono::system_clock;
  constexpr microseconds kMarginMax{20000};
  // gRPC's own "none" is beyond any deadline that a caller means.
  constexpr std::chrono::hours kNone{24 * 365};
  const auto left =
      std::chrono::duration_cast<microseconds>(context.deadline() - system_clock::now());
  if (left > kNone) return 0;
  if (left <= microseconds::zero()) return std::nullopt;
  const microseconds patience = left - std::min(left / 10, kMarginMax);
  return static_cast<uint64_t>(std::max(patience, microseconds(1)).count());
}

}  // namespace lockstep::net
