// Routing and handlers without a socket: requests in, answers out, the fake store between.
#ifndef LOCKSTEP_TESTS_UNIT_NET_HTTP_ROUTING_H_
#define LOCKSTEP_TESTS_UNIT_NET_HTTP_ROUTING_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "net/http/exchange.h"
#include "net/http/json.h"
#include "tests/unit/net/http_fake_service.h"

namespace lockstep::net::http {

class Routing : public testing::Test {
 protected:
  // The whole exchange with the fake store.
  Response Ask(Method method, std::string target, std::string body = "",
               std::vector<std::pair<std::string, std::string>> fields = {}) {
    Request request;
    request.method = method;
    request.target_text = std::move(target);
    request.body = std::move(body);
    request.fields = std::move(fields);
    Exchange exchange(std::move(request),
                      {.options = options_, .metrics = metrics_, .api = {}, .leaving = leaving_});
    Step step = exchange.Run({}, 1'000'000);
    while (!step.response.has_value()) {
      std::vector<Bytes> replies;
      for (const Bytes& call : step.calls) replies.push_back(store_.Answer(call));
      step = exchange.Run(std::move(replies), 1'000'000);
    }
    return *step.response;
  }
  Json AskJson(Method method, std::string target, std::string body = "",
               std::vector<std::pair<std::string, std::string>> fields = {}) {
    return Json::parse(Ask(method, std::move(target), std::move(body), std::move(fields)).body);
  }

  HttpOptions options_;
  NodeMetrics metrics_;
  bool leaving_ = false;
  http_test::FakeStore store_;
};

inline std::string FieldOf(const Response& response, absl::string_view name) {
  for (const auto& [key, value] : response.fields) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_TESTS_UNIT_NET_HTTP_ROUTING_H_
