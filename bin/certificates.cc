#include "bin/certificates.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/quoted.h"

namespace lockstep {
namespace {

template <auto free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
using Name = std::unique_ptr<GENERAL_NAME, Freer<GENERAL_NAME_free>>;

// What OpenSSL says last about the thing; the queue of its errors is empty afterwards.
absl::Status Failed(absl::string_view what) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return absl::InvalidArgumentError(
      absl::StrCat(what, reason == nullptr ? "" : absl::StrCat(": ", reason)));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

Bio BioOf(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Nobody is asked at the terminal: a key with a password is one that we cannot read.
int NoPassword(char*, int, int, void*) { return -1; }

absl::StatusOr<Key> ReadKey(const std::string& pem) {
  const Bio bio = BioOf(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) return Failed("the key is no private key in PEM without a password");
  return key;
}

absl::StatusOr<Certificate> ReadCertificate(const std::string& pem) {
  const Bio bio = BioOf(pem);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr));
  if (certificate == nullptr) return Failed("the certificate is none in PEM");
  return certificate;
}

absl::StatusOr<Key> KeyFrom(const std::string& pem) {
  if (!pem.empty()) return ReadKey(pem);
  Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed("no key can be made");
  return key;
}

absl::StatusOr<CertificatePem> Written(X509* certificate, EVP_PKEY* key) {
  const Bio certificate_bio(BIO_new(BIO_s_mem()));
  const Bio key_bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_bio.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return Failed("the certificate cannot be written");
  }
  return CertificatePem{.certificate = TextOf(certificate_bio.get()), .key = TextOf(key_bio.get())};
}

bool SetSerial(X509* certificate) {
  const Number number(BN_new());
  return BN_rand(number.get(), 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetName(X509_NAME* name, const std::string& common_name) {
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), /*loc=*/-1,
                                    /*set=*/0) == 1;
}

bool SetValidity(X509* certificate, const Validity& validity) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(validity.not_before)) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(validity.not_after)) !=
             nullptr;
}

// Version, serial, subject, validity and public key: what every certificate has.
absl::StatusOr<Certificate> Begin(const std::string& common_name, const Validity& validity,
                                  EVP_PKEY* key) {
  if (validity.not_after <= validity.not_before) {
    return absl::InvalidArgumentError("a certificate that ends before it begins");
  }
  Certificate certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !SetSerial(certificate.get()) ||
      !SetName(X509_get_subject_name(certificate.get()), common_name) ||
      !SetValidity(certificate.get(), validity) || X509_set_pubkey(certificate.get(), key) != 1) {
    return Failed(absl::StrCat("no certificate can be made for ", Quoted(common_name)));
  }
  return certificate;
}

struct ExtensionText {
  int nid;
  const char* text;
};

// In the words of OpenSSL's configuration; none of them comes from outside.
absl::Status AddExtensions(X509* certificate, X509* issuer,
                           std::initializer_list<ExtensionText> extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const ExtensionText& row : extensions) {
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, row.nid, row.text));
    if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
      return Failed(absl::StrCat("the certificate cannot say ", row.text));
    }
  }
  return absl::OkStatus();
}

bool AddName(GENERAL_NAMES* names, int type, const std::string& text) {
  Name name(GENERAL_NAME_new());
  void* value = nullptr;
  if (type == GEN_IPADD) {
    value = a2i_IPADDRESS(text.c_str());
  } else if (ASN1_STRING* const string = ASN1_IA5STRING_new(); string != nullptr) {
    ASN1_STRING_set(string, text.data(), static_cast<int>(text.size()));
    value = string;
  }
  if (name == nullptr || value == nullptr) return false;
  GENERAL_NAME_set0_value(name.get(), type, value);
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) return false;
  name.release();
  return true;
}

bool IsIpAddress(absl::string_view host) {
  const std::string text(host);
  unsigned char address[16];
  return ::inet_pton(AF_INET, text.c_str(), address) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address) == 1;
}

absl::Status AddAlternativeNames(X509* certificate, const CertificateRequest& request) {
  if (request.hosts.empty() && request.uris.empty()) return absl::OkStatus();
  const Names names(GENERAL_NAMES_new());
  for (const std::string& host : request.hosts) {
    absl::Status status = CheckCertificateHost(host);
    if (!status.ok()) return status;
    if (!AddName(names.get(), IsIpAddress(host) ? GEN_IPADD : GEN_DNS, host)) {
      return Failed(absl::StrCat("no certificate can be for ", Quoted(host)));
    }
  }
  for (const std::string& uri : request.uris) {
    if (!AddName(names.get(), GEN_URI, uri)) {
      return Failed(absl::StrCat("no certificate can be for ", Quoted(uri)));
    }
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), /*crit=*/0,
                        X509V3_ADD_DEFAULT) != 1) {
    return Failed("the certificate cannot hold its names");
  }
  return absl::OkStatus();
}

struct Authority {
  Certificate certificate;
  Key key;
};

absl::StatusOr<Authority> ReadAuthority(const CertificatePem& pem) {
  absl::StatusOr<Certificate> certificate = ReadCertificate(pem.certificate);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<Key> key = ReadKey(pem.key);
  if (!key.ok()) return key.status();
  if (X509_check_ca(certificate->get()) != 1) {
    return Failed("the certificate is not an authority's");
  }
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the key is not that of the certificate");
  }
  return Authority{.certificate = *std::move(certificate), .key = *std::move(key)};
}

