#include "core/kv/command.h"

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

absl::Status ValidateValue(absl::string_view name, const std::string& value,
                           const KvLimits& limits) {
  if (value.size() > limits.value_bytes_max) {
    return TooLarge(name, value.size(), "value_bytes_max", limits.value_bytes_max,
                    "split it over several keys");
  }
  return absl::OkStatus();
}

absl::Status ValidateKeyAndValue(const std::string& key, const std::string& value,
                                 const KvLimits& limits) {
  absl::Status status = ValidateKey(key, limits);
  if (!status.ok()) return status;
  return ValidateValue("value", value, limits);
}

absl::Status ValidateCompareAndSwap(const proto::CompareAndSwap& swap, const KvLimits& limits) {
  absl::Status status = ValidateKey(swap.key(), limits);
  if (!status.ok()) return status;
  status = ValidateValue("expected value", swap.expected(), limits);
  if (!status.ok()) return status;
  return ValidateValue("value", swap.value(), limits);
}

// The place of a command in its session (thesis §6.3).
absl::Status ValidatePlace(const proto::Command& command, const KvLimits& limits) {
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

absl::Status ValidateCommand(const proto::Command& command, const KvLimits& limits) {
  absl::Status status;
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
    case proto::Command::OPERATION_NOT_SET:
      return absl::InvalidArgumentError(
          "the command names no operation that this version knows: set register_session, "
          "close_session, put, append, delete or compare_and_swap");
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
    case proto::Query::OPERATION_NOT_SET:
      return absl::InvalidArgumentError(
          "the query names no operation that this version knows: set get or list");
  }
  return absl::InternalError("unreachable");
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
