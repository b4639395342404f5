#include "net/http/dashboard/collector.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/check.h"
#include "net/http/calls.h"
#include "net/http/connection.h"

namespace lockstep::net::http {
namespace {

constexpr uint64_t kUsPerMs = 1000;
constexpr uint64_t kNsPerUs = 1000;
// Who has asked for the data is thought to ask again for so long.
constexpr uint64_t kAttentionMs = 5'000;
// Asking is by the tick, so a little early is on time.
constexpr uint64_t kJitterMs = 50;

// One event of a stream (HTML Standard, "Server-sent events"). JSON has no line ends of its own.
std::string EventText(const char* name, const DashboardTexts& texts) {
  return absl::StrCat("id: ", texts.number, "\nevent: ", name, "\ndata: ", texts.All(), "\n\n");
}

}  // namespace

Collector::Collector(uv_loop_t* loop, const HttpOptions& options, Service& service,
                     const NodeMetrics& metrics, std::shared_ptr<Mailbox> mailbox)
    : loop_(loop),
      options_(options),
      service_(service),
      metrics_(metrics),
      mailbox_(std::move(mailbox)),
      model_(options) {
  CheckEq(uv_timer_init(loop_, &timer_), 0);
  timer_.data = this;
  asked_ms_ = uv_now(loop_);
  const uint64_t tick = options_.dashboard_watched_ms;
  CheckEq(uv_timer_start(
              &timer_, [](uv_timer_t* timer) { static_cast<Collector*>(timer->data)->OnTick(); },
              tick, tick),
          0);
}

void Collector::Close() {
  auto* handle = reinterpret_cast<uv_handle_t*>(&timer_);
  if (!uv_is_closing(handle)) uv_close(handle, nullptr);
}

bool Collector::Admit(uint64_t number, Connection* connection) {
  if (streams_.size() >= options_.dashboard_streams_max) return false;
  streams_[number] = connection;
  // What is a tick old is old news to who opens a page.
  if (!asking_ && uv_now(loop_) - asked_ms_ >= options_.dashboard_watched_ms) Ask();
  return true;
}

void Collector::Greet(Connection* connection) {
  const std::shared_ptr<const DashboardTexts> texts = board_.Look();
  if (texts == nullptr) return;
  connection->SendNews({.everything = EventText("state", *texts), .news = ""});
}

bool Collector::IsDue() const {
  const uint64_t now = uv_now(loop_);
  const bool is_watched = !streams_.empty() || (looked_ms_ != 0 && now - looked_ms_ < kAttentionMs);
  if (!is_watched && options_.dashboard_idle_ms == 0) return false;
  const uint64_t interval = is_watched ? options_.dashboard_watched_ms : options_.dashboard_idle_ms;
  // A question that is lost does not end the dashboard.
  if (asking_ && now - asked_ms_ < options_.request_timeout_ms) return false;
  return now - asked_ms_ + kJitterMs >= interval;
}

void Collector::OnTick() {
  const uint64_t now = uv_now(loop_);
  if (board_.TakeLooked()) looked_ms_ = now;
  if (IsDue()) Ask();
  if (now - told_ms_ < options_.dashboard_heartbeat_ms) return;
  told_ms_ = now;
  const std::map<uint64_t, Connection*> streams = streams_;  // Who has gone leaves meanwhile.
  for (const auto& [number, connection] : streams) connection->SendHeartbeat();
}

void Collector::Ask() {
  proto::GatewayRequest question;
  question.mutable_cluster_status()->set_shards(true);
  question.set_patience_us(options_.status_timeout_ms * kUsPerMs);
  asking_ = true;
  asked_ms_ = uv_now(loop_);
  const CallId id{.exchange = ++question_};
  service_.Call(Encode(question), [mailbox = mailbox_, id](Bytes reply) {
    mailbox->Put({.to = id, .reply = std::move(reply)});
  });
}

void Collector::OnReply(const CallId& id, const Bytes& reply) {
  if (id.exchange != question_ || !asking_) return;
  asking_ = false;
  absl::StatusOr<proto::GatewayReply> decoded = DecodeReply(reply);
  // A node that is overloaded is asked again by the next tick; pages see how old their data is.
  if (!decoded.ok() || !decoded->has_cluster_status()) return;
  model_.Observe({.status = std::move(*decoded->mutable_cluster_status()),
                  .calls = metrics_.Tallies(),
                  .at_ms = static_cast<uint64_t>(absl::ToUnixMillis(absl::Now())),
                  .now_us = uv_hrtime() / kNsPerUs});
  Tell();
}

void Collector::Tell() {
  auto everything = std::make_shared<const DashboardTexts>(model_.Everything());
  board_.Post(everything);
  if (streams_.empty()) return;
  told_ms_ = uv_now(loop_);
  const DashboardNews news = {.everything = EventText("state", *everything),
                              .news = EventText("update", model_.News())};
  const std::map<uint64_t, Connection*> streams = streams_;  // Who has gone leaves meanwhile.
  for (const auto& [number, connection] : streams) connection->SendNews(news);
}

}  // namespace lockstep::net::http
