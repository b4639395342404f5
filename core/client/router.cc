#include "core/client/router.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/kv/command.h"

namespace lockstep::client {
namespace {

bool IsAdmin(const proto::Command& command) {
  return command.has_join() || command.has_leave() || command.has_move() || command.has_unpin();
}

std::string Shown(absl::string_view key) {
  constexpr size_t kShownBytesMax = 24;
  return absl::StrCat("\"", absl::CEscape(key.substr(0, kShownBytesMax)), "\"");
}

// A batch is atomic because one shard's log holds it as one entry.
absl::Status ValidateOneShard(const proto::Batch& batch, uint32_t shards) {
  const absl::string_view first = kv::KeyOf(batch.operations(0));
  const ShardId shard = ShardOf(first, shards);
  for (const proto::BatchOperation& operation : batch.operations()) {
    const absl::string_view key = kv::KeyOf(operation);
    if (ShardOf(key, shards) == shard) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "keys ", Shown(first), " and ", Shown(key), " are of different shards, ", shard.value(),
        " and ", ShardOf(key, shards).value(),
        ": a batch is atomic within one shard. Give keys that belong together the same {tag}, or "
        "use a bulk, which is not atomic"));
  }
  return absl::OkStatus();
}

bool WritesOneKey(const proto::Command& command) {
  return command.has_put() || command.has_append() || command.has_delete_() ||
         command.has_compare_and_swap();
}

absl::Status EmptyKey() { return absl::InvalidArgumentError("the key is empty: name one"); }

absl::Status Validate(const proto::Command& command) {
  if (command.has_batch() && command.batch().operations().empty()) {
    return absl::InvalidArgumentError("the batch is empty: give it at least one operation");
  }
  if (command.session() != 0 || command.sequence() != 0 || command.first_outstanding() != 0) {
    return absl::InvalidArgumentError(
        "the client gives a command its place in a session: leave session, sequence and "
        "first_outstanding out");
  }
  if (IsAdmin(command) || command.has_batch() || !kv::KeyOf(command).empty())
    return absl::OkStatus();
  if (WritesOneKey(command)) return EmptyKey();
  return absl::InvalidArgumentError(
      "the command is none that clients send: set put, append, delete, compare_and_swap or batch, "
      "or join, leave, move or unpin");
}

bool IsOfSession(const proto::Command& command) {
  return command.has_register_session() || command.has_close_session();
}

// A command whose place in a session is the caller's.
absl::Status ValidateOwn(const proto::Command& command, absl::string_view key) {
  if (IsOfSession(command)) {
    if (!key.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "a session belongs to a shard: name any key of the shard that is meant");
  }
  if (IsAdmin(command)) {
    return absl::InvalidArgumentError("the controller's commands take no session of the caller's");
  }
  if (command.has_batch() && command.batch().operations().empty()) {
    return absl::InvalidArgumentError("the batch is empty: give it at least one operation");
  }
  if (!kv::KeyOf(command).empty()) return absl::OkStatus();
  if (WritesOneKey(command)) return EmptyKey();
  return absl::InvalidArgumentError(
      "the command is none that clients send: set put, append, delete, compare_and_swap or batch");
}

absl::Status Validate(const proto::Query& query, const kv::KvLimits& limits) {
  if (query.has_get_configuration()) return absl::OkStatus();
  if (query.has_list() && !query.list().shards().empty()) {
    return absl::InvalidArgumentError("a list is of all shards: do not name any");
  }
  return kv::ValidateQuery(query, limits);
}

absl::Status Validate(const std::vector<proto::BatchOperation>& bulk,
                      const RouterOptions& options) {
  if (bulk.empty()) return absl::InvalidArgumentError("the bulk is empty: name an operation");
  if (bulk.size() > options.bulk_operations_max) {
    return absl::OutOfRangeError(absl::StrCat("the bulk of ", bulk.size(),
                                              " operations exceeds bulk_operations_max (",
                                              options.bulk_operations_max, "): divide it"));
  }
  std::vector<absl::string_view> keys;
  uint64_t bytes = 0;
  for (const proto::BatchOperation& operation : bulk) {
    const absl::string_view key = kv::KeyOf(operation);
    if (key.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "operation ", keys.size(),
          " of the bulk has no key: set put, append, delete or compare_and_swap, with a key"));
    }
    bytes += operation.ByteSizeLong();
    keys.push_back(key);
  }
  if (bytes > options.bulk_bytes_max) {
    return absl::OutOfRangeError(absl::StrCat("the bulk of ", bytes,
                                              " bytes exceeds bulk_bytes_max (",
                                              options.bulk_bytes_max, "): divide it"));
  }
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice == keys.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("key ", Shown(*twice),
                                                 " occurs twice in the bulk, which has no order: "
                                                 "give each key one operation"));
}

}  // namespace

