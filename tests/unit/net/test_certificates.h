// Certificates for tests: one authority for all, made once.
#ifndef LOCKSTEP_TESTS_UNIT_NET_TEST_CERTIFICATES_H_
#define LOCKSTEP_TESTS_UNIT_NET_TEST_CERTIFICATES_H_

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bin/certificates.h"
#include "net/access/access_policy.h"
#include "net/client/store_types.h"
#include "net/tls/tls_credentials.h"

namespace lockstep::net {

inline Validity Today() {
  const absl::Time now = absl::Now();
  return {.not_before = now - absl::Hours(1), .not_after = now + absl::Hours(24)};
}
inline Validity Yesterday() {
  const absl::Time now = absl::Now();
  return {.not_before = now - absl::Hours(48), .not_after = now - absl::Hours(24)};
}

inline const CertificatePem& TestAuthority() {
  static const CertificatePem authority = *MakeAuthority("test authority", Today());
  return authority;
}
inline const CertificatePem& OtherAuthority() {
  static const CertificatePem authority = *MakeAuthority("another authority", Today());
  return authority;
}

// What a node or a client holds: its certificate, signed by `authority`, and whom it trusts.
inline TlsPem PemOf(const CertificateRequest& request,
                    const CertificatePem& authority = TestAuthority()) {
  CertificatePem made = *MakeCertificate(authority, request);
  return {
      .certificate = made.certificate, .key = made.key, .authorities = TestAuthority().certificate};
}
inline std::shared_ptr<const TlsCredentials> CredentialsOf(
    const CertificateRequest& request, const CertificatePem& authority = TestAuthority()) {
  return *TlsCredentials::Make(PemOf(request, authority));
}
inline CertificateRequest NodeRequest(uint64_t id, const Validity& validity = Today()) {
  return NodeCertificate(id, {}, validity);
}
inline CertificateRequest ClientRequestFor(const std::string& name,
                                           const Validity& validity = Today()) {
  return ClientCertificate(name, validity);
}
inline std::shared_ptr<TlsStore> StoreOf(const CertificateRequest& request) {
  return std::make_shared<TlsStore>(CredentialsOf(request));
}

// The same for the client library. "": it shows no certificate.
inline client::Credentials ClientCredentials(const std::string& name,
                                             const std::string& token = "") {
  client::Credentials credentials{.authorities = TestAuthority().certificate, .token = token};
  if (name.empty()) return credentials;
  TlsPem pem = PemOf(ClientRequestFor(name));
  credentials.certificate = pem.certificate;
  credentials.key = pem.key;
  return credentials;
}

// Certificate "admin", "read-token" for a reader, "orders-token" for a writer of orders- alone.
inline std::shared_ptr<const AccessPolicy> PolicyForTests() {
  return *AccessPolicy::Parse(absl::StrCat(
      R"({"principals": [
        {"name": "admin", "certificate": "admin", "role": "admin"},
        {"name": "reader", "token_sha256": ")",
      TokenDigest("read-token"), R"(", "role": "read"},
        {"name": "orders", "token_sha256": ")",
      TokenDigest("orders-token"), R"(", "role": "write", "prefixes": ["orders-"]}]})"));
}

}  // namespace lockstep::net

#endif  // LOCKSTEP_TESTS_UNIT_NET_TEST_CERTIFICATES_H_
