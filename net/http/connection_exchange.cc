// One request: its steps, the calls between them, and silence.
#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/check.h"
#include "net/http/connection.h"
#include "net/http/failure.h"
#include "net/http/front.h"

namespace lockstep::net::http {
namespace {

constexpr uint64_t kUsPerMs = 1000;
// How often a deadline that has passed looks whether the pool is done with a step.
constexpr uint64_t kPoolPollMs = 100;

constexpr char kOverloaded[] =
    "too many bytes of requests and answers are under way (outstanding_bytes_max): try again later";

}  // namespace

void Connection::BeginExchange() {
  state_ = State::kBusy;
  StopReading();
  began_us_ = front_.now_us();
  timing_ = RequestTimer(std::chrono::steady_clock::now(), front_.options().slow.get());
  front_.counters().OnRequest(began_us_);
  exchange_number_ = front_.NextExchange();
  step_ = 0;
  exchange_ = std::make_unique<Exchange>(parser_->Take(),
                                         HandlerContext{.options = front_.options(),
                                                        .metrics = front_.metrics(),
                                                        .api = front_.snapshot(),
                                                        .leaving = front_.leaving(),
                                                        .board = &front_.collector().board()});
  operation_ = exchange_->operation();
  is_head_ = exchange_->is_head();
  keep_alive_ = exchange_->keep_alive();
  until_ms_ = uv_now(front_.loop()) + exchange_->timeout_ms();
  Arm(Deadline::kAnswer, exchange_->timeout_ms() + front_.options().answer_grace_ms);
  const absl::Status judged = Admit();
  if (!judged.ok()) return Respond(exchange_->Finish(ToResponse(RefusalOf(judged))));
  const uint64_t bytes = exchange_->step_bytes();
  if (bytes > charged_ && WouldExceed(bytes - charged_)) {
    return Respond(
        exchange_->Finish(ToResponse(Failure{.code = "OVERLOADED", .message = kOverloaded})));
  }
  Charge(std::max(charged_, bytes));
  RunStep({});
}

// Whether whoever shows this may use the route at all. What the request asks the node for is judged
// once more, with its keys, on the way there (net/access/door.h).
absl::Status Connection::Admit() {
  const absl::string_view shown = exchange_->authorization();
  // What is no token is shown all the same, and known to nobody.
  caller_.token_digest = shown.empty() ? "" : TokenDigest(TokenIn(shown));
  return front_.guard().Judge(caller_, {.role = exchange_->role()});
}

uint64_t Connection::patience_us() const {
  const uint64_t now = uv_now(front_.loop());
  return until_ms_ > now ? (until_ms_ - now) * kUsPerMs : 0;
}

void Connection::RunStep(std::vector<Bytes> replies) {
  uint64_t bytes = exchange_->step_bytes();
  for (const Bytes& reply : replies) bytes += reply.size();
  const uint64_t patience = std::max(patience_us(), kUsPerMs);
  if (bytes < front_.options().offload_bytes_min) {
    return OnStep(exchange_->Run(std::move(replies), patience));
  }
  front_.Offload({.connection = number_,
                  .exchange_number = exchange_number_,
                  .exchange = std::move(exchange_),
                  .replies = std::move(replies),
                  .patience_us = patience});
}

void Connection::OnWorked(uint64_t exchange_number, std::unique_ptr<Exchange> exchange, Step step) {
  if (state_ != State::kBusy || exchange_number != exchange_number_) return;
  exchange_ = std::move(exchange);
  OnStep(std::move(step));
}

void Connection::OnStep(Step step) {
  if (step.response.has_value()) return Respond(*std::move(step.response));
  Check(!step.calls.empty());
  if (patience_us() == 0) {
    // Only reads take more than one step, so nothing has been executed.
    return Respond(exchange_->Finish(ToResponse(SilenceFailure(Effect::kNone))));
  }
  ++step_;
  missing_replies_ = step.calls.size();
  replies_.assign(missing_replies_, Bytes());
  replied_.assign(missing_replies_, false);
  timing_.Asked(std::chrono::steady_clock::now(), step.calls.front());
  front_.Call(caller_, number_, exchange_number_, step_, std::move(step.calls));
}

void Connection::OnReply(const CallId& id, Bytes reply) {
  if (state_ != State::kBusy || exchange_ == nullptr) return;
  if (id.exchange != exchange_number_ || id.step != step_ || replied_[id.index]) return;
  const bool is_read = exchange_->effect_of_silence() == Effect::kNone;
  if (is_read && WouldExceed(reply.size())) {
    return Respond(
        exchange_->Finish(ToResponse(Failure{.code = "OVERLOADED", .message = kOverloaded})));
  }
  Charge(charged_ + reply.size());
  if (missing_replies_ == 1) timing_.Replied(std::chrono::steady_clock::now(), reply);
  replied_[id.index] = true;
  replies_[id.index] = std::move(reply);
  if (--missing_replies_ == 0) RunStep(std::exchange(replies_, {}));
}

void Connection::OnAnswerOverdue() {
  if (exchange_ == nullptr) return Arm(Deadline::kAnswer, kPoolPollMs);
  Respond(exchange_->OnSilence());
}

void Connection::GiveUp() {
  if (state_ == State::kReading) return Close();
  if (state_ != State::kBusy) return;
  const Effect effect = exchange_ == nullptr && step_ == 0 ? Effect::kNone
                        : exchange_ == nullptr             ? Effect::kUnknown
                                                           : exchange_->effect_of_silence();
  Respond(ToResponse(Failure{.code = "UNAVAILABLE",
                             .message = "the node is stopping: ask another one",
                             .effect = effect}));
}

}  // namespace lockstep::net::http
