// An HTTP exchange without a socket: a request in, the fake store behind it, and what holds of
// every answer, whatever was asked.
#ifndef LOCKSTEP_FUZZ_SUPPORT_HTTP_H_
#define LOCKSTEP_FUZZ_SUPPORT_HTTP_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/proto/gateway.pb.h"
#include "fuzz/support/one_line.h"
#include "net/http/exchange.h"
#include "net/http/gzip.h"
#include "net/http/json.h"
#include "net/http/response_head.h"
#include "tests/unit/net/http_fake_service.h"

namespace lockstep::fuzz {

inline constexpr uint64_t kAnswerBytesMax = uint64_t{64} << 20;

// The first field of that name, "" if there is none.
inline std::string FieldOf(const net::http::Response& response, absl::string_view name) {
  const auto found = std::find_if(response.fields.begin(), response.fields.end(),
                                  [&](const auto& field) { return field.first == name; });
  return found == response.fields.end() ? "" : found->second;
}

// Nothing of a request splits the answer: one head, with as many lines as it has fields.
inline void CheckHead(const net::http::Response& response) {
  using net::http::AfterAnswer;
  const std::string head = MakeHead(response, AfterAnswer::kKeepAlive, "today");
  CheckEq(head.find("\r\n\r\n"), head.size() - 4);
  for (size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\r') CheckEq(head[i + 1], '\n');
    if (head[i] == '\n') CheckEq(head[i - 1], '\r');
  }
  net::http::Response bare = response;
  bare.fields.clear();
  const auto lines = [](absl::string_view text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  const std::string bare_head = MakeHead(bare, AfterAnswer::kKeepAlive, "today");
  CheckEq(lines(head), lines(bare_head) + static_cast<ptrdiff_t>(response.fields.size()));
}

// A failure has a message, a stable code, and says what became of the call.
inline void CheckFailure(const net::http::Json& body) {
  Check(body.at("error").is_string());
  CheckLe(body.at("error").get<std::string>().size(), kLineBytesMax);
  Check(!body.at("error").get<std::string>().empty());
  const std::string code = body.at("code").get<std::string>();
  Check(!code.empty() && std::all_of(code.begin(), code.end(), [](char c) {
    return absl::ascii_isupper(static_cast<unsigned char>(c)) || c == '_';
  }));
  const std::string effect = body.at("effect").get<std::string>();
  Check(effect == "none" || effect == "unknown");
}

inline void CheckResponse(const net::http::Response& response) {
  CheckLe(200, response.status);
  CheckLt(response.status, 600);
  CheckHead(response);
  if (response.content_type != "application/json" || response.body.empty()) return;
  std::string text = response.body;
  if (FieldOf(response, "Content-Encoding") == "gzip") {
    absl::StatusOr<std::string> unpacked = net::http::Gunzip(text, kAnswerBytesMax);
    Check(unpacked.ok());
    text = *std::move(unpacked);
  }
  const net::http::Json body = net::http::Json::parse(text, nullptr, /*allow_exceptions=*/false);
  Check(body.is_object());
  if (body.contains("success") && body.at("success") == false) CheckFailure(body);
}

// The whole exchange. What a request that is refused at once would have done is not even asked.
inline net::http::Response RunExchange(const net::HttpOptions& options, net::http::Request request,
                                       net::http_test::FakeStore& store) {
  constexpr int kStepsMax = 3'000;  // of a list: one for each page, skipped ones, too
  static const net::NodeMetrics metrics;
  net::http::Exchange exchange(std::move(request),
                               {.options = options, .metrics = metrics, .api = {}});
  CheckLe(uint64_t{1}, exchange.timeout_ms());
  CheckLe(exchange.timeout_ms(), options.request_timeout_ms_max);
  CheckResponse(exchange.OnSilence());
  net::http::Step step = exchange.Run({}, 1'000'000);
  for (int steps = 0; !step.response.has_value(); ++steps) {
    CheckLt(steps, kStepsMax);
    Check(!step.calls.empty());
    std::vector<Bytes> replies;
    for (const Bytes& call : step.calls) replies.push_back(store.Answer(call));
    step = exchange.Run(std::move(replies), 1'000'000);
  }
  CheckResponse(*step.response);
  return *std::move(step.response);
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_HTTP_H_
