// "host:port" as people and nodes write it.
#ifndef LOCKSTEP_CORE_BASE_ADDRESS_H_
#define LOCKSTEP_CORE_BASE_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep {

struct Address {
  std::string host;  // a name or a number; an IPv6 number without its brackets
  uint16_t port = 0;
};

// "HOST:PORT", "[::1]:PORT". An error says what is wrong with it, and begins with the text in
// quotes. `port_min` 0 allows port 0, which asks for a free one.
absl::StatusOr<Address> ParseAddress(absl::string_view text, uint16_t port_min);

// As ParseAddress reads it.
std::string FormatAddress(const Address& address);

// The address, or nothing where it is no printable text: addresses of nodes are bytes in the log
// and text in messages, and a message of text that held it would be unreadable as a whole.
absl::string_view AddressText(absl::string_view address);

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_ADDRESS_H_
