// "host:port" as people write it.
#ifndef LOCKSTEP_BIN_ADDRESS_H_
#define LOCKSTEP_BIN_ADDRESS_H_

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

// Whether it stands for every interface, so that nobody can be told to connect to it.
bool IsWildcard(const Address& address);

// Whether only this machine can connect to it. A name other than localhost is taken for one that
// others can.
bool IsLoopback(const Address& address);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_ADDRESS_H_
