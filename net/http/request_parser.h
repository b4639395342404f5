// Requests out of bytes: Boost.Beast's parser without its sockets. One parser for one request.
//
// Stricter than Beast where two readers could disagree about where a request ends: any
// Transfer-Encoding but "chunked" is refused, so is HTTP/1.1 without a Host, and trailers are
// dropped.
#ifndef LOCKSTEP_NET_HTTP_REQUEST_PARSER_H_
#define LOCKSTEP_NET_HTTP_REQUEST_PARSER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "net/http/message.h"
#include "net/http/options.h"

namespace lockstep::net::http {

class RequestParser {
 public:
  explicit RequestParser(const HttpOptions& options);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes what it can of `data` and says how much; 0: it wants more before it goes on. Stops behind
  // the header, so that the caller can look at it. A status (failure.h tells its code) ends the
  // parser. REQUIRES: !done(), data not empty.
  absl::StatusOr<size_t> Feed(absl::string_view data);

  bool got_some() const;  // a byte of the request
  bool header_done() const;
  bool done() const;
  // These REQUIRE header_done().
  std::optional<uint64_t> content_length() const;
  bool expects_continue() const;  // the client waits for "100 Continue" before it sends the body
  const Request& request() const;
  uint64_t body_bytes() const;  // that have arrived
  // REQUIRES: done().
  Request Take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_REQUEST_PARSER_H_