Router::Router(const RouterOptions& options, Rng rng) : options_(options), rng_(rng) {
  Check(ValidateRouterOptions(options_).ok(), "router options were not validated");
}

void Router::Step(Instant now, Input input, Output* out) {
  Check(now >= now_, "time goes back");
  now_ = now;
  Handle(now, std::move(input), out);
  Settle(now, out);
  while (!line_timers_.empty() && line_timers_.begin()->first <= now) {
    StepLine(now, line_timers_.begin()->second, Wake{}, out);
    Settle(now, out);
  }
  while (!timers_.empty() && timers_.begin()->first <= now) {
    OnTimer(now, timers_.begin()->second, out);
    Settle(now, out);
  }
  KeepRefreshing(now, out);
  Settle(now, out);
  EvictIdle(now, out);
  out->wake_at = line_timers_.empty() ? kNever : line_timers_.begin()->first;
  if (!timers_.empty()) out->wake_at = std::min(out->wake_at, timers_.begin()->first);
  if (RefreshWanted() && !refreshing_) out->wake_at = std::min(out->wake_at, refresh_at_);
  CheckInvariants();
}

void Router::Handle(Instant now, Input input, Output* out) {
  if (auto* invoke = std::get_if<Invoke>(&input)) {
    Operation operation;
    operation.place = invoke->place;
    operation.key = std::move(invoke->key);
    operation.deadline = invoke->deadline;
    std::visit([&](auto& body) { operation.body = std::move(body); }, invoke->operation);
    OnInvoke(now, invoke->id, std::move(operation), out);
  }
  if (auto* bulk = std::get_if<InvokeBulk>(&input)) {
    Operation operation;
    operation.body = std::move(bulk->operations);
    operation.deadline = bulk->deadline;
    OnInvoke(now, bulk->id, std::move(operation), out);
  }
  if (const auto* reply = std::get_if<Reply>(&input)) OnAnswer(now, reply->attempt, *reply, out);
  if (const auto* failed = std::get_if<Failed>(&input)) {
    OnAnswer(now, failed->attempt, *failed, out);
  }
  if (std::holds_alternative<Leave>(input)) OnLeave(now, out);
  if (const auto* learnt = std::get_if<LearnControllers>(&input)) OnControllers(now, *learnt, out);
  Check(!std::holds_alternative<client::Retarget>(input), "a router finds its own way");
}

// --- Beginning

absl::Status Router::WhyNot(const Operation& operation) const {
  if (const auto* command = std::get_if<proto::Command>(&operation.body)) {
    return operation.place == Invoke::Place::kOwn ? ValidateOwn(*command, operation.key)
                                                  : Validate(*command);
  }
  if (const auto* query = std::get_if<proto::Query>(&operation.body)) {
    return Validate(*query, options_.limits);
  }
  return Validate(std::get<std::vector<proto::BatchOperation>>(operation.body), options_);
}

void Router::OnInvoke(Instant now, OperationId id, Operation begun, Output* out) {
  Check(id > last_operation_, "operation ids count up");
  Check(begun.deadline < kNever, "an operation needs a deadline");
  last_operation_ = id;
  const absl::Status why_not = WhyNot(begun);
  const bool full = operations_.size() >= options_.unfinished_max;
  begun.deadline = std::max(begun.deadline, now);
  operations_.emplace(id, std::move(begun));
  if (!why_not.ok()) return Refuse(id, why_not, out);
  if (full) {
    return Refuse(id,
                  absl::ResourceExhaustedError(absl::StrCat(
                      "unfinished_max (", options_.unfinished_max,
                      ") operations are under way: wait for some to complete and try again")),
                  out);
  }
  Begin(now, id, out);
}

