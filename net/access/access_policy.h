// Who may do what: principals, how they are recognised, their roles and the keys they may touch.
//
// Written as JSON (docs/access.md):
//
//   {"principals": [
//     {"name": "orders", "token_sha256": "9f86d0...", "role": "write", "prefixes": ["orders/"]},
//     {"name": "ops", "certificate": "admin", "role": "admin"},
//     {"name": "monitoring", "token_sha256": "60303a...", "role": "read", "prefixes": []}]}
#ifndef LOCKSTEP_NET_ACCESS_ACCESS_POLICY_H_
#define LOCKSTEP_NET_ACCESS_ACCESS_POLICY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::net {

// Each may do what the one before it may, too.
enum class Role : uint8_t {
  kNone,   // what everybody may: to ask whether the node is well
  kRead,   // read keys, and see how the cluster is
  kWrite,  // change keys
  kAdmin,  // change the cluster
};
absl::string_view Name(Role role);

struct Principal {
  std::string name;
  Role role = Role::kNone;
  // Keys that it may touch: those that begin with one of these. None: all keys.
  std::optional<std::vector<std::string>> prefixes;
};

// SHA-256 of a token, as policies write it: 64 hexadecimal digits.
std::string TokenDigest(absl::string_view token);

class AccessPolicy {
 public:
  static constexpr size_t kPrincipalsMax = 4096;

  // InvalidArgument: one line that says which principal, and what is wrong.
  static absl::StatusOr<std::shared_ptr<const AccessPolicy>> Parse(absl::string_view json);

  // nullptr: nobody is known so.
  const Principal* OfToken(const std::string& digest) const;
  const Principal* OfCertificate(const std::string& common_name) const;
  // Who shows neither.
  const Principal* Anonymous() const { return anonymous_; }

 private:
  AccessPolicy() = default;

  std::vector<std::unique_ptr<const Principal>> principals_;
  std::map<std::string, const Principal*> by_token_;
  std::map<std::string, const Principal*> by_certificate_;
  const Principal* anonymous_ = nullptr;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_ACCESS_ACCESS_POLICY_H_
