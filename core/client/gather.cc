#include "core/client/gather.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/kv/command.h"

namespace lockstep::client {
namespace {

using Kind = Outcome::Kind;

uint64_t BytesOf(const proto::BatchOperation& operation) {
  const proto::CompareAndSwap& swap = operation.compare_and_swap();
  return kv::KeyOf(operation).size() + operation.put().value().size() +
         operation.append().value().size() + swap.expected().size() + swap.value().size();
}

// A batch of one is the operation itself.
proto::Command Alone(proto::BatchOperation* operation) {
  proto::Command command;
  if (operation->has_put()) command.mutable_put()->Swap(operation->mutable_put());
  if (operation->has_append()) command.mutable_append()->Swap(operation->mutable_append());
  if (operation->has_delete_()) command.mutable_delete_()->Swap(operation->mutable_delete_());
  if (operation->has_compare_and_swap()) {
    command.mutable_compare_and_swap()->Swap(operation->mutable_compare_and_swap());
  }
  return command;
}

}  // namespace

// --- GetMany

GatheredGet::GatheredGet(proto::GetMany get, const kv::KvLimits& limits)
    : limits_(limits), get_(std::move(get)) {
  values_.resize(static_cast<size_t>(get_.keys_size()));
}

std::vector<Part> GatheredGet::Split(uint32_t shards) {
  Check(positions_.empty());
  std::vector<Part> parts;
  absl::btree_map<ShardId, size_t> places;
  for (int position = 0; position < get_.keys_size(); ++position) {
    const std::string& key = get_.keys(position);
    const ShardId shard = ShardOf(key, shards);
    const auto [at, added] = places.emplace(shard, parts.size());
    if (added) {
      parts.push_back({.shard = shard, .operation = proto::Query()});
      positions_.emplace_back();
    }
    std::get<proto::Query>(parts[at->second].operation).mutable_get_many()->add_keys(key);
    positions_[at->second].push_back(position);
  }
  return parts;
}

void GatheredGet::Add(size_t place, Outcome outcome) {
  if (outcome.kind != Kind::kOk || outcome.result.code() != proto::OK) {
    if (!failed_.has_value()) failed_ = std::move(outcome);
    return;
  }
  stale_ |= outcome.result.stale();
  // The answer has those that exist, in the order in which they were asked for.
  auto& pairs = *outcome.result.mutable_pairs();
  int next = 0;
  for (const int position : positions_[place]) {
    if (next == pairs.size() || pairs[next].key() != get_.keys(position)) continue;
    values_[static_cast<size_t>(position)] = std::move(*pairs[next].mutable_value());
    ++next;
  }
}

Outcome GatheredGet::Finish() {
  if (failed_.has_value()) return *std::move(failed_);
  Outcome outcome;
  uint64_t bytes = 0;
  for (int position = 0; position < get_.keys_size(); ++position) {
    std::optional<std::string>& value = values_[static_cast<size_t>(position)];
    if (!value.has_value()) continue;
    bytes += value->size();
    if (bytes > limits_.get_many_bytes_max && outcome.result.pairs_size() > 0) {
      outcome.kind = Kind::kNotExecuted;
      outcome.status = absl::OutOfRangeError(absl::StrCat("the values exceed get_many_bytes_max (",
                                                          limits_.get_many_bytes_max,
                                                          " bytes): ask for fewer keys at a time"));
      outcome.result = kv::RefusalFor(outcome.status);
      return outcome;
    }
    proto::Pair* pair = outcome.result.add_pairs();
    pair->set_key(get_.keys(position));
    *pair->mutable_value() = *std::move(value);
  }
  outcome.kind = Kind::kOk;
  outcome.result.set_code(proto::OK);
  outcome.result.set_stale(stale_);
  return outcome;
}

// --- Bulk

GatheredBulk::GatheredBulk(std::vector<proto::BatchOperation> operations,
                           const kv::KvLimits& limits)
    : limits_(limits), operations_(std::move(operations)), each_(operations_.size()) {}

std::vector<Part> GatheredBulk::Split(uint32_t shards) {
  Check(positions_.empty());
  std::vector<Part> parts;
  for (size_t position = 0; position < operations_.size(); ++position) {
    Append(ShardOf(kv::KeyOf(operations_[position]), shards), position, &parts);
  }
  for (size_t place = 0; place < parts.size(); ++place) {
    proto::Command& command = std::get<proto::Command>(parts[place].operation);
    if (positions_[place].size() == 1) {
      command = Alone(&operations_[positions_[place].front()]);
      continue;
    }
    for (const size_t position : positions_[place]) {
      command.mutable_batch()->add_operations()->Swap(&operations_[position]);
    }
  }
  operations_.clear();
  return parts;
}

void GatheredBulk::Append(ShardId shard, size_t position, std::vector<Part>* parts) {
  const uint64_t bytes = BytesOf(operations_[position]);
  const bool alone = operations_[position].has_compare_and_swap();
  const auto filling = filling_.find(shard);
  if (!alone && filling != filling_.end()) {
    Filling& room = filling->second;
    if (positions_[room.part].size() < limits_.batch_operations_max &&
        room.bytes + bytes <= limits_.batch_bytes_max) {
      room.bytes += bytes;
      return positions_[room.part].push_back(position);
    }
  }
  if (!alone) filling_[shard] = {.part = parts->size(), .bytes = bytes};
  parts->push_back({.shard = shard, .operation = proto::Command()});
  positions_.push_back({position});
}

void GatheredBulk::Add(size_t place, Outcome outcome) {
  const std::vector<size_t>& positions = positions_[place];
  if (const size_t failed = outcome.result.failed_operation(); failed < positions.size()) {
    outcome.result.set_failed_operation(static_cast<uint32_t>(positions[failed]));
  }
  for (const size_t position : positions) each_[position] = outcome;
}

Outcome GatheredBulk::Finish() {
  const auto count = [&](Kind kind) {
    return static_cast<size_t>(std::count_if(each_.begin(), each_.end(),
                                             [&](const Outcome& one) { return one.kind == kind; }));
  };
  const size_t executed = count(Kind::kOk);
  const size_t without = count(Kind::kNotExecuted);
  Outcome outcome;
  if (executed == each_.size()) {
    outcome.kind = Kind::kOk;
    outcome.result.set_code(proto::OK);
  } else {
    outcome.kind = without == each_.size() ? Kind::kNotExecuted : Kind::kUnknown;
    const auto first = std::find_if(each_.begin(), each_.end(),
                                    [](const Outcome& one) { return one.kind != Kind::kOk; });
    outcome.status = absl::Status(
        first->status.code(),
        absl::StrCat(
            "of ", each_.size(), " operations ", executed, " were executed, ", without,
            " certainly were not, and of ", each_.size() - executed - without,
            " it is not known; the first of those that were not: ", first->status.message()));
    outcome.result = first->result;
  }
  outcome.each = std::move(each_);
  return outcome;
}

}  // namespace lockstep::client
