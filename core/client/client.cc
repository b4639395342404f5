#include "core/client/client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::client {
namespace {

// Attempts of one operation that late replies are still matched with. Older ones stay open.
constexpr size_t kOpenAttemptsMax = 16;

Bytes Encode(const proto::ClientRequest& request) {
  const size_t size = request.ByteSizeLong();
  CheckLe(size, size_t{INT32_MAX});  // Protobuf's own limit.
  return Bytes::Make(size, [&](char* to) {
    request.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(to));
  });
}

// What a caller may not ask for.
absl::Status ValidateInvoke(const Invoke& invoke) {
  const auto* command = std::get_if<proto::Command>(&invoke.operation);
  if (command == nullptr || invoke.place == Invoke::Place::kOwn) return absl::OkStatus();
  if (command->has_register_session() || command->has_close_session()) {
    return absl::InvalidArgumentError("the client keeps its session itself: leave that to it");
  }
  if (command->session() != 0 || command->sequence() != 0 || command->first_outstanding() != 0) {
    return absl::InvalidArgumentError(
        "the client gives a command its place in the session: leave session, sequence and "
        "first_outstanding out");
  }
  return absl::OkStatus();
}

Outcome NotExecuted(absl::Status status, proto::Code code) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kNotExecuted;
  outcome.result.set_code(code);
  outcome.result.set_message(std::string(status.message().data(), status.message().size()));
  outcome.status = std::move(status);
  return outcome;
}

void SetShard(std::optional<ShardId> shard, proto::ClientRequest* request) {
  if (!shard.has_value()) return;
  const auto number = static_cast<uint32_t>(shard->value());
  if (request->has_command()) request->mutable_command()->set_shard(number);
  if (request->has_query()) request->mutable_query()->set_shard(number);
}

}  // namespace

Client::Client(const ClientOptions& options, Rng rng) : options_(options), rng_(rng) {
  Check(ValidateClientOptions(options_).ok(), "client options were not validated");
  leader_ = Guess(options_.leader);
}

NodeId Client::Guess(NodeId hint) {
  const auto& nodes = options_.nodes;
  const auto hinted = std::find(nodes.begin(), nodes.end(), hint);
  turn_ = hinted != nodes.end() ? static_cast<size_t>(hinted - nodes.begin())
                                : rng_.Below(nodes.size());
  return nodes[turn_];
}

void Client::Step(Instant now, Input input, Output* out) {
  Check(now >= now_, "time goes back");
  now_ = now;
  if (auto* invoke = std::get_if<Invoke>(&input)) OnInvoke(now, std::move(*invoke), out);
  if (const auto* reply = std::get_if<Reply>(&input)) OnReply(now, *reply, out);
  if (const auto* failed = std::get_if<Failed>(&input)) OnFailed(now, *failed, out);
  if (std::holds_alternative<Leave>(input)) OnLeave(out);
  if (auto* retarget = std::get_if<Retarget>(&input)) OnRetarget(now, std::move(*retarget), out);
  Check(!std::holds_alternative<LearnControllers>(input), "a client is retargeted instead");
  if (const auto* bulk = std::get_if<InvokeBulk>(&input)) {
    Check(bulk->id > last_operation_, "operation ids count up");
    last_operation_ = bulk->id;
    out->completions.push_back(
        {bulk->id, NotExecuted(absl::InvalidArgumentError(
                                   "the client of one group has no bulk: a batch does as much, "
                                   "atomically"),
                               proto::INVALID_ARGUMENT)});
  }
  // A reply that comes together with the deadline is still used: it was handled above.
  FireTimers(now, out);
  StartQueued(now, out);
  KeepRegistering(now, out);
  out->wake_at = timers_.empty() ? kNever : timers_.begin()->first;
  CheckInvariants();
}

size_t Client::unfinished() const {
  return operations_.size() - (operations_.contains(kRegistration) ? 1 : 0);
}

void Client::OnInvoke(Instant now, Invoke invoke, Output* out) {
  Check(invoke.id > last_operation_, "operation ids count up");
  Check(invoke.deadline < kNever, "an operation needs a deadline");
  last_operation_ = invoke.id;
  const absl::Status valid = ValidateInvoke(invoke);
  if (!valid.ok()) {
    out->completions.push_back({invoke.id, NotExecuted(valid, proto::INVALID_ARGUMENT)});
    return;
  }
  // What can start at once (StartQueued) passes through the queue, so it may be one longer here.
  const size_t queued = queued_commands_.size() + queued_others_.size();
  if (queued >= options_.queue_max && started_ + queued >= options_.outstanding_max) {
    Outcome refused =
        NotExecuted(absl::ResourceExhaustedError(absl::StrCat(
                        queued, " operations are queued, which is queue_max (", options_.queue_max,
                        "): wait for some to complete and try again")),
                    proto::OVERLOADED);
    refused.result.set_which("queue_max");
    refused.result.set_limit(options_.queue_max);
    out->completions.push_back({invoke.id, std::move(refused)});
    return;
  }
  Operation& operation = operations_[invoke.id];
  operation.deadline = std::max(invoke.deadline, now);
  if (auto* command = std::get_if<proto::Command>(&invoke.operation)) {
    const bool own = invoke.place == Invoke::Place::kOwn;
    operation.kind = own ? Kind::kOwnCommand : Kind::kCommand;
    operation.request.mutable_command()->Swap(command);
    (own ? queued_others_ : queued_commands_).insert(invoke.id);
  } else {
    operation.kind = Kind::kQuery;
    operation.request.mutable_query()->Swap(&std::get<proto::Query>(invoke.operation));
    queued_others_.insert(invoke.id);
  }
  SetShard(options_.shard, &operation.request);
  SetTimer(invoke.id, operation, operation.deadline);
}

