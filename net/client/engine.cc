#include "net/client/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::client {
namespace {

CarrierOptions CarrierOptionsOf(const StoreOptions& options) {
  CarrierOptions carrier;
  carrier.connect_timeout = options.connect_timeout;
  carrier.reconnect_max = std::min(carrier.reconnect_max, options.rediscover_max);
  carrier.queued_bytes_max = options.unfinished_bytes_max;
  carrier.awaited_max = size_t{2} * options.router.unfinished_max;
  carrier.credentials = options.credentials;
  return carrier;
}

Outcome Ended(Outcome::Kind kind, absl::Status status) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.status = std::move(status);
  return outcome;
}

Outcome NotExecuted(absl::Status status) {
  return Ended(Outcome::Kind::kNotExecuted, std::move(status));
}

absl::Status Closed() { return absl::CancelledError("the store is closed"); }

}  // namespace

Engine::Engine(StoreOptions options)
    : options_(std::move(options)),
      carrier_(CarrierOptionsOf(options_), this),
      calls_(&carrier_),
      directory_(options_.servers),
      thread_([this] { Run(); }) {}

Engine::~Engine() { Close(Duration::zero()); }

// --- Callers' threads

void Engine::Submit(Operation operation, Instant deadline, OperationDone done) {
  Submission submission;
  submission.bytes = BytesOf(operation);
  submission.operation = std::move(operation);
  submission.deadline = deadline;
  submission.done = std::move(done);
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) {
    lock.unlock();
    return submission.done(NotExecuted(Closed()));
  }
  const uint64_t others = unfinished_bytes_.load(std::memory_order_relaxed);
  if (others > 0 && others + submission.bytes > options_.unfinished_bytes_max) {
    submission.refused = true;
    submission.operation = Operation();
    submission.bytes = 0;
  }
  unfinished_.fetch_add(1, std::memory_order_relaxed);
  unfinished_bytes_.fetch_add(submission.bytes, std::memory_order_relaxed);
  submissions_.push_back(std::move(submission));
  WakeLocked(&lock);
}

void Engine::Call(Request request) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (closed_) {
    lock.unlock();
    return request.done(FailureStatus(absl::StatusCode::kCancelled, Effect::kNone, "UNAVAILABLE",
                                      Closed().message()));
  }
  unfinished_.fetch_add(1, std::memory_order_relaxed);
  requests_.push_back(std::move(request));
  WakeLocked(&lock);
}

// The alarm is set without the lock: its event is waited for before the carrier stops.
void Engine::WakeLocked(std::unique_lock<std::mutex>* lock) {
  const bool ring = idle_ && !ringing_;
  if (ring) ringing_ = true;
  lock->unlock();
  if (ring) carrier_.Wake();
}

// --- The thread

void Engine::Run() {
  thread_id_ = std::this_thread::get_id();
  now_ = Now();
  while (!TimeToClose()) Turn();
  EndAll();
  LeaveSessions();
  AwaitAlarm();
  carrier_.Stop();
}

void Engine::Turn() {
  now_ = Now();
  TakeQueued();
  ExpireWaiting(now_);
  for (size_t left = undeliverable_.size(); left > 0; --left) {
    const AttemptId attempt = undeliverable_.front();
    undeliverable_.pop_front();
    StepRouter(Failed{.attempt = attempt, .undelivered = true});
  }
  if (router_ != nullptr && now_ >= router_wake_at_) StepRouter(Wake{});
  KeepDiscovering(now_);
  carrier_.Flush();
  carrier_.Poll(IdleUntil());
  const bool woken = carrier_.TakeWoken();
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_ = false;
  if (woken) ringing_ = false;
}

Instant Engine::IdleUntil() {
  Instant until = std::min(router_wake_at_, waiting_until_);
  if (discovery_wanted_ && !discovering_) until = std::min(until, discover_at_);
  if (!undeliverable_.empty()) until = now_;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (close_by_.has_value()) until = std::min(until, *close_by_);
  idle_ = submissions_.empty() && requests_.empty();
  return idle_ ? until : now_;
}

void Engine::TakeQueued() {
  std::vector<Request> requests;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_.swap(submissions_);
    requests.swap(requests_);
  }
  for (Submission& submission : taken_) Begin(std::move(submission));
  taken_.clear();
  for (Request& request : requests) Begin(std::move(request));
}

