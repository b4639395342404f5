#include "core/kv/command.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/continuation.h"

namespace lockstep::kv {
namespace {

void Assign(std::string* field, absl::string_view text) { field->assign(text.data(), text.size()); }

absl::Status TooLarge(absl::string_view what, uint64_t bytes, absl::string_view limit_name,
                      uint64_t limit, absl::string_view advice) {
  return absl::OutOfRangeError(absl::StrCat("the ", what, " of ", bytes, " bytes exceeds ",
                                            limit_name, " (", limit, " bytes): ", advice));
}

absl::Status ValidateKey(const std::string& key, const KvLimits& limits) {
  if (key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the key is empty: give a key of 1 to ", limits.key_bytes_max, " bytes"));
  }
  if (key.size() > limits.key_bytes_max) {
    return TooLarge("key", key.size(), "key_bytes_max", limits.key_bytes_max, "use a shorter key");
  }
  return absl::OkStatus();
}

absl::Status ValidateBytes(absl::string_view name, uint64_t bytes, const KvLimits& limits) {
  if (bytes > limits.value_bytes_max) {
    return TooLarge(name, bytes, "value_bytes_max", limits.value_bytes_max,
                    "split it over several keys");
  }
  return absl::OkStatus();
}

absl::Status ValidateKeyAndValue(const std::string& key, const std::string& value,
                                 const KvLimits& limits) {
  absl::Status status = ValidateKey(key, limits);
  if (!status.ok()) return status;
  return ValidateValueBytes(value.size(), limits);
}

absl::Status ValidateCompareAndSwap(const proto::CompareAndSwap& swap, const KvLimits& limits) {
  absl::Status status = ValidateKey(swap.key(), limits);
  if (!status.ok()) return status;
  status = ValidateBytes("expected value", swap.expected().size(), limits);
  if (!status.ok()) return status;
  return ValidateValueBytes(swap.value().size(), limits);
}

absl::Status ValidateBatchOperation(const proto::BatchOperation& operation,
                                    const KvLimits& limits) {
  switch (operation.operation_case()) {
    case proto::BatchOperation::kPut:
      return ValidateKeyAndValue(operation.put().key(), operation.put().value(), limits);
    case proto::BatchOperation::kAppend:
      return ValidateKeyAndValue(operation.append().key(), operation.append().value(), limits);
    case proto::BatchOperation::kDelete:
      return ValidateKey(operation.delete_().key(), limits);
    case proto::BatchOperation::kCompareAndSwap:
      return ValidateCompareAndSwap(operation.compare_and_swap(), limits);
    case proto::BatchOperation::OPERATION_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "it names no operation that this version knows: set put, append, delete or "
      "compare_and_swap");
}

uint64_t BatchOperationBytes(const proto::BatchOperation& operation) {
  const proto::CompareAndSwap& swap = operation.compare_and_swap();
  return KeyOf(operation).size() + operation.put().value().size() +
         operation.append().value().size() + swap.expected().size() + swap.value().size();
}

absl::Status ValidateBatch(const proto::Batch& batch, const KvLimits& limits) {
  const auto count = static_cast<uint64_t>(batch.operations_size());
  if (count == 0) {
    return absl::InvalidArgumentError("the batch is empty: give it at least one operation");
  }
  if (count > limits.batch_operations_max) {
    return absl::OutOfRangeError(absl::StrCat("the batch of ", count,
                                              " operations exceeds batch_operations_max (",
                                              limits.batch_operations_max, "): divide it"));
  }
  uint64_t bytes = 0;
  std::vector<absl::string_view> keys;
  for (const proto::BatchOperation& operation : batch.operations()) {
    const absl::Status status = ValidateBatchOperation(operation, limits);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("operation ", keys.size(),
                                                      " of the batch: ", status.message()));
    }
    bytes += BatchOperationBytes(operation);
    keys.push_back(KeyOf(operation));
  }
  if (bytes > limits.batch_bytes_max) {
    return TooLarge("batch", bytes, "batch_bytes_max", limits.batch_bytes_max, "divide it");
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) {
    return absl::InvalidArgumentError(
        "a key occurs twice in the batch: give each key one operation");
  }
  return absl::OkStatus();
}

