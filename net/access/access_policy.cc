#include "net/access/access_policy.h"

#include <openssl/sha.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"

namespace lockstep::net {
namespace {

using Json = nlohmann::json;

constexpr std::pair<absl::string_view, Role> kRoles[] = {
    {"none", Role::kNone}, {"read", Role::kRead}, {"write", Role::kWrite}, {"admin", Role::kAdmin}};
constexpr absl::string_view kMembers[] = {"name",      "token_sha256", "certificate",
                                          "anonymous", "role",         "prefixes"};

absl::Status Wrong(size_t place, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("principal ", place + 1, ": ", what));
}

std::optional<std::string> TextOf(const Json& principal, const char* member) {
  const auto found = principal.find(member);
  if (found == principal.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

absl::StatusOr<Role> RoleOf(const std::string& text) {
  for (const auto& [name, role] : kRoles) {
    if (text == name) return role;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("role ", Quoted(text), "; there are none, read, write and admin"));
}

absl::Status ReadPrefixes(const Json& principal, Principal* to) {
  const auto found = principal.find("prefixes");
  if (found == principal.end()) return absl::OkStatus();
  const absl::Status wrong =
      absl::InvalidArgumentError("prefixes is a list of texts that are not empty");
  if (!found->is_array()) return wrong;
  to->prefixes.emplace();
  for (const Json& each : *found) {
    if (!each.is_string() || each.get<std::string>().empty()) return wrong;
    to->prefixes->push_back(each.get<std::string>());
  }
  return absl::OkStatus();
}

absl::StatusOr<Principal> ReadPrincipal(const Json& json) {
  if (!json.is_object()) return absl::InvalidArgumentError("is no object");
  for (const auto& [member, value] : json.items()) {
    if (std::find(std::begin(kMembers), std::end(kMembers), member) == std::end(kMembers)) {
      return absl::InvalidArgumentError(absl::StrCat("no member is called ", Quoted(member)));
    }
  }
  Principal principal;
  principal.name = TextOf(json, "name").value_or("");
  if (principal.name.empty()) return absl::InvalidArgumentError("needs a name");
  const absl::StatusOr<Role> role = RoleOf(TextOf(json, "role").value_or(""));
  if (!role.ok()) return role.status();
  principal.role = *role;
  const absl::Status read = ReadPrefixes(json, &principal);
  if (!read.ok()) return read;
  return principal;
}

bool IsDigest(const std::string& text) {
  return text.size() == 2 * SHA256_DIGEST_LENGTH &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isxdigit(c); });
}

}  // namespace

absl::string_view Name(Role role) { return kRoles[static_cast<size_t>(role)].first; }

std::string TokenDigest(absl::string_view token) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

absl::StatusOr<std::shared_ptr<const AccessPolicy>> AccessPolicy::Parse(absl::string_view json) {
  const Json parsed = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false,
                                  /*ignore_comments=*/true);
  if (!parsed.is_object() || parsed.size() != 1 || !parsed.contains("principals") ||
      !parsed["principals"].is_array() || parsed["principals"].size() > kPrincipalsMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it must be a JSON object {\"principals\": [...]} of at most ", kPrincipalsMax));
  }
  std::shared_ptr<AccessPolicy> policy(new AccessPolicy);
  std::set<std::string> names;
  for (const Json& each : parsed["principals"]) {
    const size_t place = policy->principals_.size();
    absl::StatusOr<Principal> read = ReadPrincipal(each);
    if (!read.ok()) return Wrong(place, read.status().message());
    if (!names.insert(read->name).second) {
      return Wrong(place, absl::StrCat("the name ", Quoted(read->name), " is taken"));
    }
    policy->principals_.push_back(std::make_unique<const Principal>(*std::move(read)));
    const Principal* const principal = policy->principals_.back().get();
    const std::optional<std::string> token = TextOf(each, "token_sha256");
    const std::optional<std::string> certificate = TextOf(each, "certificate");
    const bool anonymous = each.contains("anonymous") && each["anonymous"] == Json(true);
    if (int{token.has_value()} + int{certificate.has_value()} + int{anonymous} != 1) {
      return Wrong(place,
                   "is recognised by one of token_sha256, certificate, or \"anonymous\": true");
    }
    if (token.has_value() && !IsDigest(*token)) {
      return Wrong(place, "token_sha256 is 64 hexadecimal digits: lockstep access token makes one");
    }
    const bool fresh =
        token.has_value()
            ? policy->by_token_.emplace(absl::AsciiStrToLower(*token), principal).second
        : certificate.has_value() ? policy->by_certificate_.emplace(*certificate, principal).second
                                  : std::exchange(policy->anonymous_, principal) == nullptr;
    if (!fresh) return Wrong(place, "another one is recognised by the same");
  }
  return policy;
}

const Principal* AccessPolicy::OfToken(const std::string& digest) const {
  const auto found = by_token_.find(digest);
  return found == by_token_.end() ? nullptr : found->second;
}

const Principal* AccessPolicy::OfCertificate(const std::string& common_name) const {
  const auto found = by_certificate_.find(common_name);
  return found == by_certificate_.end() ? nullptr : found->second;
}

}  // namespace lockstep::net
