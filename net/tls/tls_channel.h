// TLS of one connection, without a socket: bytes of the wire go in and come out. One thread at a
// time.
//
// Nothing is plain text: what is written before the handshake is over waits for it, and nothing
// that comes is believed before the other side's certificate is verified.
#ifndef LOCKSTEP_NET_TLS_TLS_CHANNEL_H_
#define LOCKSTEP_NET_TLS_TLS_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "net/tls/tls_credentials.h"

namespace lockstep::net {

// Who the verified certificate of the other side says that it is.
struct TlsPeer {
  bool shown = false;             // it has shown one
  std::string common_name;        // of the subject; empty: none
  std::vector<std::string> uris;  // of the subject's alternative names
};

// The names of a PEM certificate; not shown if it is none.
TlsPeer PeerOf(absl::string_view pem);

// lockstep://node/ID in a certificate: it is that node's. lockstep://node: any node's.
bool MaySpeakFor(const TlsPeer& peer, uint64_t node);
// It is some node's.
bool IsNode(const TlsPeer& peer);

class TlsChannel {
 public:
  enum class Side : uint8_t { kAccepts, kDials };

  // `demand` is for the side that accepts; the one that dials always verifies.
  TlsChannel(std::shared_ptr<const TlsCredentials> credentials, Side side, TlsDemand demand);
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  // The first bytes of the side that dials. Then TakeWire has them.
  absl::Status Begin();
  // Of the wire. `plain` is given what it says, piece by piece; false: nothing more is wanted now,
  // or ever. An error ends the connection, after what TakeWire has (an alert) has been sent.
  // Afterwards TakeWire may have bytes, also when nothing was written.
  absl::Status Feed(absl::string_view wire, absl::FunctionRef<bool(absl::string_view)> plain);
  // REQUIRES: ready().
  absl::Status Write(absl::string_view plain);
  // Says that nothing more follows.
  void SayGoodbye();
  // What is to be sent since the last call.
  std::string TakeWire();

  // The handshake is over.
  bool ready() const { return ready_; }
  // The other side has said that nothing more follows.
  bool ended() const { return ended_; }
  // REQUIRES: ready().
  const TlsPeer& peer() const { return peer_; }

 private:
  absl::Status Advance(int result);
  absl::Status Shake();

  const std::shared_ptr<const TlsCredentials> credentials_;
  TlsCredentials::Session session_;
  BIO* incoming_;  // the session's
  BIO* outgoing_;  // likewise
  TlsPeer peer_;
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_TLS_TLS_CHANNEL_H_