void Client::OnLeave(Output* out) {
  if (unfinished() > 0 || !session_) return;
  proto::ClientRequest request;
  request.set_group(options_.group.value());
  request.mutable_command()->set_session(session_.value());
  request.mutable_command()->mutable_close_session();
  SetShard(options_.shard, &request);
  last_attempt_ = last_attempt_.Next();
  out->sends.push_back({last_attempt_, leader_, Encode(request), OperationId()});
  session_ = SessionId();
}

void Client::OnRetarget(Instant now, Retarget input, Output* out) {
  if (input.group == options_.group && input.nodes == options_.nodes) return;
  const bool same_group = input.group == options_.group;
  options_.group = input.group;
  options_.nodes = std::move(input.nodes);
  Check(ValidateClientOptions(options_).ok(), "the nodes of a retarget were not validated");
  ++place_;
  leader_ = Guess(same_group ? leader_ : input.leader);
  for (auto& [id, operation] : operations_) {
    operation.silences = 0;
    operation.backoffs = 0;
    operation.redirected = false;
    if (operation.phase == Phase::kAwaitingReply) {
      SetTimer(id, operation, std::min(operation.timer, now + options_.attempt_timeout));
    }
    if (operation.phase == Phase::kBackingOff) SendAttempt(now, id, operation, out);
  }
}

// --- Time

void Client::SetTimer(OperationId id, Operation& operation, Instant due) {
  if (operation.timer != kNever) timers_.erase({operation.timer, id});
  operation.timer = std::min(due, operation.deadline);
  if (operation.timer != kNever) timers_.insert({operation.timer, id});
}

void Client::FireTimers(Instant now, Output* out) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    OnTimer(now, timers_.begin()->second, out);
  }
}

void Client::OnTimer(Instant now, OperationId id, Output* out) {
  Operation& operation = operations_.at(id);
  if (operation.deadline <= now) {
    const bool open = operation.kind != Kind::kQuery && MayBeExecuted(operation);
    return FinishUnanswered(
        id,
        absl::DeadlineExceededError(absl::StrCat(
            "the deadline passed after ", operation.attempts, " attempts; ",
            open ? "whether one of them was or will be executed is not known"
                 : "it was not executed",
            operation.last_problem.empty() ? "" : "; last problem: ", operation.last_problem)),
        {}, out);
  }
  switch (operation.phase) {
    case Phase::kQueued:
      return Check(false, "what is queued has no timer but its deadline");
    case Phase::kAwaitingReply:
      ++operation.silences;
      return OnNoAnswer(now, id, operation.current,
                        absl::StrCat("no answer from node ", operation.target.value()), out);
    case Phase::kBackingOff:
      operation.redirected = false;
      return SendAttempt(now, id, operation, out);
  }
}

// --- Starting

OperationId Client::NextToStart() const {
  const OperationId query = queued_others_.empty() ? OperationId() : *queued_others_.begin();
  OperationId command;
  // A session keeps replies for a span of sequences: a slow command holds those far behind it back.
  if (session_ && !queued_commands_.empty() &&
      next_sequence_ - FirstOutstanding() < options_.outstanding_max) {
    command = *queued_commands_.begin();
  }
  if (query && command) return std::min(query, command);
  return query ? query : command;
}

void Client::StartQueued(Instant now, Output* out) {
  while (started_ < options_.outstanding_max) {
    const OperationId id = NextToStart();
    if (!id) return;
    Start(now, id, out);
  }
}

void Client::Start(Instant now, OperationId id, Output* out) {
  Operation& operation = operations_.at(id);
  Check(operation.phase == Phase::kQueued);
  Check(operation.open.empty());
  Check(!operation.forgot_open);
  if (operation.kind == Kind::kCommand) {
    queued_commands_.erase(id);
    operation.request.mutable_command()->set_session(session_.value());
    operation.request.mutable_command()->set_sequence(next_sequence_);
    by_sequence_.emplace(next_sequence_, id);
    ++next_sequence_;
  } else {
    queued_others_.erase(id);
  }
  ++started_;
  SendAttempt(now, id, operation, out);
}

