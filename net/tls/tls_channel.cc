#include "net/tls/tls_channel.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::net {
namespace {

constexpr char kNodeUri[] = "lockstep://node";
constexpr size_t kPlainBytes = size_t{16} << 10;  // one record of TLS
constexpr size_t kWireBytes = size_t{64} << 10;   // given to OpenSSL at once

std::string TextOf(const ASN1_STRING* string) {
  const unsigned char* const data = ASN1_STRING_get0_data(string);
  return {reinterpret_cast<const char*>(data), static_cast<size_t>(ASN1_STRING_length(string))};
}

TlsPeer PeerOf(const X509* certificate) {
  TlsPeer peer;
  if (certificate == nullptr) return peer;
  peer.shown = true;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0)
    peer.common_name = TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_URI) peer.uris.push_back(TextOf(name->d.uniformResourceIdentifier));
  }
  GENERAL_NAMES_free(names);
  return peer;
}

bool Has(const TlsPeer& peer, const std::string& uri) {
  return std::find(peer.uris.begin(), peer.uris.end(), uri) != peer.uris.end();
}

}  // namespace

TlsPeer PeerOf(absl::string_view pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  TlsPeer peer = PeerOf(certificate);
  X509_free(certificate);
  BIO_free(bio);
  ERR_clear_error();
  return peer;
}

bool MaySpeakFor(const TlsPeer& peer, uint64_t node) {
  return peer.shown && (Has(peer, kNodeUri) || Has(peer, absl::StrCat(kNodeUri, "/", node)));
}

bool IsNode(const TlsPeer& peer) {
  const std::string of_one = absl::StrCat(kNodeUri, "/");
  return peer.shown && std::any_of(peer.uris.begin(), peer.uris.end(), [&](const auto& uri) {
           return uri == kNodeUri || uri.rfind(of_one, 0) == 0;
         });
}

TlsChannel::TlsChannel(std::shared_ptr<const TlsCredentials> credentials, Side side,
                       TlsDemand demand)
    : credentials_(std::move(credentials)),
      session_(side == Side::kAccepts ? credentials_->Accepting(demand) : credentials_->Dialling()),
      incoming_(BIO_new(BIO_s_mem())),
      outgoing_(BIO_new(BIO_s_mem())) {
  Check(incoming_ != nullptr);
  Check(outgoing_ != nullptr);
  SSL_set_bio(session_.get(), incoming_, outgoing_);
}

absl::Status TlsChannel::Begin() { return Shake(); }

// What a call of OpenSSL came to: OK if it needs more bytes or is done.
absl::Status TlsChannel::Advance(int result) {
  const int error = SSL_get_error(session_.get(), result);
  switch (error) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return absl::OkStatus();
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      return absl::OkStatus();
    default:
      break;
  }
  const int64_t verified = SSL_get_verify_result(session_.get());
  const std::string reason = TlsErrorText();
  if (!ready_ && verified != X509_V_OK) {
    return absl::UnauthenticatedError(
        absl::StrCat("the other side's certificate is refused: ",
                     X509_verify_cert_error_string(static_cast<int>(verified))));
  }
  return absl::UnauthenticatedError(absl::StrCat(
      ready_ ? "TLS: " : "no TLS handshake (does the other side speak TLS?): ", reason));
}

absl::Status TlsChannel::Shake() {
  if (ready_) return absl::OkStatus();
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  if (result != 1) return Advance(result);
  ready_ = true;
  X509* const certificate = SSL_get1_peer_certificate(session_.get());
  peer_ = PeerOf(certificate);
  X509_free(certificate);
  return absl::OkStatus();
}

absl::Status TlsChannel::Feed(absl::string_view wire,
                              absl::FunctionRef<bool(absl::string_view)> plain) {
  std::array<char, kPlainBytes> buffer;
  do {
    const absl::string_view part = wire.substr(0, kWireBytes);
    wire.remove_prefix(part.size());
    if (!part.empty()) {
      const int taken = BIO_write(incoming_, part.data(), static_cast<int>(part.size()));
      CheckEq(taken, static_cast<int>(part.size()));
    }
    const absl::Status shaken = Shake();
    if (!shaken.ok()) return shaken;
    while (ready_ && !ended_) {
      ERR_clear_error();
      const int size = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (size <= 0) {
        const absl::Status status = Advance(size);
        if (!status.ok()) return status;
        break;
      }
      if (!plain({buffer.data(), static_cast<size_t>(size)})) return absl::OkStatus();
    }
  } while (!wire.empty() && !ended_);
  return absl::OkStatus();
}

absl::Status TlsChannel::Write(absl::string_view plain) {
  Check(ready_);
  while (!plain.empty()) {
    const auto some = std::min<size_t>(plain.size(), size_t{1} << 30);
    ERR_clear_error();
    const int written = SSL_write(session_.get(), plain.data(), static_cast<int>(some));
    if (written <= 0) return Advance(written);
    plain.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

void TlsChannel::SayGoodbye() {
  if (!ready_) return;
  ERR_clear_error();
  SSL_shutdown(session_.get());
  ERR_clear_error();
}

std::string TlsChannel::TakeWire() {
  std::string wire(static_cast<size_t>(BIO_ctrl_pending(outgoing_)), '\0');
  if (wire.empty()) return wire;
  const int size = BIO_read(outgoing_, wire.data(), static_cast<int>(wire.size()));
  CheckEq(size, static_cast<int>(wire.size()));
  return wire;
}

}  // namespace lockstep::net
