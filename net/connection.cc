#include "net/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/address.h"
#include "core/base/check.h"

namespace lockstep::net {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;

// Gives up on a peer that acknowledges nothing, long before the kernel would.
void SetDeadAfter(uv_tcp_t* tcp, std::chrono::milliseconds dead_after) {
  uv_os_fd_t fd;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(tcp), &fd) != 0) return;
  const auto milliseconds = static_cast<unsigned>(dead_after.count());
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof(milliseconds));
}

uv_buf_t Buffer(absl::string_view text) {
  // libuv's buffers are not const, but it does not write what it sends.
  return uv_buf_init(const_cast<char*>(text.data()), static_cast<unsigned>(text.size()));
}

}  // namespace

Connection::Connection(uv_loop_t* loop, Events events, const Limits& limits,
                       TransportCounters& counters,
                       std::shared_ptr<const TlsCredentials> credentials)
    : handle_(new Handle),
      events_(std::move(events)),
      limits_(limits),
      counters_(counters),
      credentials_(std::move(credentials)) {
  CheckEq(uv_tcp_init(loop, &handle_->tcp), 0);
  handle_->owner = this;
  handle_->tcp.data = handle_;
  handle_->connect.data = handle_;
  read_at_ = wrote_at_ = uv_hrtime();
}

Connection::~Connection() {
  handle_->owner = nullptr;
  if (writing_ != nullptr) writing_->owner = nullptr;
  if (looking_up_ != nullptr) {
    looking_up_->owner = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&looking_up_->request));  // if it has not begun
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->tcp),
           [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

void Connection::Connect(const std::string& address, size_t attempt) {
  const absl::StatusOr<SocketAddress> numeric = ParseNumericAddress(address);
  if (numeric.ok()) return ConnectTo(*numeric);
  const absl::StatusOr<Address> named = ParseAddress(address, /*port_min=*/0);
  if (!named.ok()) return Close(named.status());
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  auto lookup = std::make_unique<Lookup>(
      Lookup{.request = {}, .owner = this, .address = address, .attempt = attempt});
  lookup->request.data = lookup.get();
  const int failed = uv_getaddrinfo(
      handle_->tcp.loop, &lookup->request,
      [](uv_getaddrinfo_t* request, int status, addrinfo* found) {
        const std::unique_ptr<Lookup> done(static_cast<Lookup*>(request->data));
        if (done->owner != nullptr) done->owner->OnLookedUp(*done, status, found);
        uv_freeaddrinfo(found);
      },
      named->host.c_str(), absl::StrCat(named->port).c_str(), &hints);
  if (failed != 0) return Close(UvError("looking a name up", failed));
  looking_up_ = lookup.release();
}

void Connection::OnLookedUp(const Lookup& lookup, int status, const addrinfo* found) {
  looking_up_ = nullptr;
  if (closed_) return;
  if (status != 0) {
    return Close(absl::UnavailableError(
        absl::StrCat("\"", lookup.address, "\" cannot be resolved: ", uv_strerror(status))));
  }
  size_t count = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) ++count;
  for (size_t skip = lookup.attempt % count; skip > 0; --skip) found = found->ai_next;
  SocketAddress address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  ConnectTo(address);
}

void Connection::ConnectTo(const SocketAddress& address) {
  const int failed = uv_tcp_connect(
      &handle_->connect, &handle_->tcp, address.get(), [](uv_connect_t* request, int status) {
        Connection* owner = static_cast<Handle*>(request->data)->owner;
        if (owner == nullptr || owner->closed_) return;
        if (status != 0) return owner->Close(UvError("connecting", status));
        owner->dialled_ = true;
        const bool at_once = owner->credentials_ == nullptr;
        owner->Begin();
        if (at_once) owner->events_.connected();
      });
  if (failed != 0) Close(UvError("connecting", failed));
}

absl::Status Connection::Accept(uv_stream_t* listener) {
  const int failed = uv_accept(listener, stream());
  if (failed != 0) return UvError("accepting a connection", failed);
  Begin();
  return absl::OkStatus();
}

void Connection::Begin() {
  open_ = true;
  uv_tcp_nodelay(&handle_->tcp, 1);
  uv_tcp_keepalive(&handle_->tcp, 1, /*delay=*/5);
  SetDeadAfter(&handle_->tcp, limits_.dead_after);
  buffer_.resize(kReadBytes);
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        Connection* owner = static_cast<Handle*>(handle->data)->owner;
        *buffer = owner == nullptr ? uv_buf_init(nullptr, 0)
                                   : uv_buf_init(owner->buffer_.data(),
                                                 static_cast<unsigned>(owner->buffer_.size()));
      },
      [](uv_stream_t* handle, ssize_t size, const uv_buf_t* buffer) {
        Connection* owner = static_cast<Handle*>(handle->data)->owner;
        if (owner != nullptr) owner->OnRead(size, buffer);
      });
  if (credentials_ != nullptr) BeginTls();
}

// Nothing of this object may be touched after an event that closes it.
void Connection::OnRead(ssize_t size, const uv_buf_t* buffer) {
  if (closed_ || size == 0) return;
  if (size < 0) {
    return Close(size == UV_EOF ? absl::UnavailableError("the other side closed it")
                                : UvError("reading", static_cast<int>(size)));
  }
  read_at_ = uv_hrtime();
  counters_.bytes_received += static_cast<uint64_t>(size);
  const absl::string_view data(buffer->base, static_cast<size_t>(size));
  if (tls_ != nullptr) return OnSealed(data);
  Handle* handle = handle_;
  const absl::Status status = TakePlain(data);
  if (handle->owner != nullptr && !status.ok()) Close(status);
}

