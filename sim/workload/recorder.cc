#include "sim/workload/recorder.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/gateway/gateway.h"
#include "core/kv/command.h"
#include "core/node/door.h"
#include "sim/check/contents_model.h"

namespace lockstep::sim {
namespace {

using linearizability::Kind;
using linearizability::Operation;
using linearizability::Value;
using linearizability::Witness;

Bytes ToBytes(const std::string& text) { return Bytes::Copy(absl::string_view(text)); }

Bytes NameOf(const std::string& key) { return Bytes::Copy(PairOf(key)); }

void SetSwap(const proto::CompareAndSwap& swap, Operation* operation) {
  operation->kind = Kind::kCompareAndSwap;
  operation->key = ToBytes(swap.key());
  if (swap.has_expected()) operation->expected = ToBytes(swap.expected());
  if (swap.has_value()) operation->value = ToBytes(swap.value());
}

proto::Command CommandOf(const proto::BatchOperation& operation) {
  proto::Command command;
  if (operation.has_put()) *command.mutable_put() = operation.put();
  if (operation.has_append()) *command.mutable_append() = operation.append();
  if (operation.has_compare_and_swap()) {
    *command.mutable_compare_and_swap() = operation.compare_and_swap();
  }
  return command;
}

// Where a state machine says when something happened; answers put together of several do not.
std::optional<Witness> WitnessOf(const proto::Result& result) {
  if (result.index() == 0) return std::nullopt;
  return Witness{.epoch = 0, .index = result.index()};
}

}  // namespace

Instant Recorder::Tick(Instant now) {
  last_ = std::max(now, last_ + Duration(1));
  return last_;
}

Recorder::Open Recorder::Invoke(Instant now, uint64_t process, PlannedOperation planned) {
  Open open{.process = process, .planned = std::move(planned), .invoked = Tick(now), .command = {}};
  if (!open.planned.bulk) return open;
  for (const proto::BatchOperation& operation :
       std::get<proto::Command>(open.planned.body).batch().operations()) {
    Open part{.process = NewProcess(), .planned = {}, .invoked = open.invoked, .command = {}};
    part.planned.body = CommandOf(operation);
    open.parts.push_back(std::move(part));
  }
  return open;
}

uint32_t Recorder::ShardFor(absl::string_view key) const {
  return shards_ == 0 ? 0 : static_cast<uint32_t>(ShardOf(key, shards_).value());
}

// Where a gateway gives it a place in a session of its own, it goes by what it asks for.
void Recorder::NoteName(const Bytes& request, Open* open) const {
  if (gateway::IsGatewayRequest(request)) {
    proto::GatewayRequest parsed;
    Check(parsed.ParseFromArray(request.data(), static_cast<int>(request.size())));
    const proto::Command& planned = std::get<proto::Command>(open->planned.body);
    open->by_gateway = true;
    for (Open& part : open->parts) NoteName(request, &part);
    if (!open->parts.empty()) return;
    open->command = {.session = SessionId(parsed.command().session()),
                     .sequence = parsed.command().sequence(),
                     .shard = ShardFor(kv::KeyOf(planned))};
    // The last write of a batch names it: comparisons come first, and may be equal.
    open->command.content = ContentOf(WritesOf(planned).back());
    return;
  }
  open->command = IdentifyRequest(request);
  if (shards_ != 0) {
    const auto& planned = std::get<proto::Command>(open->planned.body);
    open->command.content = ContentOf(WritesOf(planned).back());
  }
  if (open->parts.empty()) return;
  proto::ClientRequest parsed;
  Check(parsed.ParseFromArray(request.data(), static_cast<int>(request.size())));
  const proto::Command& sent = parsed.command();
  for (Open& part : open->parts) {
    const absl::string_view key = kv::KeyOf(std::get<proto::Command>(part.planned.body));
    const auto& operations = sent.batch().operations();
    const bool named = sent.has_batch()
                           ? std::any_of(operations.begin(), operations.end(),
                                         [&](const auto& one) { return kv::KeyOf(one) == key; })
                           : kv::KeyOf(sent) == key;
    if (!named) continue;
    const auto& planned = std::get<proto::Command>(part.planned.body);
    part.command = open->command;
    if (shards_ != 0) part.command.content = ContentOf(WritesOf(planned).back());
  }
}

void Recorder::Return(Instant now, const Open& open, const client::Outcome& outcome) {
  using Kind = client::Outcome::Kind;
  for (size_t i = 0; i < open.parts.size(); ++i) {
    Return(now, open.parts[i], outcome.each.empty() ? outcome : outcome.each[i]);
  }
  if (!open.parts.empty()) return;
  if (outcome.kind != Kind::kNotExecuted || outcome.result.index() != 0) NoteMayBeExecuted(open);
  if (open.by_gateway) ++counters_.through_gateways;
  if (open.planned.misplaced) return RecordMisplaced(open, outcome);
  if (outcome.kind == Kind::kNotExecuted) {
    ++counters_.not_executed;
    return NoteRefusal(open, outcome);
  }
  if (outcome.kind == Kind::kUnknown) return NoteUnknown(open);
  if (const auto* query = std::get_if<proto::Query>(&open.planned.body)) {
    ++counters_.reads;
    NoteLabel(open, outcome.result);
    if (query->stale()) return RecordStale(open, outcome.result);
    if (query->any_replica()) ++counters_.any_replica_reads;
    if (query->has_get_many() && PairOf(query->get_many().keys(0)).empty()) {
      return RecordSeveral(now, open, outcome.result);
    }
    if (query->has_get_many()) return RecordPair(now, open, outcome.result);
    return query->has_list() ? RecordList(now, open, outcome.result)
                             : RecordRead(now, open, outcome.result);
  }
  RecordWrite(now, open, outcome.result);
}

void Recorder::NoteRefusal(const Open& open, const client::Outcome& outcome) {
  if (outcome.result.code() != proto::NO_SPACE) return;
  ++counters_.no_space;
  const auto* command = std::get_if<proto::Command>(&open.planned.body);
  if (command != nullptr && node::AddsData(*command)) return;
  refused_without_data_ =
      absl::StrCat("process ", open.process,
                   " was refused what adds no data, for want of space: ", outcome.result.message());
}

void Recorder::NoteLabel(const Open& open, const proto::Result& result) {
  const bool asked = std::get<proto::Query>(open.planned.body).stale();
  if (asked == result.stale() || !mislabelled_.empty()) return;
  mislabelled_ = absl::StrCat("process ", open.process, " asked for ",
                              asked ? "any state" : "the newest state", ", and the answer says ",
                              result.stale() ? "that it may be old" : "that it is the newest");
}

void Recorder::RecordStale(const Open& open, const proto::Result& result) {
  ++counters_.stale_reads;
  if (newest_ == nullptr) return;
  const auto& query = std::get<proto::Query>(open.planned.body);
  const absl::string_view key = query.has_get()        ? absl::string_view(query.get().key())
                                : query.has_get_many() ? absl::string_view(query.get_many().keys(0))
                                                       : absl::string_view();
  stale_reads_.push_back({open.process, query, result, newest_(ShardFor(key))});
}

void Recorder::NoteMayBeExecuted(const Open& open) {
  const auto* command = std::get_if<proto::Command>(&open.planned.body);
  if (command == nullptr) return;
  for (const proto::BatchOperation& write : WritesOf(*command)) {
    ++may_be_executed_[ContentOf(write)];
  }
}

void Recorder::Abandon(const Open& open) {
  for (const Open& part : open.parts) Abandon(part);
  if (!open.parts.empty()) return;
  NoteMayBeExecuted(open);
  NoteUnknown(open);
}

void Recorder::NoteUnknown(const Open& open) {
  ++counters_.unknown;
  if (std::holds_alternative<proto::Query>(open.planned.body)) return;  // Without effect anyway.
  if (open.planned.misplaced) return;
  open_.emplace_back(history_.operations.size(), open.command);
  history_.operations.push_back(OperationOf(open));
}

void Recorder::AppendOpen(const Open& open, linearizability::History* history) const {
  for (const Open& part : open.parts) AppendOpen(part, history);
  if (!open.parts.empty()) return;
  if (std::holds_alternative<proto::Query>(open.planned.body)) return;  // Without effect anyway.
  if (open.planned.misplaced) return;
  history->operations.push_back(OperationOf(open));
}

// As invoked: open, without a result.
Operation Recorder::OperationOf(const Open& open) const {
  Operation operation;
  operation.process = open.process;
  operation.invoked = open.invoked;
  const auto& command = std::get<proto::Command>(open.planned.body);
  switch (command.operation_case()) {
    case proto::Command::kPut:
      operation.kind = Kind::kPut;
      operation.key = ToBytes(command.put().key());
      operation.value = ToBytes(command.put().value());
      return operation;
    case proto::Command::kAppend:
      operation.kind = Kind::kAppend;
      operation.key = ToBytes(command.append().key());
      operation.value = ToBytes(command.append().value());
      return operation;
    case proto::Command::kDelete:
      operation.kind = Kind::kDelete;
      operation.key = ToBytes(command.delete_().key());
      return operation;
    case proto::Command::kBatch: {
      const proto::BatchOperation& first = command.batch().operations(0);
      if (first.has_compare_and_swap()) {
        SetSwap(first.compare_and_swap(), &operation);
      } else {
        operation.kind = Kind::kPut;
        operation.value = ToBytes(first.put().value());
      }
      operation.key = NameOf(command.batch().operations(1).put().key());
      return operation;
    }
    default:
      Check(command.has_compare_and_swap());
      SetSwap(command.compare_and_swap(), &operation);
      return operation;
  }
}

void Recorder::RecordWrite(Instant now, const Open& open, const proto::Result& result) {
  executed_.push_back({open.command, Index(result.index()), open.process});
  if (result.replayed()) ++counters_.replayed;
  const bool mismatch = result.code() == proto::CONFLICT;
  if (result.code() != proto::OK && !mismatch) {
    ++counters_.not_executed;  // Answered by the state machine, and changed nothing: too large.
    return;
  }
  mismatch ? ++counters_.swaps_failed : ++counters_.writes;
  Operation operation = OperationOf(open);
  operation.outcome =
      mismatch ? linearizability::Outcome::kMismatch : linearizability::Outcome::kDone;
  if (mismatch) {
    operation.result_known = !result.value_omitted();
    if (result.has_value()) operation.result = ToBytes(result.value());
  }
  operation.returned = Tick(now);
  operation.witness = WitnessOf(result);
  history_.operations.push_back(std::move(operation));
}

void Recorder::RecordRead(Instant now, const Open& open, const proto::Result& result) {
  Operation operation;
  operation.process = open.process;
  operation.kind = Kind::kGet;
  operation.key = ToBytes(std::get<proto::Query>(open.planned.body).get().key());
  if (result.has_value()) operation.result = ToBytes(result.value());
  operation.outcome = linearizability::Outcome::kDone;
  operation.invoked = open.invoked;
  operation.returned = Tick(now);
  operation.witness = WitnessOf(result);
  history_.operations.push_back(std::move(operation));
}

void Recorder::RecordPair(Instant now, const Open& open, const proto::Result& result) {
  const proto::GetMany& get = std::get<proto::Query>(open.planned.body).get_many();
  const bool whole =
      result.pairs_size() == 0 ||
      (result.pairs_size() == 2 && result.pairs(0).value() == result.pairs(1).value());
  if (!whole && torn_batch_.empty()) {
    torn_batch_ = absl::StrCat("process ", open.process, " read of the pair ", PairOf(get.keys(0)));
    for (const proto::Pair& pair : result.pairs()) {
      absl::StrAppend(&torn_batch_, "\n", pair.key(), " = ", pair.value());
    }
  }
  Operation operation;
  operation.process = open.process;
  operation.kind = Kind::kGet;
  operation.key = NameOf(get.keys(0));
  if (result.pairs_size() > 0) operation.result = ToBytes(result.pairs(0).value());
  operation.outcome = linearizability::Outcome::kDone;
  operation.invoked = open.invoked;
  operation.returned = Tick(now);
  operation.witness = WitnessOf(result);
  history_.operations.push_back(std::move(operation));
}

void Recorder::RecordMisplaced(const Open& open, const client::Outcome& outcome) {
  ++counters_.not_executed;
  if (outcome.kind == client::Outcome::Kind::kNotExecuted || !torn_batch_.empty()) return;
  // A call that was not answered may have been refused.
  if (outcome.kind == client::Outcome::Kind::kUnknown && open.by_gateway) return;
  torn_batch_ = absl::StrCat("process ", open.process,
                             " had a batch over several shards that was not refused");
  const proto::Batch& batch = std::get<proto::Command>(open.planned.body).batch();
  for (const proto::BatchOperation& one : batch.operations()) {
    absl::StrAppend(&torn_batch_, "\n", one.put().key(), " = ", one.put().value());
  }
}

// Each key was as it is told at some moment of its own.
void Recorder::RecordSeveral(Instant now, const Open& open, const proto::Result& result) {
  const Instant returned = Tick(now);
  int next = 0;  // the first pair not yet met
  for (const std::string& key : std::get<proto::Query>(open.planned.body).get_many().keys()) {
    Operation operation;
    operation.process = open.process;
    operation.kind = Kind::kGet;
    operation.key = ToBytes(key);
    if (next < result.pairs_size() && result.pairs(next).key() == key) {
      operation.result = ToBytes(result.pairs(next).value());
      ++next;
    }
    operation.outcome = linearizability::Outcome::kDone;
    operation.invoked = open.invoked;
    operation.returned = returned;
    operation.witness = WitnessOf(result);
    history_.operations.push_back(std::move(operation));
  }
}

// Within what the page covers, a key that was not returned was missing. A page that goes on covers
// the keys up to its last one.
void Recorder::RecordList(Instant now, const Open& open, const proto::Result& result) {
  const proto::List& list = std::get<proto::Query>(open.planned.body).list();
  const Instant returned = Tick(now);
  int next = 0;  // the first pair not yet met
  const bool goes_on = !result.continuation().empty();
  for (const std::string& key : keys_) {
    if (!absl::StartsWith(key, list.prefix()) || key < list.start()) continue;
    if (open.planned.page.has_value() && key <= open.planned.page->after) continue;
    while (next < result.pairs_size() && result.pairs(next).key() < key) ++next;
    const bool found = next < result.pairs_size() && result.pairs(next).key() == key;
    if (!found && goes_on && next >= result.pairs_size()) break;
    Operation operation;
    operation.process = open.process;
    operation.kind = Kind::kGet;
    operation.key = ToBytes(key);
    if (found) operation.result = ToBytes(result.pairs(next).value());
    operation.outcome = linearizability::Outcome::kDone;
    operation.invoked = open.invoked;
    operation.returned = returned;
    operation.witness = WitnessOf(result);
    history_.operations.push_back(std::move(operation));
  }
}

}  // namespace lockstep::sim