void Router::Begin(Instant now, OperationId id, Output* out) {
  Operation& operation = operations_.at(id);
  if (auto* command = std::get_if<proto::Command>(&operation.body)) {
    if (IsAdmin(*command)) return Dispatch(now, kAdminSlot, id, 0, std::move(*command), out);
  }
  if (auto* query = std::get_if<proto::Query>(&operation.body)) {
    if (query->has_get_configuration()) {
      operation.stale = query->stale();
      operation.any_replica = query->any_replica();
      return Dispatch(now, kAdminSlot, id, 0, std::move(*query), out);
    }
  }
  if (!routes_.has_groups()) return Wait(id);
  if (std::holds_alternative<GatheredList>(operation.gathered)) return PlanList(now, id, out);
  Body body = std::move(operation.body);
  if (auto* command = std::get_if<proto::Command>(&body)) {
    return BeginCommand(now, id, std::move(*command), out);
  }
  if (auto* query = std::get_if<proto::Query>(&body)) {
    return BeginQuery(now, id, std::move(*query), out);
  }
  GatheredBulk& bulk = operation.gathered.emplace<GatheredBulk>(
      std::get<std::vector<proto::BatchOperation>>(std::move(body)), options_.limits);
  BeginParts(now, id, bulk.Split(routes_.shards()), out);
}

void Router::BeginCommand(Instant now, OperationId id, proto::Command command, Output* out) {
  if (command.has_batch()) {
    const absl::Status valid = ValidateOneShard(command.batch(), routes_.shards());
    if (!valid.ok()) return Refuse(id, valid, out);
  }
  const std::string& named = operations_.at(id).key;
  const absl::string_view key =
      IsOfSession(command) ? absl::string_view(named) : kv::KeyOf(command);
  Dispatch(now, ShardLine(ShardOf(key, routes_.shards())), id, 0, std::move(command), out);
}

void Router::BeginQuery(Instant now, OperationId id, proto::Query query, Output* out) {
  Operation& operation = operations_.at(id);
  operation.stale = query.stale();
  operation.any_replica = query.any_replica();
  if (query.has_list()) {
    operation.gathered.emplace<GatheredList>(std::move(*query.mutable_list()), options_.limits);
    lists_.insert(id);
    return PlanList(now, id, out);
  }
  if (query.has_get()) {
    const ShardId shard = ShardOf(query.get().key(), routes_.shards());
    return Dispatch(now, ShardLine(shard), id, 0, std::move(query), out);
  }
  GatheredGet get(std::move(*query.mutable_get_many()), options_.limits);
  std::vector<Part> parts = get.Split(routes_.shards());
  if (parts.size() > 1) operation.gathered.emplace<GatheredGet>(std::move(get));
  BeginParts(now, id, std::move(parts), out);
}

void Router::BeginParts(Instant now, OperationId id, std::vector<Part> parts, Output* out) {
  operations_.at(id).parts = parts.size();
  for (size_t place = 0; place < parts.size(); ++place) {
    Dispatch(now, ShardLine(parts[place].shard), id, place, std::move(parts[place].operation), out);
  }
}

void Router::Wait(OperationId id) {
  Operation& operation = operations_.at(id);
  SetTimer(id, operation, operation.deadline);
  waiting_.insert(id);
}

// --- Time

void Router::SetTimer(OperationId id, Operation& operation, Instant due) {
  if (operation.timer != kNever) timers_.erase({operation.timer, id});
  operation.timer = due == kNever ? kNever : std::min(due, operation.deadline);
  if (operation.timer != kNever) timers_.insert({operation.timer, id});
}

// Of what waits for a configuration, and of Lists: all else is in the hands of one of our clients.
void Router::OnTimer(Instant now, OperationId id, Output* out) {
  Operation& operation = operations_.at(id);
  if (operation.deadline > now) return PlanList(now, id, out);
  std::string why = operation.last_problem;
  if (waiting_.contains(id) && routes_.num() > 0) {
    why = absl::StrCat("configuration ", routes_.num(), " has no groups: let one join");
  } else if (waiting_.contains(id)) {
    why = absl::StrCat("no configuration is known yet: ", refresh_problem_.empty()
                                                              ? "the controller has not answered"
                                                              : refresh_problem_);
  }
  Refuse(id,
         absl::DeadlineExceededError(
             absl::StrCat("the deadline passed; it was not executed; last problem: ", why)),
         out);
}

