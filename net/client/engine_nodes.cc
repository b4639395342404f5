// Who the nodes are, as asked of the servers; and how the engine ends.
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/client/engine.h"

namespace lockstep::client {
namespace {

constexpr char kStatusMethod[] = "/lockstep.v1.Cluster/Status";
// Of one question, over all servers.
constexpr Duration kDiscoveryPatience = std::chrono::seconds(10);
// For the farewell to the nodes: a courtesy.
constexpr Duration kFarewellPatience = std::chrono::milliseconds(200);

uint64_t Seed() {
  std::random_device device;
  const uint64_t high = device();
  return high << 32 | device();
}

}  // namespace

void Engine::KeepDiscovering(Instant now) {
  if (!discovery_wanted_ || discovering_ || now < discover_at_) return;
  discovering_ = true;
  // What has been quiet for long begins with the shortest pause again.
  if (now - discover_at_ > options_.rediscover_max) discover_pause_ = options_.rediscover_min;
  calls_.Start(directory_.Servers(), kStatusMethod, Kind::kReads, Bytes(), now + kDiscoveryPatience,
               [this](const absl::StatusOr<Bytes>& answer) { OnStatus(answer); });
}

void Engine::OnStatus(const absl::StatusOr<Bytes>& answer) {
  discovering_ = false;
  now_ = Now();
  discover_at_ = now_ + discover_pause_;
  discover_pause_ = std::min(discover_pause_ * 2, options_.rediscover_max);
  if (absl::IsUnauthenticated(answer.status()) || absl::IsPermissionDenied(answer.status())) {
    return OnNotAdmitted(answer.status());
  }
  if (!answer.ok()) {
    return NoteProblem(
        std::string(answer.status().message().data(), answer.status().message().size()));
  }
  v1::StatusResponse status;
  if (!status.ParseFromArray(answer->data(), static_cast<int>(answer->size()))) {
    return NoteProblem("a server sent a malformed status");
  }
  Learn(status);
}

// Asking again does not help whoever waits.
void Engine::OnNotAdmitted(const absl::Status& status) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    not_admitted_ = status;
  }
  changed_.notify_all();
  waiting_until_ = kNever;
  for (Submission& one : std::exchange(waiting_, {})) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::kNotExecuted;
    outcome.status = status;
    Complete({.done = std::move(one.done), .bytes = one.bytes}, std::move(outcome));
  }
}

void Engine::Learn(const v1::StatusResponse& status) {
  directory_.Learn(status);
  for (const auto& [node, address] : directory_.addresses()) carrier_.SetAddress(node, address);
  discovery_wanted_ = router_ == nullptr && directory_.controllers().empty();
  if (discovery_wanted_) {
    return NoteProblem("a server answered, but knows no node that holds the controller");
  }
  if (router_ != nullptr) return TellControllers();
  RouterOptions options = options_.router;
  options.controller_nodes = directory_.controllers();
  router_ = std::make_unique<Router>(options, Rng(Seed()));
  TellControllers();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ready_ = true;
  }
  changed_.notify_all();
  std::deque<Submission> waiting;
  waiting.swap(waiting_);
  waiting_until_ = kNever;
  for (Submission& one : waiting) Invoke(std::move(one));
}

// All of those whom a router knows may have been replaced since it heard of them, and be gone: then
// it could ask nobody. The servers that are left know.
void Engine::TellControllers() {
  if (directory_.voters().membership != 0) StepRouter(directory_.voters());
}

void Engine::NoteProblem(const std::string& problem) {
  const std::lock_guard<std::mutex> lock(mutex_);
  problem_ = problem;
}

absl::Status Engine::WaitReady(Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  const std::chrono::steady_clock::time_point until(After(timeout).time_since_epoch());
  changed_.wait_until(lock, until,
                      [this] { return ready_ || closed_ || not_admitted_.has_value(); });
  if (ready_) return absl::OkStatus();
  if (not_admitted_.has_value()) return *not_admitted_;
  return FailureStatus(
      absl::StatusCode::kUnavailable, Effect::kNone, "UNAVAILABLE",
      absl::StrCat("no server has told who the nodes are: ",
                   closed_ ? "the store is closed"
                           : (problem_.empty() ? "none has answered yet" : problem_)));
}

// --- The end

void Engine::Close(Duration patience) {
  Check(!OnEngineThread(), "a callback closes its own store");
  const std::lock_guard<std::mutex> one(close_mutex_);
  if (!thread_.joinable()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  closed_ = true;
  close_by_ = After(patience);
  WakeLocked(&lock);
  changed_.notify_all();
  thread_.join();
}

bool Engine::TimeToClose() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!close_by_.has_value()) return false;
  return unfinished() == 0 || Now() >= *close_by_;
}

void Engine::EndAll() {
  TakeQueued();  // nothing is added any more
  const absl::Status status = absl::CancelledError("the store was closed before it was answered");
  const auto end = [&](UnderWay operation, Outcome::Kind kind) {
    Outcome outcome;
    outcome.kind = kind;
    outcome.status = status;
    Complete(std::move(operation), std::move(outcome));
  };
  for (Submission& one : std::exchange(waiting_, {})) {
    end({.done = std::move(one.done), .bytes = one.bytes}, Outcome::Kind::kNotExecuted);
  }
  for (auto& [id, operation] : std::exchange(operations_, {})) {
    const auto kind = operation.writes ? Outcome::Kind::kUnknown : Outcome::Kind::kNotExecuted;
    end(std::move(operation), kind);
  }
}

// The router ignores it while operations are unfinished.
void Engine::LeaveSessions() {
  if (router_ == nullptr || router_->unfinished() > 0) return;
  now_ = Now();
  StepRouter(Leave{});
  const Instant until = now_ + kFarewellPatience;
  carrier_.Flush();
  while (!carrier_.quiet() && Now() < until) {
    carrier_.Poll(until);
    carrier_.Flush();
  }
}

// A caller may have been about to set it when it was told that the store is closed.
void Engine::AwaitAlarm() {
  const auto ringing = [this] {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ringing_;
  };
  while (ringing() && !carrier_.TakeWoken()) carrier_.Poll(kNever);
}

}  // namespace lockstep::client
