#include "net/http/exchange.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "net/http/failure.h"
#include "net/http/gzip.h"
#include "net/http/request_fields.h"
#include "net/http/routes.h"

namespace lockstep::net::http {
namespace {

bool IsConfigured(const HttpOptions& options, absl::string_view origin) {
  return std::any_of(options.cors_origins.begin(), options.cors_origins.end(),
                     [&](const std::string& each) { return each == "*" || each == origin; });
}

// A browser lets any page send a plain POST to this machine; it only hides the answer. So a write
// from a page is refused here unless the page is ours or configured.
absl::Status CheckOrigin(const Request& request, const HttpOptions& options) {
  absl::string_view origin = request.Field("Origin");
  if (origin.empty() || IsConfigured(options, origin)) return absl::OkStatus();
  if (request.method == Method::kGet || request.method == Method::kHead ||
      request.method == Method::kOptions) {
    return absl::OkStatus();
  }
  absl::string_view host = origin;
  if (!absl::ConsumePrefix(&host, "http://")) absl::ConsumePrefix(&host, "https://");
  if (host == request.Field("Host")) return absl::OkStatus();
  return Refuse("FORBIDDEN_ORIGIN",
                absl::StrCat("pages of ", origin.substr(0, 200),
                             " may not write here: list the origin with --http-cors-origins"));
}

absl::Status CheckEncoding(const Request& request) {
  const absl::string_view encoding = request.Field("Content-Encoding");
  if (encoding.empty() || absl::EqualsIgnoreCase(encoding, "gzip") ||
      absl::EqualsIgnoreCase(encoding, "identity")) {
    return absl::OkStatus();
  }
  return Refuse("UNSUPPORTED_MEDIA_TYPE", "the only Content-Encoding taken is gzip");
}

constexpr absl::string_view kCorsMethods = "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS";
constexpr absl::string_view kCorsRequestFields =
    "Authorization, Content-Type, Content-Encoding, Lockstep-Session, Lockstep-Sequence, "
    "Lockstep-First-Outstanding, Lockstep-Timeout-Ms";
constexpr absl::string_view kCorsAnswerFields = "Lockstep-Version, Lockstep-Stale, Retry-After";

}  // namespace

void AllowOrigin(const HttpOptions& options, absl::string_view origin, Response* response) {
  if (options.cors_origins.empty()) return;
  response->fields.emplace_back("Vary", "Origin");
  if (origin.empty() || !IsConfigured(options, origin)) return;
  const auto add = [&](absl::string_view name, absl::string_view value) {
    response->fields.emplace_back(name, value);
  };
  add("Access-Control-Allow-Origin", origin);
  add("Access-Control-Expose-Headers", kCorsAnswerFields);
  if (response->status != 204) return;  // What follows is for preflights.
  add("Access-Control-Allow-Methods", kCorsMethods);
  add("Access-Control-Allow-Headers", kCorsRequestFields);
  add("Access-Control-Max-Age", "600");
}

Exchange::Exchange(Request request, const HandlerContext& context)
    : options_(context.options), request_(std::move(request)) {
  handler_ = FindHandler(context, &request_);
  absl::StatusOr<uint64_t> timeout = TimeoutMs(request_, options_);
  timeout_ms_ =
      std::min(timeout.ok() ? *timeout : options_.request_timeout_ms, handler_->timeout_ms_max());
  for (const absl::Status& status :
       {CheckOrigin(request_, options_), CheckEncoding(request_), timeout.status()}) {
    if (refusal_.ok()) refusal_ = status;
  }
}

bool Exchange::is_packed() const {
  return absl::EqualsIgnoreCase(request_.Field("Content-Encoding"), "gzip");
}

uint64_t Exchange::step_bytes() const {
  const uint64_t unpacked = is_packed() ? ClaimedBytes(request_.body) : 0;
  return request_.body.size() + std::min(unpacked, options_.body_bytes_max);
}

Step Exchange::Begin(uint64_t patience_us) {
  if (!refusal_.ok()) return Step::Fail(FailureOf(refusal_));
  if (is_packed() && !request_.body.empty()) {
    absl::StatusOr<std::string> body = Gunzip(request_.body, options_.body_bytes_max);
    if (!body.ok()) return Step::Fail(FailureOf(body.status()));
    request_.body = *std::move(body);
  }
  return handler_->Start(request_, patience_us);
}

Step Exchange::Run(std::vector<Bytes> replies, uint64_t patience_us) {
  Step step =
      begun_ ? handler_->Continue(request_, std::move(replies), patience_us) : Begin(patience_us);
  if (!begun_) std::string().swap(request_.body);
  begun_ = true;
  if (step.response.has_value()) step.response = Finish(*std::move(step.response));
  return step;
}

Response Exchange::Finish(Response response) const {
  AllowOrigin(options_, request_.Field("Origin"), &response);
  if (response.body.size() <= options_.gzip_bytes_min) return response;
  response.fields.emplace_back("Vary", "Accept-Encoding");
  if (WeightOf(request_.Field("Accept-Encoding"), "gzip") == 0) return response;
  response.body = Gzip(response.body);
  response.fields.emplace_back("Content-Encoding", "gzip");
  return response;
}

}  // namespace lockstep::net::http
