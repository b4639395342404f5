#include "core/base/address.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"

namespace lockstep {
namespace {

bool IsHostCharacter(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u < 0x7F && c != '/' && c != ',' && c != '=' && c != '[' && c != ']';
}

}  // namespace

absl::StatusOr<Address> ParseAddress(absl::string_view text, uint16_t port_min) {
  const auto refuse = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " ", what));
  };
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) {
    return refuse("is no address: write HOST:PORT");
  }
  absl::string_view host = text.substr(0, colon);
  const absl::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != absl::string_view::npos) {
    return refuse("is no address: write an IPv6 number in brackets, [::1]:7400");
  }
  for (char c : host) {
    if (!IsHostCharacter(c)) return refuse("is no address: write HOST:PORT");
  }
  uint32_t port = 0;
  const bool number = !digits.empty() && digits.size() <= 5 &&
                      digits.find_first_not_of("0123456789") == absl::string_view::npos &&
                      absl::SimpleAtoi(digits, &port);
  if (!number || port < port_min || port > UINT16_MAX) {
    return refuse(absl::StrCat("has no port: HOST:PORT with a port of ", port_min, " to 65535"));
  }
  return Address{std::string(host), static_cast<uint16_t>(port)};
}

std::string FormatAddress(const Address& address) {
  const bool bracketed = address.host.find(':') != std::string::npos;
  return bracketed ? absl::StrCat("[", address.host, "]:", address.port)
                   : absl::StrCat(address.host, ":", address.port);
}

absl::string_view AddressText(absl::string_view address) {
  const bool printable = std::all_of(address.begin(), address.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  return printable ? address : absl::string_view();
}

}  // namespace lockstep
