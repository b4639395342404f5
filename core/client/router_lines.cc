// The clients of a router: one for each shard in use, one for the Lists of each group, two for the
// controller.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/client/router.h"

namespace lockstep::client {

Router::Slot Router::ShardLine(ShardId shard) {
  const auto slot = static_cast<Slot>(shard.value());
  CheckLt(slot, kAdminSlot);
  if (lines_.contains(slot)) return slot;
  ClientOptions options = OptionsAt(routes_.OwnerOf(shard));
  options.shard = shard;
  Open(slot, options);
  ++shard_lines_;
  return slot;
}

Router::Slot Router::GroupLine(GroupId group) {
  const auto found = group_slots_.find(group);
  if (found != group_slots_.end()) return found->second;
  Slot slot = kFirstGroupSlot;
  for (auto at = lines_.lower_bound(slot); at != lines_.end() && at->first == slot; ++at) ++slot;
  CheckLt(slot, Slot{1} << kSlotBits);
  Open(slot, OptionsAt(group));
  group_slots_.emplace(group, slot);
  return slot;
}

ClientOptions Router::OptionsAt(GroupId group) const {
  ClientOptions options = ClientOptionsOf(options_, group, *routes_.NodesOf(group));
  options.leader = LeaderOf(group);
  return options;
}

// Who led a group for one shard leads it for all.
NodeId Router::LeaderOf(GroupId group) const {
  const auto found = leaders_.find(group);
  return found == leaders_.end() ? NodeId() : found->second;
}

void Router::NoteLeader(const Client& client, const std::vector<Completion>& completions) {
  const bool answered = std::any_of(completions.begin(), completions.end(), [](const auto& one) {
    return one.outcome.kind == Outcome::Kind::kOk;
  });
  if (answered && routes_.NodesOf(client.group()) != nullptr) {
    leaders_[client.group()] = client.leader();
  }
}

void Router::Open(Slot slot, const ClientOptions& options) {
  ++lines_opened_;
  const bool added =
      lines_
          .emplace(slot, std::make_unique<Line>(options, rng_.Split("line", lines_opened_),
                                                last_attempt_))
          .second;
  Check(added);
}

void Router::Close(Slot slot) {
  const Line& line = *lines_.at(slot);
  if (line.timer != kNever) line_timers_.erase({line.timer, slot});
  if (line.idle_since != 0) idle_.erase({line.idle_since, slot});
  if (slot < kAdminSlot) --shard_lines_;
  lines_.erase(slot);
}

void Router::Dispatch(Instant now, Slot slot, OperationId id, size_t place,
                      std::variant<proto::Command, proto::Query> operation, Output* out) {
  if (slot == kAdminSlot && !lines_.contains(slot)) {
    Open(slot, OptionsAtControllers());
  }
  last_part_ = last_part_.Next();
  parts_.emplace(last_part_, PartOf{.operation = id, .place = place, .slot = slot});
  const Operation& whole = operations_.at(id);
  if (auto* query = std::get_if<proto::Query>(&operation)) {
    query->set_stale(whole.stale);
    query->set_any_replica(whole.any_replica);
  }
  Invoke invoke{last_part_, std::move(operation), whole.deadline, whole.place};
  StepLine(now, slot, std::move(invoke), out);
}

// Completions are only noted: Settle deals with them when no client is in the middle of a step.
void Router::StepLine(Instant now, Slot slot, Input input, Output* out) {
  Line& line = *lines_.at(slot);
  scratch_ = Output();
  line.client.Step(now, std::move(input), &scratch_);
  if (scratch_.wake_at != line.timer) {
    if (line.timer != kNever) line_timers_.erase({line.timer, slot});
    line.timer = scratch_.wake_at;
    if (line.timer != kNever) line_timers_.insert({line.timer, slot});
  }
  NoteLeader(line.client, scratch_.completions);
  for (Completion& completion : scratch_.completions) completed_.push_back(std::move(completion));
  Forward(slot, line, std::move(scratch_.sends), out);
  if (slot != kAdminSlot && slot != kRefreshSlot) Doubt(now, scratch_);
  // The controllers may have moved on: the question for the configuration finds out.
  const bool silent = scratch_.unanswered && controllers_.membership != 0;
  if (slot == kAdminSlot && (silent || scratch_.group_unknown)) DoubtIfOld(now);
  if (slot < kAdminSlot) NoteUse(slot, line);
}

void Router::Forward(Slot slot, const Line& line, std::vector<Send> sends, Output* out) {
  for (Send& send : sends) {
    const uint64_t attempt = line.attempts_before + send.attempt.value();
    CheckLt(attempt, uint64_t{1} << (64 - kSlotBits));
    last_attempt_ = std::max(last_attempt_, attempt);
    const auto part = parts_.find(send.operation);
    out->sends.push_back({AttemptId(attempt << kSlotBits | slot), send.to, std::move(send.request),
                          part == parts_.end() ? OperationId() : part->second.operation});
  }
}

void Router::OnAnswer(Instant now, AttemptId attempt, Input input, Output* out) {
  const auto slot = static_cast<Slot>(attempt.value() & ((uint64_t{1} << kSlotBits) - 1));
  const uint64_t number = attempt.value() >> kSlotBits;
  const auto found = lines_.find(slot);
  // Of a client that has gone.
  if (found == lines_.end() || number <= found->second->attempts_before) return;
  const AttemptId its(number - found->second->attempts_before);
  if (auto* reply = std::get_if<Reply>(&input)) reply->attempt = its;
  if (auto* failed = std::get_if<Failed>(&input)) failed->attempt = its;
  StepLine(now, slot, std::move(input), out);
}

void Router::NoteUse(Slot slot, Line& line) {
  const bool idle = line.client.unfinished() == 0;
  if (idle == (line.idle_since != 0)) return;
  if (!idle) {
    idle_.erase({line.idle_since, slot});
    line.idle_since = 0;
    return;
  }
  ++uses_;
  line.idle_since = uses_;
  idle_.insert({uses_, slot});
}

void Router::EvictIdle(Instant now, Output* out) {
  while (shard_lines_ > options_.shard_sessions_max && !idle_.empty()) {
    const Slot slot = idle_.begin()->second;
    StepLine(now, slot, Leave{}, out);
    Close(slot);
  }
}

}  // namespace lockstep::client
