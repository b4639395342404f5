// What became of a call that failed: certainly nothing, or nobody knows.
//
// It travels inside the absl::Status as a payload (an encoded lockstep::v1::Failure), as it
// travels in a gRPC status's details.
#ifndef LOCKSTEP_NET_CLIENT_FAILURE_H_
#define LOCKSTEP_NET_CLIENT_FAILURE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/proto/lockstep/v1/failure.pb.h"

namespace lockstep::client {

enum class Effect : uint8_t {
  kNone,     // certainly not executed, now and later
  kUnknown,  // executed once, or not, or later still: nobody knows
};

// The payload's type, and the type of the detail in a gRPC status.
inline constexpr char kFailureTypeUrl[] = "type.googleapis.com/lockstep.v1.Failure";

// The failure inside `status`; nothing if it has none or is OK.
std::optional<v1::Failure> FailureOf(const absl::Status& status);

// What became of the call. kUnknown when the status does not say; kNone for an OK status has no
// meaning, so do not ask. Every error of a Store says.
Effect EffectOf(const absl::Status& status);

// For people: "none" or "unknown".
absl::string_view Describe(Effect effect);

// `status` with `failure` as its payload. REQUIRES: !status.ok().
absl::Status WithFailure(absl::Status status, const v1::Failure& failure);

// An error that says what became of the call. `reason` is one of failure.proto's stable names.
absl::Status FailureStatus(absl::StatusCode code, Effect effect, absl::string_view reason,
                           absl::string_view message);

// To and from the trailer grpc-status-details-bin (an encoded v1::FailureStatus). What is malformed
// or holds no Failure is nothing.
std::string EncodeDetails(absl::StatusCode code, absl::string_view message,
                          const v1::Failure& failure);
std::optional<v1::Failure> DecodeDetails(absl::string_view details);

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_FAILURE_H_
