// JSON bodies: read with bounds, written with whatever bytes a key holds.
//
// A string of JSON is text, a key is bytes. A key that is UTF-8 is a string "key"; one that is not
// is spelled "key_base64" beside a "key" for people to read. Values are always base64.
#ifndef LOCKSTEP_NET_HTTP_JSON_H_
#define LOCKSTEP_NET_HTTP_JSON_H_

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "net/http/message.h"

namespace lockstep::net::http {

// Members stay in the order in which they were written.
using Json = nlohmann::ordered_json;

// What a body may hold, beside its bytes: its nesting, and its commas, colons and brackets.
// Together they bound the memory of what is parsed.
inline constexpr int kJsonDepthMax = 16;
inline constexpr uint64_t kJsonMarksMax = 65'536;

// Refuses what is not a JSON object, in one line that says at which byte.
absl::StatusOr<Json> ParseObject(absl::string_view text);
// Strings that are not UTF-8 get U+FFFD where they are not.
std::string Dump(const Json& json);

// Refuses members that are not named: a misspelt "expected" must not become "no such key".
absl::Status OnlyMembers(const Json& object, std::initializer_list<absl::string_view> names);

// Members of an object. An absent member and null are nothing; another type is refused.
absl::StatusOr<std::optional<uint64_t>> UnsignedMember(const Json& object, absl::string_view name,
                                                       uint64_t max = UINT64_MAX);
absl::StatusOr<std::optional<bool>> BoolMember(const Json& object, absl::string_view name);
absl::StatusOr<std::optional<std::string>> TextMember(const Json& object, absl::string_view name);
// Decoded. INVALID_VALUE when it is not base64.
absl::StatusOr<std::optional<std::string>> Base64Member(const Json& object, absl::string_view name);
// From "key", or "key_base64". One of them must be there, and not empty.
absl::StatusOr<std::string> KeyMember(const Json& object);
// nullptr: absent. Refuses what is not an array.
absl::StatusOr<const Json*> ArrayMember(const Json& object, absl::string_view name);

bool IsUtf8(absl::string_view bytes);
std::string Base64(absl::string_view bytes);
void SetKey(absl::string_view key, Json* object);

// {"success":true,"data":...}
Response Success(const Json& data);
// The same, with one more member that is base64 of `bytes`: without a copy through Json, since it
// may be 64 MiB. REQUIRES: data is an object that is not empty.
Response SuccessWith(const Json& data, absl::string_view name, absl::string_view bytes);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_JSON_H_
