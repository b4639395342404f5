// What gateways say to each other about forwarded requests (proto::ForwardedRequest and
// ForwardedReply), read and written by hand: the payload may be large, and is never copied.
#ifndef LOCKSTEP_CORE_GATEWAY_FORWARDING_MESSAGE_H_
#define LOCKSTEP_CORE_GATEWAY_FORWARDING_MESSAGE_H_

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/parcel.h"

namespace lockstep::gateway {

struct Forwarding {
  enum class Kind { kRequest, kReply };
  Kind kind = Kind::kRequest;
  uint64_t life = 0;        // of who asks
  uint64_t id = 0;          // of the request, in that life
  uint64_t other_life = 0;  // of who is asked. In a request: 0, it is not known yet
  bool not_taken = false;   // of a reply: another life of who is asked was meant
  Bytes payload = Bytes();
};

Parcel Encode(const Forwarding& forwarding);
// None: the message is about something else, or malformed. The payload shares its buffer. Total.
std::optional<Forwarding> DecodeForwarding(const Bytes& message);

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_FORWARDING_MESSAGE_H_