void Engine::Begin(Request request) {
  std::vector<std::string> servers = std::move(request.servers);
  if (servers.empty()) servers = directory_.Servers();
  calls_.Start(std::move(servers), std::move(request.method), request.kind,
               std::move(request.request), request.deadline,
               [this, done = std::move(request.done)](absl::StatusOr<Bytes> answer) mutable {
                 unfinished_.fetch_sub(1, std::memory_order_relaxed);
                 done(std::move(answer));
               });
}

void Engine::Begin(Submission submission) {
  const size_t under_way = operations_.size() + waiting_.size();
  if (submission.refused || under_way >= options_.router.unfinished_max) {
    const absl::Status status = absl::ResourceExhaustedError(
        absl::StrCat("unfinished_max (", options_.router.unfinished_max, ") operations or ",
                     "unfinished_bytes_max (", options_.unfinished_bytes_max,
                     ") bytes are under way: wait for some to complete and try again"));
    return Complete({.done = std::move(submission.done), .bytes = submission.bytes},
                    NotExecuted(status));
  }
  if (router_ != nullptr) return Invoke(std::move(submission));
  waiting_until_ = std::min(waiting_until_, submission.deadline);
  waiting_.push_back(std::move(submission));
}

void Engine::Invoke(Submission submission) {
  const uint64_t number = ++last_operation_;
  operations_.emplace(number, UnderWay{.done = std::move(submission.done),
                                       .bytes = submission.bytes,
                                       .writes = Writes(submission.operation)});
  const OperationId id(number);
  if (auto* bulk = std::get_if<BulkWrites>(&submission.operation)) {
    return StepRouter(InvokeBulk{id, std::move(*bulk), submission.deadline});
  }
  client::Invoke invoke;
  invoke.id = id;
  invoke.deadline = submission.deadline;
  if (auto* command = std::get_if<proto::Command>(&submission.operation)) {
    invoke.operation = std::move(*command);
  } else {
    invoke.operation = std::move(std::get<proto::Query>(submission.operation));
  }
  StepRouter(std::move(invoke));
}

// Of what waits for the nodes to be known.
void Engine::ExpireWaiting(Instant now) {
  if (now < waiting_until_) return;
  std::deque<Submission> waiting;
  waiting.swap(waiting_);
  waiting_until_ = kNever;
  std::string problem;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    problem = problem_;
  }
  for (Submission& one : waiting) {
    if (one.deadline > now) {
      waiting_until_ = std::min(waiting_until_, one.deadline);
      waiting_.push_back(std::move(one));
      continue;
    }
    const absl::Status status = absl::DeadlineExceededError(absl::StrCat(
        "no server has told who the nodes are; it was not executed; last problem: ", problem));
    Complete({.done = std::move(one.done), .bytes = one.bytes}, NotExecuted(status));
  }
}

// --- The router

void Engine::StepRouter(Input input) {
  if (router_ == nullptr) return;
  output_.sends.clear();
  output_.completions.clear();
  router_->Step(now_, std::move(input), &output_);
  CarryOut();
}

void Engine::CarryOut() {
  router_wake_at_ = output_.wake_at;
  for (Send& send : output_.sends) {
    if (carrier_.Carry(send.to, send.attempt.value(), std::move(send.request))) continue;
    if (!directory_.addresses().contains(send.to)) discovery_wanted_ = true;
    undeliverable_.push_back(send.attempt);
  }
  for (Completion& completion : output_.completions) {
    Finish(completion.id.value(), std::move(completion.outcome));
  }
}

void Engine::Finish(uint64_t id, Outcome outcome) {
  const auto found = operations_.find(id);
  if (found == operations_.end()) return;  // was ended by Close
  UnderWay operation = std::move(found->second);
  operations_.erase(found);
  Complete(std::move(operation), std::move(outcome));
}

void Engine::Complete(UnderWay operation, Outcome outcome) {
  unfinished_.fetch_sub(1, std::memory_order_relaxed);
  unfinished_bytes_.fetch_sub(operation.bytes, std::memory_order_relaxed);
  operation.done(std::move(outcome));
}

void Engine::OnAnswer(uint64_t id, absl::string_view reply) {
  now_ = Now();
  StepRouter(Reply{AttemptId(id), Bytes::Copy(reply)});
}

void Engine::OnLost(const Lost& lost) {
  now_ = Now();
  discovery_wanted_ = true;
  for (const uint64_t id : lost.undelivered) {
    StepRouter(Failed{.attempt = AttemptId(id), .undelivered = true});
  }
  for (const uint64_t id : lost.unanswered) {
    StepRouter(Failed{.attempt = AttemptId(id), .undelivered = false});
  }
}

}  // namespace lockstep::client