absl::Status Connection::TakePlain(absl::string_view data) {
  return reader_.Feed(data, [this, handle = handle_](FrameKind kind, Bytes payload) {
    if (!events_.frame(kind, std::move(payload))) return false;
    return handle->owner != nullptr && !closed_;
  });
}

bool Connection::Send(FrameKind kind, Bytes payload) {
  const FrameHeader header = MakeFrameHeader(kind, payload.view());
  return Send(header, {std::move(payload), Bytes()});
}

bool Connection::Send(const FrameHeader& header, Parcel payload) {
  if (closed_ || draining_) return false;
  const uint64_t bytes = kFrameHeaderBytes + payload.size();
  if (queued_bytes_ > 0 && queued_bytes_ + bytes > limits_.queue_bytes_max) return false;
  queued_bytes_ += bytes;
  queue_.push_back({header, std::move(payload)});
  return true;
}

// Most writes fit into the socket's buffer: they are done when the call returns, without another
// round of the loop. What does not fit is libuv's to finish.
void Connection::Flush() {
  if (!open_ || closed_ || writing_ != nullptr) return;
  if (tls_ != nullptr) return FlushSealed();
  if (queue_.empty()) return;
  std::vector<uv_buf_t> buffers;
  buffers.reserve(3 * queue_.size());
  uint64_t bytes = 0;
  for (const Frame& frame : queue_) {
    buffers.push_back(Buffer(absl::string_view(frame.header.data(), frame.header.size())));
    for (const Bytes* piece : {&frame.payload.head, &frame.payload.tail}) {
      if (!piece->empty()) buffers.push_back(Buffer(piece->view()));
    }
    bytes += frame.header.size() + frame.payload.size();
  }
  wrote_at_ = uv_hrtime();
  const int tried = uv_try_write(stream(), buffers.data(), static_cast<unsigned>(buffers.size()));
  if (tried < 0 && tried != UV_EAGAIN) return Close(UvError("writing", tried));
  const auto written = static_cast<uint64_t>(tried < 0 ? 0 : tried);
  counters_.bytes_sent += written;
  queued_bytes_ -= written;
  if (written == bytes) return queue_.clear();
  WriteRest(std::move(buffers), written, bytes - written);
}

void Connection::WriteRest(std::vector<uv_buf_t> buffers, uint64_t written, uint64_t rest) {
  size_t first = 0;
  while (written >= buffers[first].len) written -= buffers[first++].len;
  buffers[first].base += written;
  buffers[first].len -= written;
  auto* write = new Write{.request = {},
                          .owner = this,
                          .frames = std::exchange(queue_, {}),
                          .sealed = "",
                          .bytes = rest,
                          .queued_bytes = rest};
  Submit(write, buffers.data() + first, static_cast<unsigned>(buffers.size() - first));
}

void Connection::Submit(Write* write, const uv_buf_t* buffers, unsigned count) {
  writing_ = write;
  write->request.data = write;
  const int failed =
      uv_write(&write->request, stream(), buffers, count, [](uv_write_t* request, int status) {
        auto* done = static_cast<Write*>(request->data);
        Connection* owner = done->owner;
        if (owner != nullptr) {
          owner->counters_.bytes_sent += done->bytes;
          owner->queued_bytes_ -= done->queued_bytes;
          owner->writing_ = nullptr;
        }
        delete done;
        if (owner != nullptr) owner->OnWritten(status);
      });
  if (failed == 0) return;
  delete std::exchange(writing_, nullptr);
  Close(UvError("writing", failed));
}

void Connection::OnWritten(int status) {
  if (closed_) return;
  if (status != 0) return Close(UvError("writing", status));
  FlushAndDrain();
}

void Connection::CloseAfterFlush(absl::Status why) {
  if (closed_ || draining_) return;
  draining_ = true;
  drain_why_ = std::move(why);
  FlushAndDrain();
}

void Connection::FlushAndDrain() {
  const Handle* const handle = handle_;
  Flush();
  if (handle->owner == nullptr || closed_) return;
  if (draining_ && writing_ == nullptr) Close(drain_why_);
}

void Connection::Close(absl::Status why) {
  if (std::exchange(closed_, true)) return;
  if (open_) uv_read_stop(stream());
  events_.closed(std::move(why));
}

std::chrono::nanoseconds Connection::ReadIdle() const {
  return std::chrono::nanoseconds(uv_hrtime() - read_at_);
}

std::chrono::nanoseconds Connection::WriteIdle() const {
  return std::chrono::nanoseconds(uv_hrtime() - wrote_at_);
}

std::chrono::microseconds Connection::RoundTrip() const {
  uv_os_fd_t fd;
  tcp_info info{};
  socklen_t size = sizeof(info);
  const bool known = uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle_->tcp), &fd) == 0 &&
                     getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  return std::chrono::microseconds(known ? info.tcpi_rtt : 0);
}

std::string Connection::peer_address() const { return PeerAddressOf(&handle_->tcp); }

}  // namespace lockstep::net
