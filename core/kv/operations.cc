#include "core/kv/operations.h"

#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/kv/table_layout.h"

namespace lockstep::kv {
namespace {

// What an operation is going to write. The views point into the command or into `grown`.
struct Effect {
  absl::string_view key;  // the user's
  bool deletes = false;
  bool appends = false;  // the new value is `grown`
  absl::string_view value;
  std::string grown;
};

class Planner {
 public:
  Planner(const KvLimits& limits, const TableWriter& table) : limits_(limits), table_(table) {}

  // A reply other than OK: nothing may be written.
  StoredReply Plan(const proto::Put& put, Effect* effect) {
    effect->key = put.key();
    effect->value = put.value();
    return Ok();
  }

  StoredReply Plan(const proto::Delete& erase, Effect* effect) {
    effect->key = erase.key();
    effect->deletes = true;
    return Ok();
  }

  StoredReply Plan(const proto::Append& append, Effect* effect) {
    effect->key = append.key();
    effect->appends = true;
    SetDataKey(append.key(), &key_);
    if (!table_.Get(key_, &effect->grown)) effect->grown.clear();
    StoredReply reply = Ok();
    const uint64_t bytes = effect->grown.size() + append.value().size();
    if (bytes > limits_.value_bytes_max) {
      reply.code = proto::TOO_LARGE;
      reply.detail = bytes;
      return reply;
    }
    effect->grown.append(append.value());
    return reply;
  }

  StoredReply Plan(const proto::CompareAndSwap& swap, Effect* effect) {
    effect->key = swap.key();
    effect->deletes = !swap.has_value();
    effect->value = swap.value();
    SetDataKey(swap.key(), &key_);
    std::string current;
    const bool present = table_.Get(key_, &current);
    StoredReply reply = Ok();
    if (present == swap.has_expected() && (!present || current == swap.expected())) return reply;
    reply.code = proto::CONFLICT;
    if (present) {
      reply.value_form = StoredReply::Value::kPresent;
      reply.value = std::move(current);
    }
    return reply;
  }

  StoredReply Plan(const proto::BatchOperation& operation, Effect* effect) {
    switch (operation.operation_case()) {
      case proto::BatchOperation::kPut:
        return Plan(operation.put(), effect);
      case proto::BatchOperation::kAppend:
        return Plan(operation.append(), effect);
      case proto::BatchOperation::kDelete:
        return Plan(operation.delete_(), effect);
      case proto::BatchOperation::kCompareAndSwap:
        return Plan(operation.compare_and_swap(), effect);
      case proto::BatchOperation::OPERATION_NOT_SET:
        break;
    }
    Check(false, "an operation that was not validated");
    return {};
  }

 private:
  static StoredReply Ok() {
    StoredReply reply;
    reply.code = proto::OK;
    return reply;
  }

  const KvLimits& limits_;
  const TableWriter& table_;
  std::string key_;  // scratch
};

void Perform(const Effect& effect, TableWriter& table, std::string* key) {
  SetDataKey(effect.key, key);
  if (effect.deletes) return table.Delete(*key);
  table.Put(*key, effect.appends ? absl::string_view(effect.grown) : effect.value);
}

template <class Operation>
StoredReply ExecuteOne(const Operation& operation, const KvLimits& limits, TableWriter& table) {
  Effect effect;
  StoredReply reply = Planner(limits, table).Plan(operation, &effect);
  std::string key;
  if (reply.code == proto::OK) Perform(effect, table, &key);
  return reply;
}

// No key occurs twice, so no operation needs to see another's effect.
StoredReply ExecuteBatch(const proto::Batch& batch, const KvLimits& limits, TableWriter& table) {
  Planner planner(limits, table);
  absl::InlinedVector<Effect, 4> effects(static_cast<size_t>(batch.operations_size()));
  StoredReply reply;
  for (size_t i = 0; i < effects.size(); ++i) {
    reply = planner.Plan(batch.operations(static_cast<int>(i)), &effects[i]);
    reply.failed_operation = static_cast<uint32_t>(i);
    if (reply.code != proto::OK) return reply;
  }
  reply.failed_operation = 0;
  std::string key;
  for (const Effect& effect : effects) Perform(effect, table, &key);
  return reply;
}

}  // namespace

StoredReply Execute(const proto::Command& command, const KvLimits& limits, TableWriter& table) {
  switch (command.operation_case()) {
    case proto::Command::kPut:
      return ExecuteOne(command.put(), limits, table);
    case proto::Command::kDelete:
      return ExecuteOne(command.delete_(), limits, table);
    case proto::Command::kAppend:
      return ExecuteOne(command.append(), limits, table);
    case proto::Command::kCompareAndSwap:
      return ExecuteOne(command.compare_and_swap(), limits, table);
    case proto::Command::kBatch:
      return ExecuteBatch(command.batch(), limits, table);
    default:
      Check(false, "not an operation of a session");
      return {};
  }
}

}  // namespace lockstep::kv
