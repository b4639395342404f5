#include "net/http/front.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/check.h"
#include "net/http/listen_address.h"

namespace lockstep::net::http {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;
constexpr int kBacklog = 511;
// Connections beyond connections_max that are told so, rather than closed without a word.
constexpr size_t kRefusedAtOnceMax = 64;
// After the drain: for the last answers to leave.
constexpr uint64_t kFlushMs = 500;

}  // namespace

struct Front::Job {
  uv_work_t request = {};
  Front* front = nullptr;
  Work work;
  Step step;
};

Front::Loop::Loop() : uv_loop_t() { CheckEq(uv_loop_init(this), 0); }

Front::Front(const HttpOptions& options, Service& service, NodeMetrics& metrics)
    : options_(options),
      door_(service, options.guard),
      metrics_(metrics),
      collector_(&loop_, options, door_.service(), metrics, mailbox_),
      read_buffer_(kReadBytes),
      counters_(now_us()) {
  CheckEq(uv_tcp_init(&loop_, &listener_), 0);
  CheckEq(uv_async_init(&loop_, &wake_, OnWake), 0);
  CheckEq(uv_timer_init(&loop_, &stop_timer_), 0);
  for (uv_handle_t* handle :
       {reinterpret_cast<uv_handle_t*>(&listener_), reinterpret_cast<uv_handle_t*>(&wake_),
        reinterpret_cast<uv_handle_t*>(&stop_timer_)}) {
    handle->data = this;
  }
}

Front::~Front() {
  mailbox_->Close();
  if (!ended_) {  // Never ran.
    for (uv_handle_t* handle :
         {reinterpret_cast<uv_handle_t*>(&listener_), reinterpret_cast<uv_handle_t*>(&wake_),
          reinterpret_cast<uv_handle_t*>(&stop_timer_)}) {
      if (!uv_is_closing(handle)) uv_close(handle, nullptr);
    }
    collector_.Close();
    uv_run(&loop_, UV_RUN_DEFAULT);
  }
  CheckEq(uv_loop_close(&loop_), 0);
}

absl::StatusOr<std::string> Front::Listen(absl::string_view address) {
  absl::StatusOr<sockaddr_storage> resolved = ResolveListenAddress(address);
  if (!resolved.ok()) return resolved.status();
  int error = uv_tcp_bind(&listener_, reinterpret_cast<const sockaddr*>(&*resolved), 0);
  if (error == 0) {
    error = uv_listen(reinterpret_cast<uv_stream_t*>(&listener_), kBacklog, OnConnection);
  }
  if (error != 0) {
    return absl::UnavailableError(
        absl::StrCat(address, ": ", uv_strerror(error), "; choose another with --listen-http"));
  }
  sockaddr_storage bound = {};
  int length = sizeof(bound);
  error = uv_tcp_getsockname(&listener_, reinterpret_cast<sockaddr*>(&bound), &length);
  CheckEq(error, 0);
  return DescribeAddress(bound);
}

void Front::Run() {
  mailbox_->Open(&wake_);
  uv_async_send(&wake_);  // A wish to stop may have come before.
  uv_run(&loop_, UV_RUN_DEFAULT);
  Check(connections_.empty());
}

uv_buf_t Front::read_buffer() {
  return uv_buf_init(read_buffer_.data(), static_cast<unsigned>(read_buffer_.size()));
}

absl::string_view Front::date() {
  const absl::Time now = absl::Now();
  const auto second = static_cast<uint64_t>(absl::ToUnixSeconds(now));
  if (second != date_second_) {
    date_second_ = second;
    date_ = absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone());
  }
  return date_;
}

ApiSnapshot Front::snapshot() const {
  ApiSnapshot snapshot = counters_.Snapshot(now_us());
  snapshot.connections = connections_.size();
  snapshot.outstanding_bytes = outstanding_bytes_;
  return snapshot;
}

void Front::Recharge(uint64_t before, uint64_t after) {
  CheckLe(before, outstanding_bytes_);
  outstanding_bytes_ = outstanding_bytes_ - before + after;
}

