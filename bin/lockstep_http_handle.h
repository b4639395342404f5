// One request at a time through libcurl, over a connection that is kept.
#ifndef LOCKSTEP_BIN_LOCKSTEP_HTTP_HANDLE_H_
#define LOCKSTEP_BIN_LOCKSTEP_HTTP_HANDLE_H_

#include <curl/curl.h>

#include <string>

#include "absl/status/statusor.h"
#include "bin/lockstep_http_client.h"
#include "core/base/types.h"

namespace lockstep::bin {

// For one thread at a time.
class HttpHandle {
 public:
  // `credentials` outlive it.
  explicit HttpHandle(const client::Credentials& credentials);
  ~HttpHandle();
  HttpHandle(const HttpHandle&) = delete;
  HttpHandle& operator=(const HttpHandle&) = delete;

  // `server` is host:port. An error carries a v1::Failure: its effect is none where the server
  // cannot have got the whole request, and for reads.
  absl::StatusOr<HttpAnswer> Perform(const std::string& server, const HttpCall& call,
                                     Duration timeout);

 private:
  void Prepare(const std::string& server, const HttpCall& call, Duration timeout);
  absl::Status Explain(CURLcode code, const std::string& server, const HttpCall& call) const;

  void PrepareTls();

  const client::Credentials& credentials_;
  CURL* const curl_;
  char error_[CURL_ERROR_SIZE] = {};
  HttpAnswer answer_;
  absl::string_view unsent_;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_HTTP_HANDLE_H_
