#include "net/client/operations.h"

#include "absl/strings/str_cat.h"

namespace lockstep::client {
namespace {

void FillSwap(Write write, proto::CompareAndSwap* swap) {
  swap->set_key(std::move(write.key));
  if (write.expected.has_value()) swap->set_expected(*std::move(write.expected));
  if (write.value.has_value()) swap->set_value(*std::move(write.value));
}

// `Target` is a Command or a BatchOperation: they name these four alike.
template <class Target>
void Fill(Write write, Target* target) {
  switch (write.kind) {
    case Write::Kind::kPut:
      target->mutable_put()->set_key(std::move(write.key));
      target->mutable_put()->set_value(std::move(write.value).value_or(""));
      return;
    case Write::Kind::kAppend:
      target->mutable_append()->set_key(std::move(write.key));
      target->mutable_append()->set_value(std::move(write.value).value_or(""));
      return;
    case Write::Kind::kDelete:
      target->mutable_delete_()->set_key(std::move(write.key));
      return;
    case Write::Kind::kCompareAndSwap:
      FillSwap(std::move(write), target->mutable_compare_and_swap());
      return;
  }
}

proto::Query QueryWith(Consistency consistency) {
  proto::Query query;
  query.set_stale(consistency == Consistency::kStale);
  query.set_any_replica(consistency == Consistency::kFollower);
  return query;
}

std::vector<KeyValue> PairsOf(proto::Result* result) {
  std::vector<KeyValue> pairs;
  pairs.reserve(static_cast<size_t>(result->pairs_size()));
  for (proto::Pair& pair : *result->mutable_pairs()) {
    pairs.push_back({std::move(*pair.mutable_key()), std::move(*pair.mutable_value())});
  }
  return pairs;
}

uint64_t BytesOf(const BulkWrites& writes) {
  uint64_t bytes = 0;
  for (const proto::BatchOperation& write : writes) bytes += write.ByteSizeLong();
  return bytes;
}

// The stable name of why: what the group said, or what the client found.
std::string ReasonOf(const Outcome& outcome) {
  const proto::Code said = outcome.result.code();
  // A newer node's code has no name here.
  const bool says = said != proto::CODE_UNSPECIFIED && said != proto::OK;
  if (says && proto::Code_IsValid(said)) return proto::Code_Name(said);
  switch (outcome.status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return "TIMEOUT";
    case absl::StatusCode::kResourceExhausted:
      return "OVERLOADED";
    case absl::StatusCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case absl::StatusCode::kOutOfRange:
      return "TOO_LARGE";
    default:
      return "UNAVAILABLE";
  }
}

}  // namespace

proto::Command CommandOf(Write write) {
  proto::Command command;
  Fill(std::move(write), &command);
  return command;
}

BulkWrites BulkOf(std::vector<Write> writes) {
  BulkWrites bulk(writes.size());
  for (size_t i = 0; i < writes.size(); ++i) Fill(std::move(writes[i]), &bulk[i]);
  return bulk;
}

proto::Command BatchOf(std::vector<Write> writes) {
  proto::Command command;
  proto::Batch& batch = *command.mutable_batch();
  for (Write& write : writes) Fill(std::move(write), batch.add_operations());
  return command;
}

proto::Query GetOf(std::string key, Consistency consistency) {
  proto::Query query = QueryWith(consistency);
  query.mutable_get()->set_key(std::move(key));
  return query;
}

proto::Query GetManyOf(std::vector<std::string> keys, Consistency consistency) {
  proto::Query query = QueryWith(consistency);
  query.mutable_get_many();
  for (std::string& key : keys) query.mutable_get_many()->add_keys(std::move(key));
  return query;
}

proto::Query ListOf(ListOptions list, Consistency consistency) {
  proto::Query query = QueryWith(consistency);
  proto::List& target = *query.mutable_list();
  target.set_prefix(std::move(list.prefix));
  target.set_start(std::move(list.start));
  target.set_limit(list.limit);
  target.set_continuation(std::move(list.continuation));
  return query;
}

uint64_t BytesOf(const Operation& operation) {
  if (const auto* command = std::get_if<proto::Command>(&operation)) {
    return command->ByteSizeLong();
  }
  if (const auto* query = std::get_if<proto::Query>(&operation)) return query->ByteSizeLong();
  return BytesOf(std::get<BulkWrites>(operation));
}

bool Writes(const Operation& operation) { return !std::holds_alternative<proto::Query>(operation); }

absl::Status StatusOf(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kOk) return absl::OkStatus();
  const Effect effect =
      outcome.kind == Outcome::Kind::kNotExecuted ? Effect::kNone : Effect::kUnknown;
  const absl::StatusCode code =
      outcome.status.ok() ? absl::StatusCode::kUnknown : outcome.status.code();
  const absl::Status status =
      FailureStatus(code, effect, ReasonOf(outcome), outcome.status.message());
  const proto::Code refusal = outcome.result.code();
  if (refusal != proto::NO_SPACE && refusal != proto::OVERLOADED) return status;
  v1::Failure failure = *FailureOf(status);
  failure.set_free_bytes(outcome.result.free_bytes());
  failure.set_need_bytes(outcome.result.need_bytes());
  failure.set_which(outcome.result.which());
  failure.set_limit(outcome.result.limit());
  return WithFailure(status, failure);
}

