// Certificates, as OpenSSL reads and judges them.
#include "bin/certificates.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace lockstep {
namespace {

template <auto free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
using X509Pointer = std::unique_ptr<X509, Freer<X509_free>>;

X509Pointer Parse(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509Pointer certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  BIO_free(bio);
  EXPECT_NE(certificate, nullptr) << pem;
  return certificate;
}

// X509_V_OK, or why it is not to be trusted for this purpose: X509_PURPOSE_SSL_SERVER, _CLIENT.
int Verify(const CertificatePem& authority, const CertificatePem& leaf, int purpose) {
  const X509Pointer root = Parse(authority.certificate);
  const X509Pointer certificate = Parse(leaf.certificate);
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, root.get());
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return error;
}

// What `openssl x509 -text` says.
std::string Text(const CertificatePem& pem) {
  const X509Pointer certificate = Parse(pem.certificate);
  BIO* const bio = BIO_new(BIO_s_mem());
  X509_print(bio, certificate.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

Validity ForADay() { return {absl::Now() - absl::Minutes(5), absl::Now() + absl::Hours(24)}; }

CertificatePem Authority() {
  absl::StatusOr<CertificatePem> pem = MakeAuthority("Test CA", ForADay());
  EXPECT_TRUE(pem.ok()) << pem.status();
  return *std::move(pem);
}

CertificatePem Make(const CertificatePem& authority, const CertificateRequest& request) {
  absl::StatusOr<CertificatePem> pem = MakeCertificate(authority, request);
  EXPECT_TRUE(pem.ok()) << pem.status();
  return *std::move(pem);
}

TEST(CertificatesTest, ANodeServesAndCallsAndSaysWhoItIs) {
  const CertificatePem authority = Authority();
  const CertificatePem node = Make(
      authority, NodeCertificate(7, {"node7.example.org", "10.0.0.7", "localhost"}, ForADay()));
  EXPECT_EQ(Verify(authority, node, X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(Verify(authority, node, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  const std::string text = Text(node);
  for (const char* want : {"Version: 3", "Subject: CN=node-7", "Issuer: CN=Test CA",
                           "Basic Constraints: critical\n                CA:FALSE",
                           "Key Usage: critical\n                Digital Signature\n",
                           "TLS Web Server Authentication, TLS Web Client Authentication",
                           "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, "
                           "DNS:node7.example.org, IP Address:10.0.0.7, URI:lockstep://node/7",
                           "prime256v1", "ecdsa-with-SHA256"}) {
    EXPECT_TRUE(absl::StrContains(text, want)) << want << "\n" << text;
  }
  const X509Pointer certificate = Parse(node.certificate);
  EXPECT_EQ(X509_check_host(certificate.get(), "node7.example.org", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_host(certificate.get(), "node8.example.org", 0, 0, nullptr), 0);
  EXPECT_TRUE(absl::StartsWith(node.key, "-----BEGIN PRIVATE KEY-----\n")) << "PKCS#8";
}

TEST(CertificatesTest, AClientOnlyCalls) {
  const CertificatePem authority = Authority();
  const CertificatePem client = Make(authority, ClientCertificate("reader", ForADay()));
  EXPECT_EQ(Verify(authority, client, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_EQ(Verify(authority, client, X509_PURPOSE_SSL_SERVER), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_TRUE(absl::StrContains(Text(client), "Subject: CN=reader"));
  EXPECT_FALSE(absl::StrContains(Text(client), "Subject Alternative Name"));
}

TEST(CertificatesTest, AnAuthoritySignsAndNothingElse) {
  const std::string text = Text(Authority());
  for (const char* want : {"CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign"}) {
    EXPECT_TRUE(absl::StrContains(text, want)) << want << "\n" << text;
  }
}

TEST(CertificatesTest, WhatIsOverOrOfSomebodyElseIsNotTrusted) {
  const CertificatePem authority = Authority();
  const absl::Time now = absl::Now();
  const CertificatePem over =
      Make(authority, NodeCertificate(1, {}, {now - absl::Hours(48), now - absl::Hours(24)}));
  EXPECT_EQ(Verify(authority, over, X509_PURPOSE_SSL_SERVER), X509_V_ERR_CERT_HAS_EXPIRED);
  const CertificatePem early =
      Make(authority, NodeCertificate(1, {}, {now + absl::Hours(24), now + absl::Hours(48)}));
  EXPECT_EQ(Verify(authority, early, X509_PURPOSE_SSL_SERVER), X509_V_ERR_CERT_NOT_YET_VALID);
  const CertificatePem foreign = Make(Authority(), NodeCertificate(1, {}, ForADay()));
  EXPECT_NE(Verify(authority, foreign, X509_PURPOSE_SSL_SERVER), X509_V_OK);
}

TEST(CertificatesTest, SerialsAreRandomAndLong) {
  const CertificatePem authority = Authority();
  std::set<std::string> serials;
  int bits_max = 0;
  for (int i = 0; i < 16; ++i) {
    const X509Pointer certificate =
        Parse(Make(authority, ClientCertificate("a", ForADay())).certificate);
    BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate.get()), nullptr);
    bits_max = std::max(bits_max, BN_num_bits(number));
    char* const digits = BN_bn2hex(number);
    serials.insert(digits);
    OPENSSL_free(digits);
    BN_free(number);
  }
  EXPECT_EQ(serials.size(), 16u);
  EXPECT_GT(bits_max, 118) << "of 16 numbers of 128 bits";
  EXPECT_LE(bits_max, 128);
}

TEST(CertificatesTest, AGivenKeyIsUsedAgain) {
  const CertificatePem authority = Authority();
  const CertificatePem first = Make(authority, ClientCertificate("a", ForADay()));
  const absl::StatusOr<CertificatePem> second =
      MakeCertificate(authority, ClientCertificate("a", ForADay()), first.key);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->key, first.key);
  EXPECT_NE(second->certificate, first.certificate);
  EXPECT_EQ(Verify(authority, *second, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
}

TEST(CertificatesTest, AnAuthorityIsKnownByItsCertificateAndKey) {
  const CertificatePem authority = Authority();
  const absl::StatusOr<absl::Time> end = AuthorityEnd(authority);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_LT(absl::AbsDuration(*end - (absl::Now() + absl::Hours(24))), absl::Minutes(5));

  const CertificatePem client = Make(authority, ClientCertificate("a", ForADay()));
  const struct {
    const char* name;
    CertificatePem pem;
    const char* want;
  } rows[] = {
      {"a client's", client, "not an authority's"},
      {"another key", {authority.certificate, client.key}, "key is not that of the certificate"},
      {"no key", {authority.certificate, ""}, "the key is no private key in PEM"},
      {"no certificate", {"rubbish", authority.key}, "the certificate is none in PEM"},
  };
  for (const auto& row : rows) {
    const absl::Status status = AuthorityEnd(row.pem).status();
    EXPECT_TRUE(absl::StrContains(status.message(), row.want)) << row.name << ": " << status;
    EXPECT_FALSE(MakeCertificate(row.pem, ClientCertificate("a", ForADay())).ok()) << row.name;
  }
}

TEST(CertificatesTest, HostsAndNamesAreChecked) {
  for (const char* good : {"a", "node-1.example.org", "*.example.org", "10.0.0.1", "fe80::1"}) {
    EXPECT_TRUE(CheckCertificateHost(good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("a:7400"), std::string("10.0.0"), std::string("300.1.1.1"),
        std::string("a..b"), std::string("-a"), std::string("a b"), std::string("a,URI:x"),
        std::string(300, 'a'), std::string("a.*.b"), std::string("[::1]")}) {
    EXPECT_FALSE(CheckCertificateHost(bad).ok()) << bad;
    EXPECT_FALSE(MakeCertificate(Authority(), NodeCertificate(1, {bad}, ForADay())).ok()) << bad;
  }
  for (const char* good : {"admin", "reader-2", "a.b_c", "node-x", "7"}) {
    EXPECT_TRUE(CheckClientName(good).ok()) << good;
  }
  for (const std::string& bad : {std::string(), std::string("../x"), std::string("node-1"),
                                 std::string("a/b"), std::string("-a"), std::string(65, 'a')}) {
    EXPECT_FALSE(CheckClientName(bad).ok()) << bad;
  }
}

TEST(CertificatesTest, WhatEndsBeforeItBeginsIsNotMade) {
  const absl::Time now = absl::Now();
  EXPECT_FALSE(MakeAuthority("a", {now, now}).ok());
}

}  // namespace
}  // namespace lockstep