bool IsLabel(absl::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

}  // namespace

CertificateRequest NodeCertificate(uint64_t id, const std::vector<std::string>& hosts,
                                   const Validity& validity) {
  CertificateRequest request{.common_name = absl::StrCat("node-", id),
                             .use = CertificateUse::kNode,
                             .hosts = {"localhost", "127.0.0.1", "::1"},
                             .uris = {absl::StrCat("lockstep://node/", id)},
                             .validity = validity};
  for (const std::string& host : hosts) {
    const auto& known = request.hosts;
    if (std::find(known.begin(), known.end(), host) == known.end()) request.hosts.push_back(host);
  }
  return request;
}

CertificateRequest ClientCertificate(const std::string& name, const Validity& validity) {
  return {.common_name = name,
          .use = CertificateUse::kClient,
          .hosts = {},
          .uris = {},
          .validity = validity};
}

absl::Status CheckCertificateHost(absl::string_view host) {
  if (IsIpAddress(host)) return absl::OkStatus();
  const std::vector<absl::string_view> labels =
      absl::StrSplit(absl::StripPrefix(host, "*."), absl::ByChar('.'));
  // Digits and dots alone are an address with a mistake, not a name.
  const bool digits = host.find_first_not_of("0123456789.") == absl::string_view::npos;
  if (digits || host.size() > 253 || !std::all_of(labels.begin(), labels.end(), IsLabel)) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(host), " is neither the name of a host nor an address (without a port)"));
  }
  return absl::OkStatus();
}

absl::Status CheckClientName(absl::string_view name) {
  constexpr size_t kNameBytesMax = 64;  // RFC 5280, ub-common-name
  const auto good = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("._-", c);
  };
  if (name.empty() || name.size() > kNameBytesMax ||
      !absl::ascii_isalnum(static_cast<unsigned char>(name.front())) ||
      !std::all_of(name.begin(), name.end(), good)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(name), " is no client's name: up to ", kNameBytesMax,
                     " letters, digits, '.', '_' and '-', a letter or digit first"));
  }
  absl::string_view number = name;
  if (absl::ConsumePrefix(&number, "node-") &&
      std::all_of(number.begin(), number.end(),
                  [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); })) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(name), " is a node's name: give the client another one"));
  }
  return absl::OkStatus();
}

absl::StatusOr<CertificatePem> MakeAuthority(const std::string& common_name,
                                             const Validity& validity, const std::string& key) {
  const absl::StatusOr<Key> own = KeyFrom(key);
  if (!own.ok()) return own.status();
  const absl::StatusOr<Certificate> certificate = Begin(common_name, validity, own->get());
  if (!certificate.ok()) return certificate.status();
  X509* const x509 = certificate->get();
  if (X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1) {
    return Failed("the authority cannot have its name");
  }
  absl::Status status = AddExtensions(x509, x509,
                                      {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                       {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                       {NID_subject_key_identifier, "hash"}});
  if (!status.ok()) return status;
  if (X509_sign(x509, own->get(), EVP_sha256()) == 0) return Failed("the key cannot sign");
  return Written(x509, own->get());
}

absl::StatusOr<CertificatePem> MakeCertificate(const CertificatePem& authority,
                                               const CertificateRequest& request,
                                               const std::string& key) {
  const absl::StatusOr<Authority> issuer = ReadAuthority(authority);
  if (!issuer.ok()) return issuer.status();
  const absl::StatusOr<Key> own = KeyFrom(key);
  if (!own.ok()) return own.status();
  const absl::StatusOr<Certificate> certificate =
      Begin(request.common_name, request.validity, own->get());
  if (!certificate.ok()) return certificate.status();
  X509* const x509 = certificate->get();
  if (X509_set_issuer_name(x509, X509_get_subject_name(issuer->certificate.get())) != 1) {
    return Failed("the certificate cannot name its authority");
  }
  const bool node = request.use == CertificateUse::kNode;
  absl::Status status =
      AddExtensions(x509, issuer->certificate.get(),
                    {{NID_basic_constraints, "critical,CA:FALSE"},
                     {NID_key_usage, "critical,digitalSignature"},
                     {NID_ext_key_usage, node ? "serverAuth,clientAuth" : "clientAuth"},
                     {NID_subject_key_identifier, "hash"},
                     {NID_authority_key_identifier, "keyid:always"}});
  if (status.ok()) status = AddAlternativeNames(x509, request);
  if (!status.ok()) return status;
  if (X509_sign(x509, issuer->key.get(), EVP_sha256()) == 0) {
    return Failed("the authority's key cannot sign");
  }
  return Written(x509, own->get());
}

absl::StatusOr<absl::Time> AuthorityEnd(const CertificatePem& authority) {
  const absl::StatusOr<Authority> read = ReadAuthority(authority);
  if (!read.ok()) return read.status();
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(read->certificate.get()), &parts) != 1) {
    return Failed("the certificate's end cannot be read");
  }
  return absl::FromTM(parts, absl::UTCTimeZone());
}

}  // namespace lockstep
