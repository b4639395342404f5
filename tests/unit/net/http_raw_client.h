// A client that sends exactly what a test gives it, over a blocking loopback socket.
#ifndef LOCKSTEP_TESTS_UNIT_NET_HTTP_RAW_CLIENT_H_
#define LOCKSTEP_TESTS_UNIT_NET_HTTP_RAW_CLIENT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "net/http/json.h"

namespace lockstep::net::http_test {

struct Answer {
  int status = 0;  // 0: the connection ended before an answer
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  std::string Field(absl::string_view name) const;
  http::Json Json() const;   // null when it is none
  std::string Code() const;  // its "code"
};

class RawClient {
 public:
  // "127.0.0.1:port".
  explicit RawClient(const std::string& address);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False: the peer has closed.
  bool Send(absl::string_view bytes);
  // The next answer; `has_body` false for HEAD.
  Answer Read(bool has_body = true);
  // What comes next, up to `end` and with it. Empty: the connection ended before.
  std::string ReadUntil(absl::string_view end);
  // Reads to the end of the connection.
  bool IsClosed();
  // One request with Host and Content-Length, and its answer.
  Answer Ask(absl::string_view method, absl::string_view target, absl::string_view body = "",
             absl::string_view fields = "");

 private:
  bool Receive();

  int socket_ = -1;
  std::string received_;
};

}  // namespace lockstep::net::http_test

#endif  // LOCKSTEP_TESTS_UNIT_NET_HTTP_RAW_CLIENT_H_
