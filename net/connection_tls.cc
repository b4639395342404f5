// A connection with TLS: frames are sealed on their way out and opened on their way in.
#include <algorithm>
#include <utility>

#include "net/connection.h"

namespace lockstep::net {
namespace {

// Sealed at once: a large value is not copied whole.
constexpr size_t kSealedBytes = size_t{256} << 10;
// Written in one turn however fast the network takes it: others have their turn, too.
constexpr uint64_t kTurnBytes = uint64_t{2} << 20;

}  // namespace

const TlsPeer* Connection::certified() const {
  return tls_ != nullptr && tls_->ready() ? &tls_->peer() : nullptr;
}

void Connection::BeginTls() {
  const TlsChannel::Side side = dialled_ ? TlsChannel::Side::kDials : TlsChannel::Side::kAccepts;
  announced_ = !dialled_;
  tls_ = std::make_unique<TlsChannel>(credentials_, side, TlsDemand::kVerified);
  if (!dialled_) return;
  const absl::Status begun = tls_->Begin();
  if (!begun.ok()) return Close(begun);
  FlushSealed();
}

// Nothing of this object may be touched after an event that closes it.
void Connection::OnSealed(absl::string_view wire) {
  Handle* const handle = handle_;
  const auto alive = [handle, this] { return handle->owner != nullptr && !closed_; };
  const auto announce = [&] {
    if (tls_->ready() && !std::exchange(announced_, true)) events_.connected();
    return alive();
  };
  // Kept through the events: one of them may end the connection.
  const std::shared_ptr<TlsChannel> tls = tls_;
  absl::Status taken;
  absl::Status status = tls->Feed(wire, [&](absl::string_view plain) {
    if (!announce()) return false;
    taken = TakePlain(plain);
    return taken.ok() && alive();
  });
  if (!alive()) return;
  if (status.ok() && !announce()) return;
  if (status.ok()) status = taken;
  if (status.ok() && tls->ended()) status = absl::UnavailableError("the other side closed it");
  FlushSealed();  // an answer of the handshake, or why it is refused
  if (alive() && !status.ok()) Close(status);
}

void Connection::FlushSealed() {
  if (closed_ || writing_ != nullptr) return;
  uint64_t sent = 0;
  while (true) {
    const absl::Status sealed = SealSome();
    if (!sealed.ok()) return Close(sealed);
    std::string wire = tls_->TakeWire();
    if (wire.empty()) return;
    wrote_at_ = uv_hrtime();
    const uv_buf_t whole = uv_buf_init(wire.data(), static_cast<unsigned>(wire.size()));
    const int tried = sent < kTurnBytes ? uv_try_write(stream(), &whole, 1) : UV_EAGAIN;
    if (tried < 0 && tried != UV_EAGAIN) return Close(UvError("writing", tried));
    const auto written = static_cast<size_t>(tried < 0 ? 0 : tried);
    counters_.bytes_sent += written;
    sent += written;
    if (written == wire.size()) continue;
    auto* write = new Write{.request = {}, .owner = this, .frames = {}, .sealed = std::move(wire)};
    write->bytes = write->sealed.size() - written;
    const uv_buf_t rest =
        uv_buf_init(write->sealed.data() + written, static_cast<unsigned>(write->bytes));
    return Submit(write, &rest, 1);
  }
}

// The next piece of what is queued.
absl::Status Connection::SealSome() {
  if (!tls_->ready()) return absl::OkStatus();
  size_t room = kSealedBytes;
  while (room > 0 && !queue_.empty()) {
    const Frame& frame = queue_.front();
    const absl::string_view pieces[] = {{frame.header.data(), frame.header.size()},
                                        frame.payload.head.view(),
                                        frame.payload.tail.view()};
    size_t before = 0;
    for (const absl::string_view piece : pieces) {
      const size_t from = std::clamp(sealed_, before, before + piece.size()) - before;
      before += piece.size();
      const absl::string_view part = piece.substr(from, room);
      if (part.empty()) continue;
      const absl::Status written = tls_->Write(part);
      if (!written.ok()) return written;
      sealed_ += part.size();
      room -= part.size();
      queued_bytes_ -= part.size();
    }
    if (sealed_ < before) break;
    sealed_ = 0;
    queue_.pop_front();
  }
  return absl::OkStatus();
}

}  // namespace lockstep::net
