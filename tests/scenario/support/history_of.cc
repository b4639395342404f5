#include "tests/scenario/support/history_of.h"

#include "core/base/check.h"

namespace lockstep::scenario {
namespace {

using Kind = client::Outcome::Kind;
using Writes = std::vector<proto::BatchOperation>;

proto::Command CommandOf(const proto::BatchOperation& write) {
  proto::Command command;
  if (write.has_put()) *command.mutable_put() = write.put();
  if (write.has_append()) *command.mutable_append() = write.append();
  if (write.has_delete_()) *command.mutable_delete_() = write.delete_();
  if (write.has_compare_and_swap()) {
    *command.mutable_compare_and_swap() = write.compare_and_swap();
  }
  return command;
}

const proto::GetMany* GetManyIn(const Whole& whole) {
  const auto* query = std::get_if<proto::Query>(&whole);
  return query != nullptr && query->has_get_many() ? &query->get_many() : nullptr;
}

const proto::Batch* BatchIn(const Whole& whole) {
  const auto* command = std::get_if<proto::Command>(&whole);
  return command != nullptr && command->has_batch() ? &command->batch() : nullptr;
}

client::Outcome ValueOf(const client::Outcome& outcome, const std::string& key) {
  client::Outcome one = outcome;
  one.result.clear_pairs();
  for (const proto::Pair& pair : outcome.result.pairs()) {
    if (pair.key() == key) one.result.set_value(pair.value());
  }
  return one;
}

}  // namespace

std::vector<Single> SinglesOf(const Whole& whole) {
  std::vector<Single> singles;
  if (const auto* writes = std::get_if<Writes>(&whole)) {
    for (const proto::BatchOperation& write : *writes) singles.push_back(CommandOf(write));
  } else if (const proto::Batch* batch = BatchIn(whole)) {
    for (const proto::BatchOperation& write : batch->operations()) {
      singles.push_back(CommandOf(write));
    }
  } else if (const proto::GetMany* get_many = GetManyIn(whole)) {
    for (const std::string& key : get_many->keys()) {
      proto::Query query;
      query.mutable_get()->set_key(key);
      singles.push_back(std::move(query));
    }
  } else if (const auto* command = std::get_if<proto::Command>(&whole)) {
    singles.push_back(*command);
  } else {
    singles.push_back(std::get<proto::Query>(whole));
  }
  return singles;
}

std::string KeyOf(const Single& single) {
  if (const auto* query = std::get_if<proto::Query>(&single)) return query->get().key();
  const auto& command = std::get<proto::Command>(single);
  if (command.has_put()) return command.put().key();
  if (command.has_append()) return command.append().key();
  if (command.has_delete_()) return command.delete_().key();
  Check(command.has_compare_and_swap());
  return command.compare_and_swap().key();
}

client::Outcome OutcomeOf(const Whole& whole, const client::Outcome& outcome, size_t place) {
  if (std::holds_alternative<Writes>(whole) && !outcome.each.empty()) return outcome.each[place];
  if (outcome.kind != Kind::kOk) return outcome;
  if (const proto::GetMany* get_many = GetManyIn(whole)) {
    return ValueOf(outcome, get_many->keys(static_cast<int>(place)));
  }
  client::Outcome one = outcome;
  if (BatchIn(whole) != nullptr && outcome.result.code() != proto::OK) {
    one.kind = Kind::kNotExecuted;
  }
  return one;
}

}  // namespace lockstep::scenario