absl::StatusOr<GetResult> GetAnswer(Outcome outcome) {
  if (outcome.kind != Outcome::Kind::kOk) return StatusOf(outcome);
  GetResult answer;
  proto::Result& result = outcome.result;
  if (result.has_value()) answer.value = std::move(*result.mutable_value());
  answer.version = result.index();
  answer.stale = result.stale();
  return answer;
}

absl::StatusOr<GetManyResult> GetManyAnswer(Outcome outcome) {
  if (outcome.kind != Outcome::Kind::kOk) return StatusOf(outcome);
  return GetManyResult{.pairs = PairsOf(&outcome.result), .stale = outcome.result.stale()};
}

absl::StatusOr<WriteResult> WriteAnswer(Outcome outcome) {
  if (outcome.kind != Outcome::Kind::kOk) return StatusOf(outcome);
  return WriteResult{.version = outcome.result.index(), .replayed = outcome.result.replayed()};
}

absl::StatusOr<SwapResult> SwapAnswer(Outcome outcome) {
  if (outcome.kind != Outcome::Kind::kOk) return StatusOf(outcome);
  proto::Result& result = outcome.result;
  SwapResult answer;
  answer.swapped = result.code() != proto::CONFLICT;
  if (!answer.swapped && result.has_value()) answer.actual = std::move(*result.mutable_value());
  answer.actual_omitted = result.value_omitted();
  answer.version = result.index();
  answer.replayed = result.replayed();
  return answer;
}

absl::StatusOr<ListPage> ListAnswer(Outcome outcome) {
  if (outcome.kind != Outcome::Kind::kOk) return StatusOf(outcome);
  proto::Result& result = outcome.result;
  return ListPage{.pairs = PairsOf(&result),
                  .continuation = std::move(*result.mutable_continuation()),
                  .stale = result.stale()};
}

absl::StatusOr<BatchResult> BatchAnswer(Outcome outcome) {
  if (outcome.kind != Outcome::Kind::kOk) return StatusOf(outcome);
  const proto::Result& result = outcome.result;
  return BatchResult{.committed = result.code() != proto::CONFLICT,
                     .failed_write = result.failed_operation(),
                     .version = result.index(),
                     .replayed = result.replayed()};
}

absl::StatusOr<std::vector<WriteOutcome>> BulkAnswer(Outcome outcome) {
  if (outcome.each.empty()) return StatusOf(outcome);  // refused as a whole
  std::vector<WriteOutcome> answer;
  answer.reserve(outcome.each.size());
  for (const Outcome& one : outcome.each) {
    WriteOutcome write = {.kind = WriteOutcome::Kind::kUnknown, .status = StatusOf(one)};
    if (one.kind == Outcome::Kind::kNotExecuted) write.kind = WriteOutcome::Kind::kNotExecuted;
    if (one.kind == Outcome::Kind::kOk) {
      const bool conflict = one.result.code() == proto::CONFLICT;
      write.kind = conflict ? WriteOutcome::Kind::kConflict : WriteOutcome::Kind::kExecuted;
    }
    answer.push_back(std::move(write));
  }
  return answer;
}

}  // namespace lockstep::client
