#include "sim/check/contents_model.h"

#include <algorithm>

#include "core/base/hash.h"

namespace lockstep::sim {

std::vector<proto::BatchOperation> WritesOf(const proto::Command& command) {
  if (command.has_batch()) {
    return {command.batch().operations().begin(), command.batch().operations().end()};
  }
  proto::BatchOperation write;
  if (command.has_put()) *write.mutable_put() = command.put();
  if (command.has_append()) *write.mutable_append() = command.append();
  if (command.has_delete_()) *write.mutable_delete_() = command.delete_();
  if (command.has_compare_and_swap()) {
    *write.mutable_compare_and_swap() = command.compare_and_swap();
  }
  if (write.operation_case() == proto::BatchOperation::OPERATION_NOT_SET) return {};
  return {std::move(write)};
}

uint64_t ContentOf(const proto::BatchOperation& write) {
  return StableHash(write.SerializeAsString()) | 1;
}

void ContentsModel::Execute(Index version, const proto::Command& command) {
  const std::vector<proto::BatchOperation> writes = WritesOf(command);
  for (const proto::BatchOperation& write : writes) {
    executions_[ContentOf(write)].push_back(version);
  }
  // All or nothing. No key occurs twice, so what is compared is the state before.
  const bool spoilt =
      std::any_of(writes.begin(), writes.end(), [this](const proto::BatchOperation& write) {
        return write.has_compare_and_swap() && !Holds(write.compare_and_swap());
      });
  if (spoilt) return;
  for (const proto::BatchOperation& write : writes) Write(version, write);
}

ContentsModel::Value ContentsModel::Newest(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : found->second.back().second;
}

bool ContentsModel::Holds(const proto::CompareAndSwap& swap) const {
  const Value held = Newest(swap.key());
  if (!swap.has_expected()) return !held.has_value();
  return held.has_value() && *held == swap.expected();
}

void ContentsModel::Write(Index version, const proto::BatchOperation& write) {
  const auto note = [&](const std::string& key, Value value) {
    values_[key].emplace_back(version, std::move(value));
  };
  switch (write.operation_case()) {
    case proto::BatchOperation::kPut:
      return note(write.put().key(), write.put().value());
    case proto::BatchOperation::kAppend:
      return note(write.append().key(),
                  Newest(write.append().key()).value_or("") + write.append().value());
    case proto::BatchOperation::kDelete:
      return note(write.delete_().key(), std::nullopt);
    case proto::BatchOperation::kCompareAndSwap: {
      const proto::CompareAndSwap& swap = write.compare_and_swap();
      return note(swap.key(), swap.has_value() ? Value(swap.value()) : std::nullopt);
    }
    case proto::BatchOperation::OPERATION_NOT_SET:
      return;
  }
}

std::optional<std::string> ContentsModel::At(absl::string_view key, Index version) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  const auto& values = found->second;
  const auto after =
      std::upper_bound(values.begin(), values.end(), version,
                       [](Index wanted, const auto& one) { return wanted < one.first; });
  return after == values.begin() ? std::nullopt : std::prev(after)->second;
}

bool ContentsModel::EverHeld(absl::string_view key, const std::optional<std::string>& value) const {
  if (!value.has_value()) return true;
  const auto found = values_.find(key);
  return found != values_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](const auto& one) { return one.second == value; });
}

const std::vector<Index>& ContentsModel::ExecutionsOf(uint64_t content) const {
  static const std::vector<Index>& none = *new std::vector<Index>();
  const auto found = executions_.find(content);
  return found == executions_.end() ? none : found->second;
}

}  // namespace lockstep::sim