Duration Router::Pause(uint32_t backoffs) {
  Duration pause = options_.backoff_min;
  for (uint32_t i = 0; i < backoffs && pause < options_.backoff_max; ++i) pause *= 2;
  pause = std::min(pause, options_.backoff_max);
  return std::max(rng_.Between(pause / 2, pause), Duration(1));
}

// --- Ending

void Router::Settle(Instant now, Output* out) {
  while (!completed_.empty()) {
    Completion completion = std::move(completed_.front());
    completed_.pop_front();
    OnPart(now, std::move(completion), out);
  }
}

void Router::OnPart(Instant now, Completion completion, Output* out) {
  if (completion.id == refreshing_) return OnRefreshed(now, completion.outcome, out);
  const auto found = parts_.find(completion.id);
  Check(found != parts_.end());
  const PartOf part = found->second;
  parts_.erase(found);
  if (!part.operation) return;
  Operation& operation = operations_.at(part.operation);
  operation.stages = completion.outcome.stages;
  operation.hop = completion.outcome.hop;
  if (std::holds_alternative<GatheredList>(operation.gathered)) {
    return OnListPart(now, part.operation, completion.id, std::move(completion.outcome), out);
  }
  if (std::holds_alternative<std::monostate>(operation.gathered)) {
    return Finish(part.operation, std::move(completion.outcome), out);
  }
  CheckLt(size_t{0}, operation.parts);
  --operation.parts;
  auto* get = std::get_if<GatheredGet>(&operation.gathered);
  auto* bulk = std::get_if<GatheredBulk>(&operation.gathered);
  if (get != nullptr) get->Add(part.place, std::move(completion.outcome));
  if (bulk != nullptr) bulk->Add(part.place, std::move(completion.outcome));
  if (operation.parts > 0) return;
  Finish(part.operation, get != nullptr ? get->Finish() : bulk->Finish(), out);
}

void Router::Finish(OperationId id, Outcome outcome, Output* out) {
  CheckEq(outcome.status.ok(), outcome.kind == Outcome::Kind::kOk);
  Operation& operation = operations_.at(id);
  if (const auto* list = std::get_if<GatheredList>(&operation.gathered)) {
    for (const auto& [part, asked] : list->asked()) Abandon(part);
  }
  outcome.stages = std::move(operation.stages);
  outcome.hop = operation.hop;
  // What was gathered of stale parts is stale.
  if (operation.stale && outcome.status.ok()) outcome.result.set_stale(true);
  SetTimer(id, operation, kNever);
  waiting_.erase(id);
  lists_.erase(id);
  operations_.erase(id);
  out->completions.push_back({id, std::move(outcome)});
}

// Of what was sent nowhere, or only reads.
void Router::Refuse(OperationId id, absl::Status status, Output* out) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kNotExecuted;
  if (absl::IsResourceExhausted(status)) {
    outcome.result.set_code(proto::OVERLOADED);
    outcome.result.set_which("unfinished_max");
    outcome.result.set_limit(options_.unfinished_max);
  } else if (!absl::IsDeadlineExceeded(status)) {
    outcome.result.set_code(kv::CodeOf(status));
  }
  outcome.result.set_message(std::string(status.message().data(), status.message().size()));
  outcome.status = std::move(status);
  Finish(id, std::move(outcome), out);
}

void Router::OnLeave(Instant now, Output* out) {
  if (!operations_.empty()) return;
  while (!lines_.empty()) {
    const Slot slot = lines_.begin()->first;
    StepLine(now, slot, Leave{}, out);
    Close(slot);
  }
  refreshing_ = OperationId();
  doubted_ = false;
}

void Router::CheckInvariants() const {
  Check(completed_.empty());
  CheckLe(operations_.size(), size_t{options_.unfinished_max});
  CheckLe(timers_.size(), operations_.size());
  CheckLe(line_timers_.size(), lines_.size());
  CheckLe(idle_.size(), shard_lines_);
  if (!idle_.empty()) CheckLe(shard_lines_, size_t{options_.shard_sessions_max});
  if (routes_.has_groups()) Check(waiting_.empty());
}

}  // namespace lockstep::client
