// Certificates of a node, as OpenSSL takes them.
//
// A TlsCredentials is one state of the files, found sound, and never changes: connections that were
// made with it keep it. What is in force now is what a TlsStore holds.
#ifndef LOCKSTEP_NET_TLS_TLS_CREDENTIALS_H_
#define LOCKSTEP_NET_TLS_TLS_CREDENTIALS_H_

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::net {

// PEM texts.
struct TlsPem {
  std::string certificate;  // of this node; behind it those between it and the CA, if any
  std::string key;          // of the certificate
  std::string authorities;  // who may have signed the others'
  friend bool operator==(const TlsPem&, const TlsPem&) = default;
};

// Which certificates the other side of a connection shows, or else there is none.
enum class TlsDemand : uint8_t {
  kNone,      // it is not asked for one
  kIfGiven,   // it may show one, which is then verified
  kVerified,  // it shows one of the authorities'
};

class TlsCredentials {
 public:
  // InvalidArgument says which of the texts is wrong, and how.
  static absl::StatusOr<std::shared_ptr<const TlsCredentials>> Make(TlsPem pem);

  const TlsPem& pem() const { return pem_; }
  // Seconds since 1970 after which the first certificate of the chain, or of the authorities, is no
  // longer valid.
  int64_t certificate_expires() const { return certificate_expires_; }
  int64_t authorities_expire() const { return authorities_expire_; }

  struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  using Session = std::unique_ptr<SSL, FreeSession>;
  // For one connection that was accepted, or that was dialled (the other side's certificate is
  // verified always).
  Session Accepting(TlsDemand demand) const;
  Session Dialling() const;

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  TlsCredentials() = default;

  TlsPem pem_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  int64_t certificate_expires_ = 0;
  int64_t authorities_expire_ = 0;
};

// What is in force, and since how many changes. Thread-safe.
class TlsStore {
 public:
  explicit TlsStore(std::shared_ptr<const TlsCredentials> first) : current_(std::move(first)) {}

  std::shared_ptr<const TlsCredentials> Current() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return current_;
  }
  void Replace(std::shared_ptr<const TlsCredentials> next) {
    const std::lock_guard<std::mutex> lock(mutex_);
    current_ = std::move(next);
    ++changes_;
  }
  uint64_t changes() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return changes_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsCredentials> current_;
  uint64_t changes_ = 0;
};

// What OpenSSL said last on this thread, in words; "unknown error" if nothing.
std::string TlsErrorText();

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_TLS_TLS_CREDENTIALS_H_
