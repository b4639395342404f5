#include "net/http/http_server.h"

#include <utility>

#include "core/base/check.h"
#include "net/http/front.h"

namespace lockstep::net {

HttpServer::HttpServer(HttpOptions options, Service& service, std::shared_ptr<NodeMetrics> metrics)
    : options_(std::move(options)), service_(service), metrics_(std::move(metrics)) {}

HttpServer::~HttpServer() { Stop(/*drain_ms=*/0); }

absl::Status HttpServer::Start(absl::string_view address) {
  Check(front_ == nullptr);
  auto front = std::make_unique<http::Front>(options_, service_, *metrics_);
  absl::StatusOr<std::string> bound = front->Listen(address);
  if (!bound.ok()) return bound.status();
  address_ = *std::move(bound);
  front_ = std::move(front);
  thread_ = std::thread([this] { front_->Run(); });
  return absl::OkStatus();
}

void HttpServer::SayLeaving() {
  Check(front_ != nullptr);
  front_->SayLeaving();
}

void HttpServer::Stop(uint64_t drain_ms) {
  if (!thread_.joinable()) return;
  front_->mailbox().AskToStop(drain_ms);
  thread_.join();
}

}  // namespace lockstep::net
