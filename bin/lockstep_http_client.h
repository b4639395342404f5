// HTTP requests to the nodes of one cluster: kept-alive connections, fail-over, deadlines.
//
// A write is sent once: it goes to another server only when it is certain that the first one has
// not got all of it, or says that it has not executed it.
#ifndef LOCKSTEP_BIN_LOCKSTEP_HTTP_CLIENT_H_
#define LOCKSTEP_BIN_LOCKSTEP_HTTP_CLIENT_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "net/client/store_types.h"

namespace lockstep::bin {

struct HttpCall {
  enum class Kind { kRead, kWrite };

  std::string method;
  std::string target;  // path and parameters, percent-encoded
  Kind kind = Kind::kRead;
  std::string body;                 // of a write, or of a read by POST
  std::vector<std::string> fields;  // "Name: value"
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  // Nothing: "".
  absl::string_view Field(absl::string_view name) const;
};

// Thread-safe.
class HttpClient {
 public:
  // host:port each, with or without "http://" before it. InvalidArgument says which one is none.
  static absl::StatusOr<std::unique_ptr<HttpClient>> Open(const std::vector<std::string>& servers,
                                                          Duration timeout,
                                                          client::Credentials credentials = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // The answer of some server, whatever its status. Asks the one that answered last, and the others
  // after it. An error (with its v1::Failure) is one of the transport's.
  absl::StatusOr<HttpAnswer> Call(const HttpCall& call);
  // Of this one alone.
  absl::StatusOr<HttpAnswer> CallServer(absl::string_view server, const HttpCall& call);
  // Asks all of them, again and again, until one answers.
  absl::Status WaitForAny(const HttpCall& call);

 private:
  class Handle;

  HttpClient(std::vector<std::string> servers, Duration timeout, client::Credentials credentials);
  absl::StatusOr<HttpAnswer> Once(const std::string& server, const HttpCall& call, Duration left);
  std::unique_ptr<Handle> Take();
  void GiveBack(std::unique_ptr<Handle> handle);

  const std::vector<std::string> servers_;
  const Duration timeout_;
  const client::Credentials credentials_;
  std::atomic<size_t> preferred_ = 0;
  std::mutex mutex_;
  // With the connections that they keep open; as many as there were calls at one time.
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_HTTP_CLIENT_H_
