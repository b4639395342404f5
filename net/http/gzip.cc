#include "net/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/http/failure.h"

namespace lockstep::net::http {
namespace {

constexpr int kGzipWindowBits = 16 + MAX_WBITS;  // 16: gzip's frame instead of zlib's own.
constexpr int kMemoryLevel = 8;
constexpr size_t kTrailerBytes = 8;  // CRC-32 and the unpacked size, little-endian.

Bytef* In(absl::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

uInt Length(size_t bytes) {
  CheckLe(bytes, size_t{std::numeric_limits<uInt>::max()});
  return static_cast<uInt>(bytes);
}

absl::Status NotGzip() {
  return Refuse("INVALID_REQUEST", "the body is not one gzip file, as Content-Encoding says it is");
}

}  // namespace

std::string Gzip(absl::string_view bytes) {
  z_stream stream = {};
  Check(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = In(bytes);
  stream.avail_in = Length(bytes.size());
  stream.next_out = In(packed);
  stream.avail_out = Length(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  Check(result == Z_STREAM_END, "deflateBound was too small");
  return packed;
}

uint64_t ClaimedBytes(absl::string_view packed) {
  const bool is_gzip = absl::StartsWith(packed, "\x1f\x8b");
  if (!is_gzip || packed.size() < kTrailerBytes) return 0;
  uint64_t bytes = 0;
  for (size_t i = 1; i <= 4; ++i) {
    bytes = (bytes << 8) | static_cast<unsigned char>(packed[packed.size() - i]);
  }
  return bytes;
}

absl::StatusOr<std::string> Gunzip(absl::string_view packed, uint64_t bytes_max) {
  const uint64_t claimed = ClaimedBytes(packed);
  if (claimed > bytes_max) {
    return Refuse("TOO_LARGE", absl::StrCat("the body unpacks to ", claimed,
                                            " bytes and exceeds body_bytes_max (", bytes_max, ")"));
  }
  z_stream stream = {};
  Check(inflateInit2(&stream, kGzipWindowBits) == Z_OK);
  // One more byte tells a file that is longer than it claims from one that just fits.
  std::string bytes(claimed + 1, '\0');
  stream.next_in = In(packed);
  stream.avail_in = Length(packed.size());
  stream.next_out = In(bytes);
  stream.avail_out = Length(bytes.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == claimed;
  inflateEnd(&stream);
  if (!whole) return NotGzip();
  bytes.resize(claimed);
  return bytes;
}

}  // namespace lockstep::net::http
