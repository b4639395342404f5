#include "sim/workload/thin_caller.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/client/options.h"
#include "core/kv/command.h"

namespace lockstep::sim {
namespace {

using client::OperationId;
using client::Outcome;

constexpr Ratio kDefaultPatience{1, 8};  // of the calls leave their patience to the gateway
constexpr Ratio kCloses{1, 32};          // so often a session is closed that has nothing to do

Outcome::Kind KindOf(const proto::GatewayReply& reply) {
  switch (reply.kind()) {
    case proto::GatewayReply::OK:
      return Outcome::Kind::kOk;
    case proto::GatewayReply::NOT_EXECUTED:
      return Outcome::Kind::kNotExecuted;
    default:
      return Outcome::Kind::kUnknown;
  }
}

Outcome ToOutcome(proto::GatewayReply reply) {
  Outcome outcome;
  outcome.kind = KindOf(reply);
  outcome.status = absl::Status(static_cast<absl::StatusCode>(reply.status()), reply.message());
  outcome.result = std::move(*reply.mutable_result());
  for (proto::GatewayReply& one : *reply.mutable_each()) {
    outcome.each.push_back(ToOutcome(std::move(one)));
  }
  return outcome;
}

proto::GatewayReply Silence() {
  proto::GatewayReply reply;
  reply.set_status(static_cast<uint32_t>(absl::StatusCode::kUnavailable));
  reply.set_message("no answer");
  return reply;
}

bool IsFinal(const proto::GatewayReply& reply) {
  const auto code = static_cast<absl::StatusCode>(reply.status());
  return code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kOutOfRange;
}

}  // namespace

ThinCaller::ThinCaller(const ThinOptions& options, Rng rng) : options_(options), rng_(rng) {
  Check(!options_.nodes.empty());
  CheckLe(1u, options_.shards);
}

void ThinCaller::Step(Instant now, client::Input input, client::Output* out) {
  if (auto* invoke = std::get_if<client::Invoke>(&input)) OnInvoke(now, std::move(*invoke), out);
  if (auto* bulk = std::get_if<client::InvokeBulk>(&input)) {
    OnInvokeBulk(now, std::move(*bulk), out);
  }
  if (const auto* reply = std::get_if<client::Reply>(&input)) OnReply(now, *reply, out);
  std::vector<OperationId> due;
  for (const auto& [id, operation] : operations_) {
    if (operation.timer <= now) due.push_back(id);
  }
  for (const OperationId id : due) {
    if (operations_.contains(id)) OnTimer(now, id, out);
  }
  out->wake_at = kNever;
  for (const auto& [id, operation] : operations_) {
    out->wake_at = std::min(out->wake_at, operation.timer);
  }
}

// --- Beginning

void ThinCaller::OnInvoke(Instant now, client::Invoke invoke, client::Output* out) {
  Operation& operation = operations_[invoke.id];
  operation.deadline = invoke.deadline;
  if (auto* query = std::get_if<proto::Query>(&invoke.operation)) {
    *operation.request.mutable_query() = std::move(*query);
    return Ask(now, invoke.id, out);
  }
  *operation.request.mutable_command() = std::move(std::get<proto::Command>(invoke.operation));
  operation.kind = options_.sessions ? Kind::kInSession : Kind::kOnce;
  if (!options_.sessions) return Ask(now, invoke.id, out);
  const ShardId shard = ShardOf(kv::KeyOf(operation.request.command()), options_.shards);
  operation.shard = static_cast<uint32_t>(shard.value());
  operation.timer = operation.deadline;
  StartQueued(now, operation.shard, out);
}

void ThinCaller::OnInvokeBulk(Instant now, client::InvokeBulk bulk, client::Output* out) {
  Operation& operation = operations_[bulk.id];
  operation.kind = Kind::kOnce;
  operation.deadline = bulk.deadline;
  for (proto::BatchOperation& one : bulk.operations) {
    *operation.request.mutable_bulk()->add_operations() = std::move(one);
  }
  Ask(now, bulk.id, out);
}

// All that wait for the shard's session get their places, if there is one.
void ThinCaller::StartQueued(Instant now, uint32_t shard, client::Output* out) {
  std::vector<OperationId> queued;
  for (const auto& [id, operation] : operations_) {
    const bool its = operation.kind == Kind::kInSession && operation.shard == shard;
    if (its && operation.phase == Phase::kQueued) queued.push_back(id);
  }
  Session& session = sessions_[shard];
  if (!session.id && !queued.empty()) return Register(now, shard, out);
  for (const OperationId id : queued) {
    proto::Command& command = *operations_.at(id).request.mutable_command();
    command.set_session(session.id.value());
    command.set_sequence(session.next);
    session.unfinished.emplace(session.next, id);
    ++session.next;
    Ask(now, id, out);
  }
}

void ThinCaller::Register(Instant now, uint32_t shard, client::Output* out) {
  const OperationId id = RegistrationOf(shard);
  if (operations_.contains(id)) return;
  std::string key;
  for (const auto& [waiting, operation] : operations_) {
    if (operation.kind != Kind::kInSession || operation.shard != shard) continue;
    key = std::string(kv::KeyOf(operation.request.command()));
  }
  Operation& registration = operations_[id];
  ++registering_;
  registration.kind = Kind::kRegister;
  registration.shard = shard;
  registration.request.set_key(key);
  registration.request.mutable_command()->mutable_register_session()->set_nonce(rng_.Next());
  Ask(now, id, out);
}

// Who has just been silent is not asked next, if there is somebody else.
NodeId ThinCaller::DrawNode() {
  while (true) {
    const NodeId drawn = options_.nodes[rng_.Below(options_.nodes.size())];
    if (drawn != silent_ || options_.nodes.size() == 1) return drawn;
  }
}

void ThinCaller::Ask(Instant now, OperationId id, client::Output* out) {
  Operation& operation = operations_.at(id);
  if (operation.kind == Kind::kInSession) {
    const Session& session = sessions_.at(operation.shard);
    proto::Command& command = *operation.request.mutable_command();
    // In a session that was lost meanwhile it has to find out whether it was executed before.
    if (session.id.value() == command.session()) {
      command.set_first_outstanding(session.unfinished.begin()->first);
    }
  }
  const uint32_t doublings = std::min(failures_, client::kPatienceDoublingsMax);
  const Duration patience = options_.patience_min * (int64_t{1} << doublings);
  const auto named = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  operation.request.set_patience_us(
      rng_.Chance(kDefaultPatience) ? 0 : static_cast<uint64_t>(named) + 1);
  last_attempt_ = last_attempt_.Next();
  operation.open.insert(last_attempt_);
  attempts_.emplace(last_attempt_, id);
  operation.phase = Phase::kAsking;
  operation.current = last_attempt_;
  operation.target = DrawNode();
  operation.timer = std::min(operation.deadline, now + patience + options_.grace);
  const bool ours = operation.kind == Kind::kRegister;
  out->sends.push_back(
      {last_attempt_, operation.target, kv::Encode(operation.request), ours ? OperationId() : id});
}

// --- Answers

void ThinCaller::OnReply(Instant now, const client::Reply& reply, client::Output* out) {
  const auto found = attempts_.find(reply.attempt);
  if (found == attempts_.end()) return;  // Late.
  const OperationId id = found->second;
  proto::GatewayReply parsed;
  Check(parsed.ParseFromArray(reply.reply.data(), static_cast<int>(reply.reply.size())),
        "a gateway's answer cannot be read");
  const bool ok = parsed.kind() == proto::GatewayReply::OK;
  CheckEq(ok, parsed.status() == 0);
  failures_ = ok || IsFinal(parsed) ? 0 : failures_ + 1;
  if (ok) return OnExecuted(now, id, std::move(parsed), out);
  if (parsed.kind() == proto::GatewayReply::NOT_EXECUTED) {
    return OnNotExecuted(now, id, reply.attempt, std::move(parsed), out);
  }
  if (operations_.at(id).current == reply.attempt) OnNoAnswer(now, id, std::move(parsed), out);
}

void ThinCaller::OnExecuted(Instant now, OperationId id, proto::GatewayReply reply,
                            client::Output* out) {
  Operation& operation = operations_.at(id);
  const uint32_t shard = operation.shard;
  if (operation.kind != Kind::kRegister) return Finish(id, ToOutcome(std::move(reply)), out);
  Session& session = sessions_[shard];
  Check(!session.id);
  session = Session{.id = SessionId(reply.result().session()), .next = 1, .unfinished = {}};
  Check(bool(session.id), "a session without a number");
  for (const client::AttemptId attempt : operation.open) attempts_.erase(attempt);
  operations_.erase(id);
  --registering_;
  StartQueued(now, shard, out);
}

void ThinCaller::OnNotExecuted(Instant now, OperationId id, client::AttemptId attempt,
                               proto::GatewayReply reply, client::Output* out) {
  Operation& operation = operations_.at(id);
  const bool current = operation.current == attempt;
  operation.open.erase(attempt);
  attempts_.erase(attempt);
  if (operation.kind == Kind::kOnce) return Finish(id, ToOutcome(std::move(reply)), out);
  const proto::Code code = reply.result().code();
  if (operation.kind == Kind::kInSession) {
    if (code == proto::SESSION_UNKNOWN) return LoseSession(now, id, out);
    if (IsFinal(reply) || code == proto::SEQUENCE_STALE) {
      return FinishUnanswered(id, std::move(reply), out);
    }
  }
  if (operation.kind == Kind::kRead && IsFinal(reply)) {
    return Finish(id, ToOutcome(std::move(reply)), out);
  }
  if (current) Pause(now, operation);
}

void ThinCaller::OnNoAnswer(Instant now, OperationId id, proto::GatewayReply reply,
                            client::Output* out) {
  Operation& operation = operations_.at(id);
  if (operation.kind == Kind::kOnce) return Finish(id, ToOutcome(std::move(reply)), out);
  Pause(now, operation);
}

// It is over with the session. A command that no open call can have executed may begin anew.
void ThinCaller::LoseSession(Instant now, OperationId id, client::Output* out) {
  Operation& operation = operations_.at(id);
  Session& session = sessions_.at(operation.shard);
  const uint32_t shard = operation.shard;
  const proto::Command& command = operation.request.command();
  const bool current = session.id.value() == command.session();
  if (current) session = Session();
  if (!operation.open.empty()) {
    proto::GatewayReply reply;
    reply.set_status(static_cast<uint32_t>(absl::StatusCode::kAborted));
    reply.set_message("the session was lost");
    FinishUnanswered(id, std::move(reply), out);
  } else {
    operation.phase = Phase::kQueued;
    operation.timer = operation.deadline;
    operation.current = client::AttemptId();
  }
  StartQueued(now, shard, out);
}

// --- Time

void ThinCaller::Pause(Instant now, Operation& operation) {
  operation.phase = Phase::kPausing;
  operation.current = client::AttemptId();
  const Duration pause = rng_.Between(options_.pause / 2, options_.pause);
  operation.timer = std::min(operation.deadline, now + std::max(pause, Duration(1)));
}

// Unless it is a registration that nobody waits for any more.
void ThinCaller::AskAgain(Instant now, OperationId id, client::Output* out) {
  const Operation& operation = operations_.at(id);
  const bool wanted = operation.kind != Kind::kRegister ||
                      std::any_of(operations_.begin(), operations_.end(), [&](const auto& other) {
                        return other.second.kind == Kind::kInSession &&
                               other.second.shard == operation.shard &&
                               other.second.phase == Phase::kQueued;
                      });
  if (wanted) return Ask(now, id, out);
  for (const client::AttemptId attempt : operation.open) attempts_.erase(attempt);
  operations_.erase(id);
  --registering_;
}

void ThinCaller::OnTimer(Instant now, OperationId id, client::Output* out) {
  Operation& operation = operations_.at(id);
  if (operation.deadline <= now) return FinishUnanswered(id, Silence(), out);
  if (operation.phase == Phase::kPausing) return AskAgain(now, id, out);
  Check(operation.phase == Phase::kAsking, "what is queued has no timer but its deadline");
  silent_ = operation.target;
  ++failures_;
  OnNoAnswer(now, id, Silence(), out);
}

// --- Ending

void ThinCaller::FinishUnanswered(OperationId id, proto::GatewayReply reply, client::Output* out) {
  const Operation& operation = operations_.at(id);
  const bool settled = reply.kind() == proto::GatewayReply::NOT_EXECUTED &&
                       reply.result().index() != 0;  // By the log, for all calls alike.
  const bool perhaps = operation.kind != Kind::kRead && !operation.open.empty() && !settled;
  if (reply.status() == 0) reply.set_status(static_cast<uint32_t>(absl::StatusCode::kUnknown));
  reply.set_kind(perhaps ? proto::GatewayReply::UNKNOWN : proto::GatewayReply::NOT_EXECUTED);
  Finish(id, ToOutcome(std::move(reply)), out);
}

void ThinCaller::Finish(OperationId id, Outcome outcome, client::Output* out) {
  const auto found = operations_.find(id);
  Check(found != operations_.end());
  const Operation operation = std::move(found->second);
  for (const client::AttemptId attempt : operation.open) attempts_.erase(attempt);
  operations_.erase(found);
  out->completions.push_back({id, std::move(outcome)});
  if (operation.kind != Kind::kInSession) return;
  Session& session = sessions_.at(operation.shard);
  const proto::Command& command = operation.request.command();
  if (session.id.value() == command.session()) session.unfinished.erase(command.sequence());
  MaybeClose(operation.shard, kv::KeyOf(command), out);
}

// As a courtesy, without waiting for an answer.
void ThinCaller::MaybeClose(uint32_t shard, absl::string_view key, client::Output* out) {
  Session& session = sessions_.at(shard);
  if (!session.id || !session.unfinished.empty() || !rng_.Chance(kCloses)) return;
  proto::GatewayRequest request;
  request.mutable_command()->set_session(session.id.value());
  request.mutable_command()->mutable_close_session();
  request.set_key(std::string(key));
  last_attempt_ = last_attempt_.Next();
  out->sends.push_back({last_attempt_, DrawNode(), kv::Encode(request), OperationId()});
  session = Session();
}

}  // namespace lockstep::sim
