// What an answer means, and what a client does next.
//
// Only the answer to the attempt that is waited for makes the client act again. An answer to an
// older one can complete the operation or close that attempt; otherwise it changes nothing.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/client/client.h"

namespace lockstep::client {
namespace {

// Longer messages of servers are cut where we repeat them.
constexpr size_t kProblemBytesMax = 200;

std::string Problem(NodeId from, const proto::Result& result) {
  std::string text =
      absl::StrCat("node ", from.value(), " answered ", proto::Code_Name(result.code()));
  if (!result.message().empty()) {
    absl::StrAppend(&text, ": ", absl::string_view(result.message()).substr(0, kProblemBytesMax));
  }
  return text;
}

absl::Status StatusOf(const proto::Result& result) {
  const std::string text = absl::StrCat(proto::Code_Name(result.code()), ": ", result.message());
  switch (result.code()) {
    case proto::TOO_LARGE:
      return absl::OutOfRangeError(text);
    case proto::NO_SPACE:
      return absl::ResourceExhaustedError(text);
    case proto::PERMISSION_DENIED:
      return absl::PermissionDeniedError(text);
    case proto::UNAUTHENTICATED:
      return absl::UnauthenticatedError(text);
    case proto::SEQUENCE_STALE:
    case proto::SESSION_UNKNOWN:
      return absl::FailedPreconditionError(text);
    case proto::UNKNOWN_GROUP:
    case proto::WRONG_GROUP:
      return absl::NotFoundError(text);
    default:
      return absl::InvalidArgumentError(text);
  }
}

// Of a reply from elsewhere: no sum of these is too large a number.
bool ArePlausible(const proto::Stages& stages) {
  constexpr uint64_t kStageUsMax = uint64_t{24} * 3600 * 1'000'000;
  return stages.queue_us() <= kStageUsMax && stages.log_us() <= kStageUsMax &&
         stages.replicate_us() <= kStageUsMax && stages.apply_us() <= kStageUsMax &&
         stages.barrier_us() <= kStageUsMax && stages.read_us() <= kStageUsMax;
}

}  // namespace

bool Client::MayBeExecuted(const Operation& operation) const {
  return operation.forgot_open || !operation.open.empty();
}

bool Client::SessionLost(const Operation& operation) const {
  return operation.kind == Kind::kCommand &&
         operation.request.command().session() != session_.value();
}

void Client::CloseAttempt(Operation& operation, AttemptId attempt) {
  const auto found = std::find(operation.open.begin(), operation.open.end(), attempt);
  Check(found != operation.open.end());
  operation.open.erase(found);
  attempts_.erase(attempt);
}

void Client::OnReply(Instant now, const Reply& input, Output* out) {
  const auto found = attempts_.find(input.attempt);
  if (found == attempts_.end()) return;  // Of a finished operation, or a second copy of a refusal.
  const OperationId id = found->second;
  const NodeId from = operations_.at(id).target;
  proto::ClientReply reply;
  if (input.reply.size() > size_t{INT32_MAX} ||
      !reply.ParseFromArray(input.reply.data(), static_cast<int>(input.reply.size()))) {
    return OnNoAnswer(now, id, input.attempt,
                      absl::StrCat("unreadable answer from node ", from.value()), out);
  }
  NoteStages(now, id, reply.stages());
  const proto::Result& result = reply.result();
  const Kind kind = operations_.at(id).kind;
  switch (result.code()) {
    case proto::OK:
    case proto::CONFLICT:
    case proto::ALREADY_EXISTS:
    case proto::NOT_FOUND:
    case proto::FAILED_PRECONDITION:
      if (kind == Kind::kRegister && result.session() == 0) break;
      // What answers a stale read, or one that any replica may answer, need not lead.
      if (operations_.at(id).current == input.attempt && IsHere(operations_.at(id)) &&
          !result.stale() && !operations_.at(id).request.query().any_replica()) {
        leader_ = from;
      }
      return OnExecuted(id, std::move(*reply.mutable_result()), out);
    case proto::NOT_LEADER:
    case proto::OVERLOADED:
      return OnRefused(now, id, input.attempt, reply, out);
    case proto::INVALID_ARGUMENT:
    case proto::TOO_LARGE:
    case proto::SEQUENCE_STALE:
    case proto::PERMISSION_DENIED:
    case proto::UNAUTHENTICATED:
    case proto::NO_SPACE:  // It may last: people have to do something.
      return OnFinal(id, input.attempt, std::move(*reply.mutable_result()), out);
    case proto::UNKNOWN_GROUP:
      if (options_.members_change) return OnRefused(now, id, input.attempt, reply, out);
      [[fallthrough]];
    case proto::WRONG_GROUP:
      if (options_.shard.has_value()) return OnRefused(now, id, input.attempt, reply, out);
      if (operations_.at(id).current == input.attempt) LeaderIsNot(operations_.at(id), NodeId());
      return OnFinal(id, input.attempt, std::move(*reply.mutable_result()), out);
    case proto::SESSION_UNKNOWN:
      if (kind == Kind::kOwnCommand) {
        return OnFinal(id, input.attempt, std::move(*reply.mutable_result()), out);
      }
      if (kind != Kind::kCommand) break;
      return OnSessionUnknown(now, id, input.attempt, out);
    default:  // LEADERSHIP_LOST, TIMEOUT, and what we do not know: executed or not.
      break;
  }
  OnNoAnswer(now, id, input.attempt, Problem(from, result), out);
}

// An answer to an older attempt may be faster than it can be, and clocks differ: then the way took
// no time.
void Client::NoteStages(Instant now, OperationId id, const proto::Stages& stages) {
  Operation& operation = operations_.at(id);
  operation.stages = ArePlausible(stages) ? stages : proto::Stages();
  const auto there = std::chrono::microseconds(SumUs(operation.stages));
  operation.hop = std::max(Duration(0), now - operation.sent - there);
}

void Client::OnFailed(Instant now, const Failed& input, Output* out) {
  const auto found = attempts_.find(input.attempt);
  if (found == attempts_.end()) return;
  const OperationId id = found->second;
  Operation& operation = operations_.at(id);
  const bool current = operation.current == input.attempt;
  if (!input.undelivered) {
    return OnNoAnswer(now, id, input.attempt,
                      absl::StrCat("lost the connection to node ", operation.target.value()), out);
  }
  CloseAttempt(operation, input.attempt);
  if (!current) return;
  operation.last_problem = absl::StrCat("could not reach node ", operation.target.value());
  out->unanswered = true;
  LeaderIsNot(operation, NodeId());
  Retry(now, id, out);
}

void Client::OnExecuted(OperationId id, proto::Result result, Output* out) {
  if (id == kRegistration) {
    Check(!session_);
    session_ = SessionId(result.session());
    next_sequence_ = 1;
    Check(by_sequence_.empty());
    return Erase(id);
  }
  Outcome outcome;
  outcome.kind = Outcome::Kind::kOk;
  outcome.result = std::move(result);
  Finish(id, std::move(outcome), out);
}

void Client::OnRefused(Instant now, OperationId id, AttemptId attempt,
                       const proto::ClientReply& reply, Output* out) {
  Operation& operation = operations_.at(id);
  CloseAttempt(operation, attempt);
  if (operation.current != attempt) return;
  operation.last_problem = Problem(operation.target, reply.result());
  OnDoubt(operation, reply.result(), out);
  if (reply.result().code() == proto::NOT_LEADER) {
    LeaderIsNot(operation, NodeId(reply.leader()));
    // Two nodes that name each other must not make us run in circles: one redirection without a
    // pause, then pauses.
    const bool named = bool(reply.leader()) && leader_ != operation.target;
    if (!IsListed(NodeId(reply.leader()))) out->leader_unlisted = true;
    if (named && !operation.redirected && !SessionLost(operation)) {
      operation.redirected = true;
      return SendAttempt(now, id, operation, out);
    }
  }
  Retry(now, id, out);
}

// The group may not have the shard any more, or not yet.
void Client::OnDoubt(const Operation& operation, const proto::Result& result, Output* out) {
  const bool stranger = result.code() == proto::UNKNOWN_GROUP;
  if (!stranger && result.code() != proto::WRONG_GROUP) return;
  Check(options_.shard.has_value() || options_.members_change);
  // Only this node may be a stranger to the group.
  if (stranger) LeaderIsNot(operation, NodeId());
  // From elsewhere it is no news: we have moved on.
  if (!IsHere(operation)) return;
  if (stranger) {
    out->group_unknown = true;
  } else {
    out->refused_at = std::max(out->refused_at.value_or(0), result.configuration_num());
  }
}

// The attempt stays open: it may have been executed, or may be later.
void Client::OnNoAnswer(Instant now, OperationId id, AttemptId attempt, std::string problem,
                        Output* out) {
  Operation& operation = operations_.at(id);
  if (operation.current != attempt) return;
  operation.last_problem = std::move(problem);
  out->unanswered = true;
  LeaderIsNot(operation, NodeId());
  Retry(now, id, out);
}

// Refused for good. With an index it was settled by that log entry, for all attempts alike; without
// one the refusal speaks only for its own attempt. SEQUENCE_STALE too: we never say that we are
// done with an unfinished command, so such an answer is a surprise that proves nothing about the
// others.
void Client::OnFinal(OperationId id, AttemptId attempt, proto::Result result, Output* out) {
  Operation& operation = operations_.at(id);
  CloseAttempt(operation, attempt);
  const absl::Status status = StatusOf(result);
  if (id == kRegistration) {
    // Nobody who waits for a session will get one. They were never sent.
    const absl::btree_set<OperationId> waiting = queued_commands_;
    for (const OperationId command : waiting) FinishUnanswered(command, status, result, out);
    return Erase(id);
  }
  if (result.index() != 0) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::kNotExecuted;
    outcome.status = status;
    outcome.result = std::move(result);
    return Finish(id, std::move(outcome), out);
  }
  FinishUnanswered(id, status, std::move(result), out);
}