absl::Status ValidateGetMany(const proto::GetMany& get, const KvLimits& limits) {
  const auto count = static_cast<uint64_t>(get.keys_size());
  if (count == 0) {
    return absl::InvalidArgumentError("get_many names no keys: give at least one");
  }
  if (count > limits.get_many_keys_max) {
    return absl::OutOfRangeError(absl::StrCat("get_many of ", count,
                                              " keys exceeds get_many_keys_max (",
                                              limits.get_many_keys_max, "): divide it"));
  }
  for (const std::string& key : get.keys()) {
    const absl::Status status = ValidateKey(key, limits);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// A command of a session (thesis §6.3).
absl::Status ValidateSequence(const proto::Command& command, const KvLimits& limits) {
  const uint64_t sequence = command.sequence();
  const uint64_t first = command.first_outstanding();
  if (command.session() == 0) {
    return absl::InvalidArgumentError(
        "the command has no session: register one and give its number");
  }
  if (first == 0 || first > sequence) {
    return absl::InvalidArgumentError(
        absl::StrCat("sequence ", sequence, " with first_outstanding ", first,
                     ": sequences count from 1, and first_outstanding is the smallest sequence "
                     "whose reply is still wanted, so at least 1 and at most this one"));
  }
  if (sequence - first >= limits.session_window_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("sequence ", sequence, " is ", sequence - first, " past first_outstanding ",
                     first, "; session_window_max is ", limits.session_window_max,
                     ": wait for the replies of earlier commands before sending more"));
  }
  return absl::OkStatus();
}

absl::Status ValidateNoPlace(const proto::Command& command, absl::string_view what) {
  if (command.sequence() == 0 && command.first_outstanding() == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " has no place in a session, but sequence is ", command.sequence(),
                   " and first_outstanding ", command.first_outstanding(), ": leave both out"));
}

}  // namespace

absl::string_view KeyOf(const proto::Command& command) {
  switch (command.operation_case()) {
    case proto::Command::kPut:
      return command.put().key();
    case proto::Command::kAppend:
      return command.append().key();
    case proto::Command::kDelete:
      return command.delete_().key();
    case proto::Command::kCompareAndSwap:
      return command.compare_and_swap().key();
    case proto::Command::kBatch:
      return KeyOf(command.batch().operations(0));
    default:
      return {};
  }
}

absl::string_view KeyOf(const proto::BatchOperation& operation) {
  switch (operation.operation_case()) {
    case proto::BatchOperation::kPut:
      return operation.put().key();
    case proto::BatchOperation::kAppend:
      return operation.append().key();
    case proto::BatchOperation::kDelete:
      return operation.delete_().key();
    case proto::BatchOperation::kCompareAndSwap:
      return operation.compare_and_swap().key();
    case proto::BatchOperation::OPERATION_NOT_SET:
      break;
  }
  return {};
}

absl::Status ValidatePlace(const proto::Command& command, const KvLimits& limits) {
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
      if (command.session() != 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("register_session inside session ", command.session(),
                         ": leave the session out, its number is the answer"));
      }
      return ValidateNoPlace(command, "register_session");
    case proto::Command::kCloseSession:
      if (command.session() == 0) {
        return absl::InvalidArgumentError("close_session names no session: give its number");
      }
      return ValidateNoPlace(command, "close_session");
    default:
      return ValidateSequence(command, limits);
  }
}

absl::Status ValidateValueBytes(uint64_t bytes, const KvLimits& limits) {
  return ValidateBytes("value", bytes, limits);
}

absl::Status ValidateCommand(const proto::Command& command, const KvLimits& limits) {
  absl::Status status;
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
    case proto::Command::kCloseSession:
      break;
    case proto::Command::kPut:
      status = ValidateKeyAndValue(command.put().key(), command.put().value(), limits);
      break;
    case proto::Command::kAppend:
      status = ValidateKeyAndValue(command.append().key(), command.append().value(), limits);
      break;
    case proto::Command::kDelete:
      status = ValidateKey(command.delete_().key(), limits);
      break;
    case proto::Command::kCompareAndSwap:
      status = ValidateCompareAndSwap(command.compare_and_swap(), limits);
      break;
    case proto::Command::kBatch:
      status = ValidateBatch(command.batch(), limits);
      break;
    default:
      return absl::InvalidArgumentError(
          "the command names no operation of a key-value group: set register_session, "
          "close_session, put, append, delete, compare_and_swap or batch");
  }
  if (!status.ok()) return status;
  return ValidatePlace(command, limits);
}

