#include "bin/lockstep_http_client.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bin/lockstep_http_handle.h"
#include "core/base/address.h"
#include "core/base/check.h"
#include "net/client/failure.h"

namespace lockstep::bin {
namespace {

using std::chrono::steady_clock;

constexpr Duration kPause = std::chrono::milliseconds(50);
// Of one server, while all are asked in turn.
constexpr Duration kProbe = std::chrono::seconds(1);
constexpr Duration kAttemptMin = std::chrono::seconds(1);

// "certainly not executed" from a server that others may do better than.
bool IsRefusal(const HttpAnswer& answer) {
  return answer.status == 503 && absl::StrContains(answer.body, "\"effect\":\"none\"");
}

bool IsCertainlyNot(const absl::Status& status) {
  return client::EffectOf(status) == client::Effect::kNone;
}

}  // namespace

// Owns a handle of libcurl.
class HttpClient::Handle : public HttpHandle {
 public:
  using HttpHandle::HttpHandle;
};

absl::string_view HttpAnswer::Field(absl::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

absl::StatusOr<std::unique_ptr<HttpClient>> HttpClient::Open(
    const std::vector<std::string>& servers, Duration timeout, client::Credentials credentials) {
  if (servers.empty()) return absl::InvalidArgumentError("no server is given: HOST:PORT");
  std::vector<std::string> addresses;
  for (absl::string_view server : servers) {
    if (!absl::ConsumePrefix(&server, "https://")) absl::ConsumePrefix(&server, "http://");
    absl::ConsumeSuffix(&server, "/");
    absl::StatusOr<Address> address = ParseAddress(server, /*port_min=*/1);
    if (!address.ok()) return address.status();
    addresses.push_back(FormatAddress(*address));
  }
  return std::unique_ptr<HttpClient>(
      new HttpClient(std::move(addresses), timeout, std::move(credentials)));
}

HttpClient::HttpClient(std::vector<std::string> servers, Duration timeout,
                       client::Credentials credentials)
    : servers_(std::move(servers)), timeout_(timeout), credentials_(std::move(credentials)) {}
HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Handle> HttpClient::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (idle_.empty()) return std::make_unique<Handle>(credentials_);
  std::unique_ptr<Handle> handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

void HttpClient::GiveBack(std::unique_ptr<Handle> handle) {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(handle));
}

absl::StatusOr<HttpAnswer> HttpClient::Once(const std::string& server, const HttpCall& call,
                                            Duration left) {
  std::unique_ptr<Handle> handle = Take();
  absl::StatusOr<HttpAnswer> answer = handle->Perform(server, call, left);
  GiveBack(std::move(handle));
  return answer;
}

absl::StatusOr<HttpAnswer> HttpClient::Call(const HttpCall& call) {
  const auto deadline = steady_clock::now() + timeout_;
  const size_t first = preferred_;
  absl::StatusOr<HttpAnswer> answer = absl::UnavailableError("no server was asked");
  for (size_t i = 0; i < servers_.size(); ++i) {
    const size_t at = (first + i) % servers_.size();
    const Duration left = deadline - steady_clock::now();
    if (i > 0 && left <= Duration::zero()) break;
    // A server that hangs must not cost a read all of its time. A write cannot go elsewhere anyway.
    const auto others = static_cast<int64_t>(servers_.size() - i);
    const Duration share = std::min(left, std::max(left / others, kAttemptMin));
    answer = Once(servers_[at], call, call.kind == HttpCall::Kind::kRead ? share : left);
    if (answer.ok() && !IsRefusal(*answer)) {
      preferred_ = at;
      return answer;
    }
    preferred_ = (at + 1) % servers_.size();
    if (!answer.ok() && !IsCertainlyNot(answer.status())) return answer;
  }
  return answer;
}

absl::StatusOr<HttpAnswer> HttpClient::CallServer(absl::string_view server, const HttpCall& call) {
  absl::ConsumePrefix(&server, "http://");
  absl::ConsumeSuffix(&server, "/");
  return Once(std::string(server), call, timeout_);
}

absl::Status HttpClient::WaitForAny(const HttpCall& call) {
  const auto deadline = steady_clock::now() + timeout_;
  std::string tried;
  while (true) {
    tried.clear();
    for (size_t at = 0; at < servers_.size(); ++at) {
      const Duration left = deadline - steady_clock::now();
      const absl::StatusOr<HttpAnswer> answer =
          Once(servers_[at], call, std::clamp(left, kPause, kProbe));
      if (answer.ok()) {
        preferred_ = at;
        return absl::OkStatus();
      }
      absl::StrAppend(&tried, tried.empty() ? "" : "; ", answer.status().message());
    }
    if (steady_clock::now() + kPause >= deadline) break;
    std::this_thread::sleep_for(kPause);
  }
  return client::FailureStatus(absl::StatusCode::kUnavailable, client::Effect::kNone, "UNAVAILABLE",
                               absl::StrCat("no server answers: ", tried));
}

}  // namespace lockstep::bin
