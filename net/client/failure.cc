#include "net/client/failure.h"

#include "absl/strings/cord.h"
#include "core/base/check.h"

namespace lockstep::client {
namespace {

std::string Text(absl::string_view text) { return std::string(text.data(), text.size()); }

bool Parse(absl::string_view encoded, google::protobuf::MessageLite* message) {
  return message->ParseFromArray(encoded.data(), static_cast<int>(encoded.size()));
}

}  // namespace

std::optional<v1::Failure> FailureOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kFailureTypeUrl);
  v1::Failure failure;
  if (!payload.has_value() || !failure.ParseFromString(std::string(*payload))) return std::nullopt;
  return failure;
}

Effect EffectOf(const absl::Status& status) {
  const std::optional<v1::Failure> failure = FailureOf(status);
  const bool none = failure.has_value() && failure->effect() == v1::EFFECT_NONE;
  return none ? Effect::kNone : Effect::kUnknown;
}

absl::string_view Describe(Effect effect) { return effect == Effect::kNone ? "none" : "unknown"; }

absl::Status WithFailure(absl::Status status, const v1::Failure& failure) {
  Check(!status.ok(), "a failure needs an error");
  status.SetPayload(kFailureTypeUrl, absl::Cord(absl::string_view(failure.SerializeAsString())));
  return status;
}

absl::Status FailureStatus(absl::StatusCode code, Effect effect, absl::string_view reason,
                           absl::string_view message) {
  v1::Failure failure;
  failure.set_effect(effect == Effect::kNone ? v1::EFFECT_NONE : v1::EFFECT_UNKNOWN);
  failure.set_reason(Text(reason));
  failure.set_message(Text(message));
  return WithFailure(absl::Status(code, message), failure);
}

std::string EncodeDetails(absl::StatusCode code, absl::string_view message,
                          const v1::Failure& failure) {
  v1::FailureStatus status;
  status.set_code(static_cast<int32_t>(code));
  status.set_message(Text(message));
  v1::FailureDetail& detail = *status.add_details();
  detail.set_type_url(kFailureTypeUrl);
  detail.set_value(failure.SerializeAsString());
  return status.SerializeAsString();
}

std::optional<v1::Failure> DecodeDetails(absl::string_view details) {
  v1::FailureStatus status;
  if (!Parse(details, &status)) return std::nullopt;
  for (const v1::FailureDetail& detail : status.details()) {
    v1::Failure failure;
    if (detail.type_url() == kFailureTypeUrl && Parse(detail.value(), &failure)) return failure;
  }
  return std::nullopt;
}

}  // namespace lockstep::client
