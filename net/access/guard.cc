#include "net/access/guard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/quoted.h"

namespace lockstep::net {
namespace {

// A token that is shown and not known is nobody's: it does not fall back to the certificate, so a
// mistake shows.
const Principal* Find(const AccessPolicy& policy, const Caller& caller) {
  if (!caller.token_digest.empty()) return policy.OfToken(caller.token_digest);
  const Principal* const certified =
      caller.certificate.empty() ? nullptr : policy.OfCertificate(caller.certificate);
  return certified != nullptr ? certified : policy.Anonymous();
}

std::string Shown(const Caller& caller) {
  if (!caller.token_digest.empty()) return "the token shown is not known";
  if (caller.certificate.empty()) {
    return "show who you are: a token (Authorization: Bearer ...) or a client certificate";
  }
  return absl::StrCat("nobody is known by the certificate ", Quoted(caller.certificate));
}

bool Covers(const std::vector<std::string>& prefixes, const std::string& text) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return absl::StartsWith(text, prefix); });
}

std::string WhoIs(const AccessPolicy* policy, const Caller& caller) {
  const Principal* const principal = policy == nullptr ? nullptr : Find(*policy, caller);
  if (principal != nullptr) return principal->name;
  return caller.certificate.empty() ? "unknown" : absl::StrCat("certificate ", caller.certificate);
}

}  // namespace

std::string TokenIn(absl::string_view authorization) {
  authorization = absl::StripAsciiWhitespace(authorization);
  const size_t space = authorization.find(' ');
  if (space == authorization.npos) return "";
  const absl::string_view scheme = authorization.substr(0, space);
  const absl::string_view rest = absl::StripAsciiWhitespace(authorization.substr(space));
  if (absl::EqualsIgnoreCase(scheme, "bearer")) return std::string(rest);
  std::string pair;
  if (!absl::EqualsIgnoreCase(scheme, "basic") || !absl::Base64Unescape(rest, &pair)) return "";
  const size_t colon = pair.find(':');
  return colon == pair.npos ? "" : pair.substr(colon + 1);
}

Guard::Guard(std::shared_ptr<const AccessPolicy> policy, LogSink audit)
    : audit_(std::move(audit)), policy_(std::move(policy)) {}

void Guard::Replace(std::shared_ptr<const AccessPolicy> policy) {
  const std::lock_guard<std::mutex> lock(mutex_);
  policy_ = std::move(policy);
}

std::shared_ptr<const AccessPolicy> Guard::Policy() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return policy_;
}

absl::Status Guard::Judge(const Caller& caller, const Need& need) const {
  const std::shared_ptr<const AccessPolicy> policy = Policy();
  if (policy == nullptr || need.role == Role::kNone) return absl::OkStatus();
  const Principal* const principal = Find(*policy, caller);
  if (principal == nullptr) return absl::UnauthenticatedError(Shown(caller));
  if (principal->role < need.role) {
    return absl::PermissionDeniedError(absl::StrCat(Quoted(principal->name), " has the role \"",
                                                    Name(principal->role), "\"; this needs \"",
                                                    Name(need.role), "\""));
  }
  if (!principal->prefixes.has_value()) return absl::OkStatus();
  for (const std::vector<std::string>* touched : {&need.keys, &need.ranges}) {
    for (const std::string& text : *touched) {
      if (Covers(*principal->prefixes, text)) continue;
      return absl::PermissionDeniedError(absl::StrCat(
          Quoted(principal->name), " may not touch keys that begin with ", Quoted(text)));
    }
  }
  return absl::OkStatus();
}

void Guard::Note(const Caller& caller, const std::string& action, absl::string_view outcome) const {
  if (!audit_) return;
  audit_(LogLevel::kInfo, "audit", action,
         {{"who", WhoIs(Policy().get(), caller)},
          {"address", caller.address},
          {"outcome", std::string(outcome.data(), outcome.size())}});
}

}  // namespace lockstep::net
