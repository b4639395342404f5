// Format: version byte, 8 bytes of checksum over prefix and key (big-endian), the key. The checksum
// catches mangled tokens and tokens used with another prefix; it is no defence against forgery, and
// needs none: a forged token can only name another place to start.
#include "core/kv/continuation.h"

#include "absl/strings/match.h"
#include "core/base/hash.h"
#include "core/kv/table_layout.h"

namespace lockstep::kv {
namespace {

constexpr char kVersion = '\x01';
constexpr size_t kHeaderBytes = 1 + 8;

std::string Header(absl::string_view prefix, absl::string_view final_key) {
  std::string header(1, kVersion);
  AppendBigEndian64(HashChain(StableHash(prefix), StableHash(final_key)), &header);
  return header;
}

}  // namespace

std::string MakeContinuation(absl::string_view prefix, absl::string_view final_key) {
  std::string token = Header(prefix, final_key);
  token.append(final_key.data(), final_key.size());
  return token;
}

absl::StatusOr<absl::string_view> ReadContinuation(absl::string_view prefix,
                                                   absl::string_view token,
                                                   const KvLimits& limits) {
  if (token.size() > kHeaderBytes && token.size() - kHeaderBytes <= limits.key_bytes_max) {
    const absl::string_view key = token.substr(kHeaderBytes);
    if (absl::StartsWith(key, prefix) &&
        token.substr(0, kHeaderBytes) == absl::string_view(Header(prefix, key))) {
      return key;
    }
  }
  return absl::InvalidArgumentError(
      "the continuation is not one that this list gave: pass it back unchanged and with the same "
      "prefix, or leave it out to begin anew");
}

}  // namespace lockstep::kv
