#include "net/http/json.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/http/failure.h"

namespace lockstep::net::http {
namespace {

absl::Status InvalidRequest(absl::string_view message) {
  return Refuse("INVALID_REQUEST", message);
}

// One pass without memory, before a tree is built: 96 MB of "[" would be gigabytes of tree.
absl::Status CheckShape(absl::string_view text) {
  int depth = 0;
  uint64_t marks = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        while (++i < text.size() && text[i] != '"') {
          if (text[i] == '\\') ++i;
        }
        break;
      case '[':
      case '{':
        ++marks;
        if (++depth > kJsonDepthMax) {
          return InvalidRequest(
              absl::StrCat("the body nests deeper than ", kJsonDepthMax, " levels"));
        }
        break;
      case ']':
      case '}':
        --depth;
        break;
      case ',':
      case ':':
        ++marks;
        break;
      default:
        break;
    }
    if (marks > kJsonMarksMax) {
      return InvalidRequest(absl::StrCat("the body holds more than ", kJsonMarksMax, " values"));
    }
  }
  return absl::OkStatus();
}

const Json* Find(const Json& object, absl::string_view name) {
  const auto found = object.find(std::string(name));
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

absl::Status WrongType(absl::string_view name, absl::string_view want) {
  return InvalidRequest(absl::StrCat("member \"", name, "\" must be ", want));
}

}  // namespace

absl::StatusOr<Json> ParseObject(absl::string_view text) {
  if (text.empty()) {
    return InvalidRequest("the body is empty: send a JSON object (Content-Type: application/json)");
  }
  if (absl::Status s = CheckShape(text); !s.ok()) return s;
  try {
    Json json = Json::parse(text.begin(), text.end());
    if (!json.is_object())
      return InvalidRequest("the body must be a JSON object, like {\"value\":\"...\"}");
    return json;
  } catch (const Json::parse_error& e) {
    return InvalidRequest(absl::StrCat("the body is not JSON in UTF-8: wrong at byte ", e.byte));
  } catch (const Json::exception&) {
    return InvalidRequest("the body is not JSON: a number is out of range");
  }
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

absl::Status OnlyMembers(const Json& object, std::initializer_list<absl::string_view> names) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(names.begin(), names.end(), absl::string_view(name)) == names.end()) {
      std::string known;
      for (absl::string_view each : names) absl::StrAppend(&known, known.empty() ? "" : ", ", each);
      return InvalidRequest(absl::StrCat("unknown member \"", absl::string_view(name).substr(0, 64),
                                         "\"; there are: ", known));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<uint64_t>> UnsignedMember(const Json& object, absl::string_view name,
                                                       uint64_t max) {
  const Json* member = Find(object, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_number_unsigned()) return WrongType(name, "a number without sign and fraction");
  const auto number = member->get<uint64_t>();
  if (number > max) return WrongType(name, absl::StrCat("at most ", max));
  return number;
}

absl::StatusOr<std::optional<bool>> BoolMember(const Json& object, absl::string_view name) {
  const Json* member = Find(object, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_boolean()) return WrongType(name, "true or false");
  return member->get<bool>();
}

absl::StatusOr<std::optional<std::string>> TextMember(const Json& object, absl::string_view name) {
  const Json* member = Find(object, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) return WrongType(name, "a string");
  return member->get<std::string>();
}

absl::StatusOr<std::optional<std::string>> Base64Member(const Json& object,
                                                        absl::string_view name) {
  const Json* member = Find(object, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) return WrongType(name, "a string of base64");
  std::string bytes;
  if (!absl::Base64Unescape(member->get_ref<const std::string&>(), &bytes)) {
    return Refuse("INVALID_VALUE",
                  absl::StrCat("member \"", name,
                               "\" is not base64; `printf %s hello | base64` "
                               "makes some, and Content-Type: application/octet-stream takes raw "
                               "bytes"));
  }
  return bytes;
}

absl::StatusOr<std::string> KeyMember(const Json& object) {
  absl::StatusOr<std::optional<std::string>> text = TextMember(object, "key");
  if (!text.ok()) return text.status();
  absl::StatusOr<std::optional<std::string>> bytes = Base64Member(object, "key_base64");
  if (!bytes.ok()) return bytes.status();
  const std::optional<std::string>& key = bytes->has_value() ? *bytes : *text;
  if (!key.has_value()) return InvalidRequest("member \"key\" (or \"key_base64\") is missing");
  if (key->empty()) return InvalidRequest("the key is empty: keys have at least one byte");
  return *key;
}

absl::StatusOr<const Json*> ArrayMember(const Json& object, absl::string_view name) {
  const Json* member = Find(object, name);
  if (member == nullptr) return nullptr;
  if (!member->is_array()) return WrongType(name, "an array");
  return member;
}

bool IsUtf8(absl::string_view bytes) {
  try {
    Json(std::string(bytes)).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

std::string Base64(absl::string_view bytes) { return absl::Base64Escape(bytes); }

void SetKey(absl::string_view key, Json* object) {
  (*object)["key"] = std::string(key);
  if (!IsUtf8(key)) (*object)["key_base64"] = Base64(key);
}

Response Success(const Json& data) {
  Response response;
  response.body = absl::StrCat("{\"success\":true,\"data\":", Dump(data), "}");
  return response;
}

Response SuccessWith(const Json& data, absl::string_view name, absl::string_view bytes) {
  Check(data.is_object() && !data.empty());
  std::string text = Dump(data);
  text.pop_back();  // The closing brace.
  Response response;
  response.body = absl::StrCat("{\"success\":true,\"data\":", text, ",\"", name, "\":\"",
                               Base64(bytes), "\"}}");
  return response;
}

}  // namespace lockstep::net::http
