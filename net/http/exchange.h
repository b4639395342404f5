// One request from its arrival to its answer: routing, unpacking, the handler's steps, packing.
// Pure, and used by one thread at a time: large steps may run on another one than small ones.
#ifndef LOCKSTEP_NET_HTTP_EXCHANGE_H_
#define LOCKSTEP_NET_HTTP_EXCHANGE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/bytes.h"
#include "net/http/handler.h"
#include "net/http/message.h"
#include "net/http/options.h"

namespace lockstep::net::http {

class Exchange {
 public:
  Exchange(Request request, const HandlerContext& context);

  // Milliseconds from its arrival in which it should be answered.
  uint64_t timeout_ms() const { return timeout_ms_; }
  // Bytes that the next step works on, beside replies.
  uint64_t step_bytes() const;
  // The first step takes no replies.
  Step Run(std::vector<Bytes> replies, uint64_t patience_us);
  // For an answer that another part makes: what a step's own answer has got already.
  Response Finish(Response response) const;

  Effect effect_of_silence() const { return handler_->effect_of_silence(); }
  Response OnSilence() const { return Finish(handler_->OnSilence(request_)); }
  absl::string_view operation() const { return request_.operation; }
  // What the caller shows in the request, and what it must be allowed.
  absl::string_view authorization() const { return request_.Field("authorization"); }
  Role role() const { return request_.role; }
  bool is_head() const { return request_.method == Method::kHead; }
  bool keep_alive() const { return request_.keep_alive; }

 private:
  bool is_packed() const;
  Step Begin(uint64_t patience_us);

  const HttpOptions& options_;
  Request request_;
  std::unique_ptr<Handler> handler_;
  uint64_t timeout_ms_ = 0;
  absl::Status refusal_;  // found at once: answered by the first step
  bool begun_ = false;
};

// CORS fields for `origin`, if it is configured.
void AllowOrigin(const HttpOptions& options, absl::string_view origin, Response* response);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_EXCHANGE_H_