void Client::OnSessionUnknown(Instant now, OperationId id, AttemptId attempt, Output* out) {
  Operation& operation = operations_.at(id);
  CloseAttempt(operation, attempt);
  const bool current = operation.current == attempt;
  if (current) {
    operation.last_problem = absl::StrCat("session ", operation.request.command().session(),
                                          " is not known to the group any more");
  }
  if (SessionLost(operation)) {  // Known already.
    if (current || operation.phase == Phase::kBackingOff) Retry(now, id, out);
    return;
  }
  const absl::btree_map<uint64_t, OperationId> members = std::move(by_sequence_);
  by_sequence_.clear();
  session_ = SessionId();
  next_sequence_ = 1;
  // Those that wait for an answer may get a good one still. The others have nothing to wait for.
  for (const auto& [sequence, member] : members) {
    const bool pausing = operations_.at(member).phase == Phase::kBackingOff;
    if (pausing || (member == id && current)) Retry(now, member, out);
  }
}

// After an attempt without success: pause and try again, if trying again is safe.
void Client::Retry(Instant now, OperationId id, Output* out) {
  Operation& operation = operations_.at(id);
  operation.current = AttemptId();
  if (SessionLost(operation)) {
    if (!MayBeExecuted(operation)) return Requeue(id, operation);
    return FinishUnanswered(
        id,
        absl::AbortedError(absl::StrCat(
            "the session was lost while the command was under way; whether one of its ",
            operation.attempts,
            " attempts was executed is not known; last problem: ", operation.last_problem)),
        {}, out);
  }
  // Asked at a place that it has left since: the right one need not wait.
  if (!IsHere(operation)) return SendAttempt(now, id, operation, out);
  Duration pause = options_.backoff_min;
  for (uint32_t i = 0; i < operation.backoffs && pause < options_.backoff_max; ++i) pause *= 2;
  pause = std::min(pause, options_.backoff_max);
  ++operation.backoffs;
  const Duration drawn = rng_.Between(pause / 2, pause);
  operation.phase = Phase::kBackingOff;
  SetTimer(id, operation, now + std::max(drawn, Duration(1)));
}