absl::Status ValidateQuery(const proto::Query& query, const KvLimits& limits) {
  switch (query.operation_case()) {
    case proto::Query::kGet:
      return ValidateKey(query.get().key(), limits);
    case proto::Query::kList: {
      const proto::List& list = query.list();
      if (list.prefix().size() > limits.key_bytes_max) {
        return TooLarge("prefix", list.prefix().size(), "key_bytes_max", limits.key_bytes_max,
                        "no key can begin with it");
      }
      if (list.start().size() > limits.key_bytes_max) {
        return TooLarge("start", list.start().size(), "key_bytes_max", limits.key_bytes_max,
                        "give a start that could be a key");
      }
      if (list.continuation().empty()) return absl::OkStatus();
      return ReadContinuation(list.prefix(), list.continuation(), limits).status();
    }
    case proto::Query::kGetMany:
      return ValidateGetMany(query.get_many(), limits);
    default:
      return absl::InvalidArgumentError(
          "the query names no operation of a key-value group: set get, get_many or list");
  }
}

proto::Code CodeOf(const absl::Status& status) {
  Check(!status.ok());
  return absl::IsOutOfRange(status) ? proto::TOO_LARGE : proto::INVALID_ARGUMENT;
}

proto::Result RefusalFor(const absl::Status& status) {
  proto::Result result;
  result.set_code(CodeOf(status));
  Assign(result.mutable_message(), status.message());
  return result;
}

proto::Command MakePut(absl::string_view key, absl::string_view value) {
  proto::Command command;
  Assign(command.mutable_put()->mutable_key(), key);
  Assign(command.mutable_put()->mutable_value(), value);
  return command;
}

proto::Command MakeAppend(absl::string_view key, absl::string_view value) {
  proto::Command command;
  Assign(command.mutable_append()->mutable_key(), key);
  Assign(command.mutable_append()->mutable_value(), value);
  return command;
}

proto::Command MakeDelete(absl::string_view key) {
  proto::Command command;
  Assign(command.mutable_delete_()->mutable_key(), key);
  return command;
}

proto::Command MakeCompareAndSwap(absl::string_view key, std::optional<absl::string_view> expected,
                                  std::optional<absl::string_view> value) {
  proto::Command command;
  proto::CompareAndSwap& swap = *command.mutable_compare_and_swap();
  Assign(swap.mutable_key(), key);
  if (expected.has_value()) Assign(swap.mutable_expected(), *expected);
  if (value.has_value()) Assign(swap.mutable_value(), *value);
  return command;
}

proto::Command MakeBatch(const std::vector<proto::Command>& commands) {
  proto::Command batch;
  batch.mutable_batch();
  for (const proto::Command& command : commands) {
    proto::BatchOperation* operation = batch.mutable_batch()->add_operations();
    if (command.has_put()) *operation->mutable_put() = command.put();
    if (command.has_append()) *operation->mutable_append() = command.append();
    if (command.has_delete_()) *operation->mutable_delete_() = command.delete_();
    if (command.has_compare_and_swap()) {
      *operation->mutable_compare_and_swap() = command.compare_and_swap();
    }
  }
  return batch;
}

proto::Command MakeRegisterSession(uint64_t nonce) {
  proto::Command command;
  command.mutable_register_session()->set_nonce(nonce);
  return command;
}

proto::Command MakeCloseSession(SessionId session) {
  proto::Command command;
  command.set_session(session.value());
  command.mutable_close_session();
  return command;
}

proto::Command InSession(proto::Command command, SessionId session, uint64_t sequence,
                         uint64_t first_outstanding) {
  command.set_session(session.value());
  command.set_sequence(sequence);
  command.set_first_outstanding(first_outstanding);
  return command;
}

proto::Query MakeGet(absl::string_view key) {
  proto::Query query;
  Assign(query.mutable_get()->mutable_key(), key);
  return query;
}

proto::Query MakeGetMany(const std::vector<std::string>& keys) {
  proto::Query query;
  query.mutable_get_many();
  for (const std::string& key : keys) query.mutable_get_many()->add_keys(key);
  return query;
}

proto::Query MakeList(absl::string_view prefix, absl::string_view start, uint32_t limit,
                      absl::string_view continuation) {
  proto::Query query;
  proto::List& list = *query.mutable_list();
  Assign(list.mutable_prefix(), prefix);
  Assign(list.mutable_start(), start);
  list.set_limit(limit);
  Assign(list.mutable_continuation(), continuation);
  return query;
}

Bytes Encode(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  CheckLe(size, size_t{INT32_MAX});  // Protobuf's own limit.
  return Bytes::Make(size, [&](char* to) {
    message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(to));
  });
}

}  // namespace lockstep::kv