// A session is registered while, and only while, commands wait for one.
void Client::KeepRegistering(Instant now, Output* out) {
  const bool wanted = !session_ && !queued_commands_.empty();
  if (wanted == operations_.contains(kRegistration)) return;
  if (!wanted) return Erase(kRegistration);
  Operation& registration = operations_[kRegistration];
  registration.kind = Kind::kRegister;
  registration.request.mutable_command()->mutable_register_session()->set_nonce(rng_.Next());
  SetShard(options_.shard, &registration.request);
  SendAttempt(now, kRegistration, registration, out);
}

void Client::SendAttempt(Instant now, OperationId id, Operation& operation, Output* out) {
  if (operation.kind == Kind::kCommand) {
    Check(!SessionLost(operation));
    operation.request.mutable_command()->set_first_outstanding(FirstOutstanding());
    CheckLe(operation.request.command().first_outstanding(),
            operation.request.command().sequence());
  }
  operation.request.set_group(options_.group.value());
  last_attempt_ = last_attempt_.Next();
  if (operation.open.size() == kOpenAttemptsMax) {
    attempts_.erase(operation.open.front());
    operation.open.erase(operation.open.begin());
    operation.forgot_open = true;
  }
  operation.open.push_back(last_attempt_);
  attempts_.emplace(last_attempt_, id);
  operation.phase = Phase::kAwaitingReply;
  operation.current = last_attempt_;
  operation.target = TargetFor(operation);
  operation.target_place = place_;
  ++operation.attempts;
  operation.sent = now;
  Bytes request = Encode(operation.request);
  const uint32_t doublings = std::min(operation.silences, kPatienceDoublingsMax);
  const auto mebibytes = static_cast<int64_t>(request.size() >> 20);
  SetTimer(id, operation,
           now + options_.attempt_timeout * (int64_t{1} << doublings) +
               options_.attempt_timeout_per_mib * mebibytes);
  out->sends.push_back({last_attempt_, operation.target, std::move(request), id});
}

// Any replica answers a stale read, and one that asks for any: the near one, if it has not
// disappointed yet.
NodeId Client::TargetFor(const Operation& operation) const {
  const proto::Query& query = operation.request.query();
  const bool any = operation.kind == Kind::kQuery && (query.stale() || query.any_replica());
  const auto& nodes = options_.nodes;
  const bool near = std::find(nodes.begin(), nodes.end(), options_.near) != nodes.end();
  return any && near && operation.attempts == 0 ? options_.near : leader_;
}

// The smallest sequence whose reply is still wanted (thesis §6.3).
uint64_t Client::FirstOutstanding() const {
  return by_sequence_.empty() ? next_sequence_ : by_sequence_.begin()->first;
}

// --- Finishing

void Client::Erase(OperationId id) {
  const auto found = operations_.find(id);
  Check(found != operations_.end());
  Operation& operation = found->second;
  if (operation.timer != kNever) timers_.erase({operation.timer, id});
  for (const AttemptId attempt : operation.open) attempts_.erase(attempt);
  if (operation.phase == Phase::kQueued) {
    queued_commands_.erase(id);
    queued_others_.erase(id);
  } else if (operation.kind != Kind::kRegister) {
    CheckLt(0u, started_);
    --started_;
    if (operation.kind == Kind::kCommand && !SessionLost(operation)) {
      by_sequence_.erase(operation.request.command().sequence());
    }
  }
  operations_.erase(found);
}

void Client::Finish(OperationId id, Outcome outcome, Output* out) {
  CheckEq(outcome.status.ok(), outcome.kind == Outcome::Kind::kOk);
  outcome.stages = std::move(operations_.at(id).stages);
  outcome.hop = operations_.at(id).hop;
  Erase(id);
  out->completions.push_back({id, std::move(outcome)});
}

// Ends without its reply: what is known decides.
void Client::FinishUnanswered(OperationId id, absl::Status status, proto::Result result,
                              Output* out) {
  const Operation& operation = operations_.at(id);
  Outcome outcome;
  outcome.kind = operation.kind != Kind::kQuery && MayBeExecuted(operation)
                     ? Outcome::Kind::kUnknown
                     : Outcome::Kind::kNotExecuted;
  outcome.status = std::move(status);
  outcome.result = std::move(result);
  Finish(id, std::move(outcome), out);
}

void Client::CheckInvariants() const {
  CheckLe(started_, options_.outstanding_max);
  CheckLe(next_sequence_ - FirstOutstanding(), uint64_t{options_.outstanding_max});
  CheckLe(by_sequence_.size(), size_t{started_});
  CheckLe(attempts_.size(), operations_.size() * kOpenAttemptsMax);
  CheckLe(timers_.size(), operations_.size());
  const size_t registering = operations_.contains(kRegistration) ? 1 : 0;
  CheckEq(operations_.size(),
          started_ + queued_commands_.size() + queued_others_.size() + registering);
  if (session_) CheckEq(registering, size_t{0});
}

}  // namespace lockstep::client
