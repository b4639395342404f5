// A connection with TLS: what comes is opened here before anybody reads it. What leaves is sealed
// in connection_write.cc.
#include <string>

#include "absl/strings/ascii.h"
#include "net/http/connection.h"
#include "net/http/failure.h"
#include "net/http/front.h"

namespace lockstep::net::http {

void Connection::BeginTls() {
  const HttpOptions& options = front_.options();
  tls_ = std::make_unique<TlsChannel>(options.tls->Current(), TlsChannel::Side::kAccepts,
                                      options.tls_demand);
  Arm(Deadline::kHandshake, options.handshake_ms_max);
}

void Connection::OnSealed(absl::string_view wire) {
  const bool was_ready = tls_->ready();
  if (!was_ready && !greeted_ && absl::ascii_isupper(static_cast<unsigned char>(wire.front()))) {
    return RefusePlainText();
  }
  greeted_ = true;
  std::string plain;
  const absl::Status status = tls_->Feed(wire, [&plain](absl::string_view piece) {
    plain.append(piece.data(), piece.size());
    return true;
  });
  SendWire();  // An answer of the handshake, or why it is refused.
  if (state_ == State::kClosing) return;
  if (!was_ready && tls_->ready()) {
    caller_.certificate = tls_->peer().common_name;
    Arm(Deadline::kIdle, front_.options().idle_ms_max);
  }
  if (!plain.empty()) OnData(plain);
  if (state_ != State::kClosing && (!status.ok() || tls_->ended())) OnEnd();
}

// A method where a handshake should be: somebody forgot the s of https.
void Connection::RefusePlainText() {
  tls_.reset();
  Refuse(Failure{.code = "TLS_REQUIRED", .message = "this port speaks TLS: use https://"});
}

}  // namespace lockstep::net::http