// Back to the queue, in its old order: it has certainly not been executed in the lost session.
void Client::Requeue(OperationId id, Operation& operation) {
  Check(!MayBeExecuted(operation));
  Check(operation.kind == Kind::kCommand);
  operation.phase = Phase::kQueued;
  operation.backoffs = 0;
  operation.redirected = false;
  queued_commands_.insert(id);
  CheckLt(0u, started_);
  --started_;
  SetTimer(id, operation, operation.deadline);
}

bool Client::IsListed(NodeId node) const {
  const auto& nodes = options_.nodes;
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// News only: another answer may have moved the guess already. The members of a group change, so its
// leader may be a node that is not among ours, and who has left the group names one that came after
// it. Strangers may name each other for ever: after a few we come back to those whom we know.
void Client::LeaderIsNot(const Operation& operation, NodeId hint) {
  constexpr uint32_t kStrangersMax = 4;  // in a row
  const NodeId node = operation.target;
  if (leader_ != node || !IsHere(operation)) return;
  strangers_ = hint == NodeId() || IsListed(hint) ? 0 : strangers_ + 1;
  if (hint != NodeId() && hint != node && strangers_ <= kStrangersMax) {
    leader_ = hint;
    return;
  }
  // It is the next one's turn, wherever hints have led meanwhile: two that are wrong may name each
  // other, or one the other whose turn it is before it.
  strangers_ = 0;
  const auto& nodes = options_.nodes;
  do {
    turn_ = (turn_ + 1) % nodes.size();
  } while (nodes[turn_] == node && nodes.size() > 1);
  leader_ = nodes[turn_];
}

}  // namespace lockstep::client