void Front::Call(const Caller& caller, uint64_t connection, uint64_t exchange, uint64_t step,
                 std::vector<Bytes> calls) {
  std::vector<std::pair<Bytes, Service::Done>> all;
  for (size_t i = 0; i < calls.size(); ++i) {
    const CallId id{.connection = connection, .exchange = exchange, .step = step, .index = i};
    all.emplace_back(std::move(calls[i]), [mailbox = mailbox_, id](Bytes reply) {
      mailbox->Put({.to = id, .reply = std::move(reply)});
    });
  }
  door_.CallAll([&caller] { return caller; }, std::move(all));
}

void Front::Offload(Work work) {
  auto* job = new Job{.front = this, .work = std::move(work), .step = {}};
  job->request.data = job;
  const int error = uv_queue_work(
      &loop_, &job->request,
      [](uv_work_t* request) {
        auto* self = static_cast<Job*>(request->data);
        self->step =
            self->work.exchange->Run(std::move(self->work.replies), self->work.patience_us);
      },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Job> self(static_cast<Job*>(request->data));
        const auto found = self->front->connections_.find(self->work.connection);
        if (found == self->front->connections_.end()) return;
        found->second->OnWorked(self->work.exchange_number, std::move(self->work.exchange),
                                std::move(self->step));
      });
  CheckEq(error, 0);
}

void Front::OnConnection(uv_stream_t* listener, int status) {
  // An accept that fails (no descriptors left) is tried again by libuv with the next connection.
  if (status == 0) static_cast<Front*>(listener->data)->Accept();
}

void Front::Accept() {
  const uint64_t number = ++last_connection_;
  auto connection = std::make_unique<Connection>(*this, number);
  Connection& accepted = *connection;
  const size_t others = connections_.size();
  connections_.emplace(number, std::move(connection));
  if (!accepted.Accept(reinterpret_cast<uv_stream_t*>(&listener_))) return;
  if (draining_) return accepted.Close();
  const bool from_everywhere = others >= options_.connections_max;
  const bool from_there =
      ConnectionsFrom(accepted.address()) > options_.connections_per_address_max;
  if (!from_everywhere && !from_there) return;
  metrics_.ConnectionRefused("http");
  if (from_there || others >= options_.connections_max + kRefusedAtOnceMax) return accepted.Close();
  accepted.RefuseAsOneTooMany();
}

size_t Front::ConnectionsFrom(absl::string_view address) const {
  size_t count = 0;
  for (const auto& [number, connection] : connections_) {
    count += connection->address() == address ? 1u : 0u;
  }
  return count;
}

void Front::Forget(uint64_t connection) {
  CheckEq(connections_.erase(connection), size_t{1});
  MaybeEnd();
}

void Front::OnWake(uv_async_t* wake) { static_cast<Front*>(wake->data)->ReadMailbox(); }

void Front::ReadMailbox() {
  Mailbox::Contents contents = mailbox_->TakeAll();
  for (Letter& letter : contents.letters) {
    if (letter.to.connection == 0) {
      collector_.OnReply(letter.to, letter.reply);
      continue;
    }
    const auto found = connections_.find(letter.to.connection);
    if (found != connections_.end()) found->second->OnReply(letter.to, std::move(letter.reply));
  }
  if (contents.stop_drain_ms.has_value()) BeginStop(*contents.stop_drain_ms);
}

void Front::BeginStop(uint64_t drain_ms) {
  if (draining_) return;
  draining_ = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&listener_), nullptr);
  for (auto& [number, connection] : connections_) connection->Drain();
  uv_timer_start(
      &stop_timer_, [](uv_timer_t* timer) { static_cast<Front*>(timer->data)->GiveUp(); }, drain_ms,
      kFlushMs);
  MaybeEnd();
}

// First what is under way is answered as it stands; when that has not left, it is cut off.
void Front::GiveUp() {
  for (auto& [number, connection] : connections_) {
    if (gave_up_) {
      connection->Close();
    } else {
      connection->GiveUp();
    }
  }
  gave_up_ = true;
}

void Front::MaybeEnd() {
  if (!draining_ || ended_ || !connections_.empty()) return;
  ended_ = true;
  mailbox_->Close();
  uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&stop_timer_), nullptr);
  collector_.Close();
}

}  // namespace lockstep::net::http
