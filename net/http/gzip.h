// Bodies packed with gzip, both ways.
#ifndef LOCKSTEP_NET_HTTP_GZIP_H_
#define LOCKSTEP_NET_HTTP_GZIP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::net::http {

// For speed rather than size.
std::string Gzip(absl::string_view bytes);

// What the trailer of a gzip file claims to be its unpacked size, modulo 4 GiB; 0 if it is too
// short to have one.
uint64_t ClaimedBytes(absl::string_view packed);

// One gzip member and nothing behind it. What unpacks to more than its trailer claims, or than
// bytes_max, is refused without unpacking further: memory is bounded by the smaller of both.
absl::StatusOr<std::string> Gunzip(absl::string_view packed, uint64_t bytes_max);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_GZIP_H_
