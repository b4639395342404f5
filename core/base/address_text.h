// Addresses of nodes that are bytes in the log and text in messages.
#ifndef LOCKSTEP_CORE_BASE_ADDRESS_TEXT_H_
#define LOCKSTEP_CORE_BASE_ADDRESS_TEXT_H_

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace lockstep {

// The address, or nothing where it is no printable text: a message of text that held it would be
// unreadable as a whole.
inline absl::string_view AddressText(absl::string_view address) {
  const bool printable = std::all_of(address.begin(), address.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  return printable ? address : absl::string_view();
}

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_ADDRESS_TEXT_H_
