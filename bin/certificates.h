// Certificates for clusters that have no certificate authority of their own: one is made, and signs
// for nodes and clients. PEM goes in and out; files are the caller's.
//
// Keys are EC P-256 in PKCS#8, certificates X.509 v3 with a random serial of 128 bits.
#ifndef LOCKSTEP_BIN_CERTIFICATES_H_
#define LOCKSTEP_BIN_CERTIFICATES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace lockstep {

struct CertificatePem {
  std::string certificate;
  std::string key;
};

// Both ends are within it, in whole seconds.
struct Validity {
  absl::Time not_before;
  absl::Time not_after;
};

enum class CertificateUse {
  kNode,    // serves, and calls other nodes
  kClient,  // calls
};

struct CertificateRequest {
  std::string common_name;
  CertificateUse use = CertificateUse::kClient;
  std::vector<std::string> hosts;  // names and addresses at which it is reached
  std::vector<std::string> uris;
  Validity validity;
};

// "node-3", at the hosts and at this machine's own names; what says who it is is the URI
// lockstep://node/3.
CertificateRequest NodeCertificate(uint64_t id, const std::vector<std::string>& hosts,
                                   const Validity& validity);
CertificateRequest ClientCertificate(const std::string& name, const Validity& validity);

// Whether it is a name or an address of IPv4 or IPv6 that a certificate can be for.
absl::Status CheckCertificateHost(absl::string_view host);
// Letters, digits, '.', '_' and '-', beginning with a letter or digit, up to 64; no node's name.
absl::Status CheckClientName(absl::string_view name);

// An authority that signs itself. An empty key: a new one is made, here and below.
absl::StatusOr<CertificatePem> MakeAuthority(const std::string& common_name,
                                             const Validity& validity, const std::string& key = "");
// A certificate that the authority signs. It may outlive the authority, or be over already.
absl::StatusOr<CertificatePem> MakeCertificate(const CertificatePem& authority,
                                               const CertificateRequest& request,
                                               const std::string& key = "");

// When the authority ends; an error if it is none, or if its key is another one's.
absl::StatusOr<absl::Time> AuthorityEnd(const CertificatePem& authority);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_CERTIFICATES_H_
