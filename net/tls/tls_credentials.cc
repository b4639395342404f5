#include "net/tls/tls_credentials.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::net {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;

// Few, and no renegotiation, compression or session tickets: nothing here needs them.
constexpr uint64_t kOptions = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                              SSL_OP_CIPHER_SERVER_PREFERENCE;

absl::Status Wrong(absl::string_view what, absl::string_view how) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", how));
}

BioPtr Reading(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key that wants a password is an error, not a question on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

absl::StatusOr<std::vector<CertificatePtr>> ReadCertificates(absl::string_view name,
                                                             const std::string& text) {
  ERR_clear_error();
  std::vector<CertificatePtr> certificates;
  const BioPtr bio = Reading(text);
  while (X509* each = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    certificates.emplace_back(each);
  }
  const uint64_t error = ERR_peek_last_error();
  const bool ended = error != 0 && ERR_GET_LIB(error) == ERR_LIB_PEM &&
                     ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (certificates.empty()) return Wrong(name, "no PEM certificate in it");
  if (error != 0 && !ended) return Wrong(name, TlsErrorText());
  ERR_clear_error();
  return certificates;
}

absl::StatusOr<KeyPtr> ReadKey(const std::string& text) {
  ERR_clear_error();
  KeyPtr key(PEM_read_bio_PrivateKey(Reading(text).get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) return Wrong("key", "no PEM private key without a password in it");
  return key;
}

int64_t Expiry(const X509* certificate) {
  std::tm time = {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return timegm(&time);
}

int64_t FirstExpiry(const std::vector<CertificatePtr>& certificates) {
  int64_t first = std::numeric_limits<int64_t>::max();
  for (const CertificatePtr& each : certificates) first = std::min(first, Expiry(each.get()));
  return first;
}

absl::Status Fill(SSL_CTX* context, const std::vector<CertificatePtr>& chain, EVP_PKEY* key,
                  const std::vector<CertificatePtr>& authorities) {
  SSL_CTX_set_options(context, kOptions);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return Wrong("certificate", TlsErrorText());
  }
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return Wrong("certificate", TlsErrorText());
    }
  }
  if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Wrong("key", "it is not that of the certificate");
  }
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const CertificatePtr& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return Wrong("authorities", TlsErrorText());
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string TlsErrorText() {
  const uint64_t error = ERR_peek_last_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? "unknown error" : reason;
}

absl::StatusOr<std::shared_ptr<const TlsCredentials>> TlsCredentials::Make(TlsPem pem) {
  absl::StatusOr<std::vector<CertificatePtr>> chain =
      ReadCertificates("certificate", pem.certificate);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::vector<CertificatePtr>> authorities =
      ReadCertificates("authorities", pem.authorities);
  if (!authorities.ok()) return authorities.status();
  absl::StatusOr<KeyPtr> key = ReadKey(pem.key);
  if (!key.ok()) return key.status();
  std::shared_ptr<TlsCredentials> made(new TlsCredentials);
  made->context_.reset(SSL_CTX_new(TLS_method()));
  Check(made->context_ != nullptr);
  const absl::Status filled = Fill(made->context_.get(), *chain, key->get(), *authorities);
  if (!filled.ok()) return filled;
  made->certificate_expires_ = FirstExpiry(*chain);
  made->authorities_expire_ = FirstExpiry(*authorities);
  made->pem_ = std::move(pem);
  return made;
}

TlsCredentials::Session TlsCredentials::Accepting(TlsDemand demand) const {
  Session session(SSL_new(context_.get()));
  Check(session != nullptr);
  SSL_set_accept_state(session.get());
  const int verify = demand == TlsDemand::kNone ? SSL_VERIFY_NONE
                     : demand == TlsDemand::kIfGiven
                         ? SSL_VERIFY_PEER
                         : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_set_verify(session.get(), verify, nullptr);
  return session;
}

TlsCredentials::Session TlsCredentials::Dialling() const {
  Session session(SSL_new(context_.get()));
  Check(session != nullptr);
  SSL_set_connect_state(session.get());
  SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
  return session;
}

}  // namespace lockstep::net
