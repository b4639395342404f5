#include "core/kv/kv_machine.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/command.h"
#include "core/kv/reads.h"
#include "core/kv/table_layout.h"

namespace lockstep::kv {
namespace {

// Entries above this are parsed into memory that is given back at once.
constexpr size_t kScratchBytesMax = size_t{1} << 20;

bool Parse(const Bytes& bytes, google::protobuf::MessageLite* message) {
  return bytes.size() <= size_t{INT32_MAX} &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void RefuseUnknown(uint64_t session, proto::Result* result) {
  result->set_code(proto::SESSION_UNKNOWN);
  result->set_message(absl::StrCat(
      "session ", session,
      " is not known: it was closed, or expired because it was the least recently used one; "
      "register a new session. This attempt was not executed; earlier ones may have been"));
}

void RefuseStale(const proto::Command& command, const Session& session, proto::Result* result) {
  result->set_code(proto::SEQUENCE_STALE);
  result->set_message(absl::StrCat("sequence ", command.sequence(), " of session ",
                                   command.session(), " is below first_outstanding ",
                                   session.first_outstanding,
                                   ": the client had said that it was done with it. This attempt "
                                   "was not executed; earlier ones may have been"));
}

}  // namespace

KvMachine::KvMachine(const KvOptions& options) : options_(options), sessions_(options) {
  CheckLe(uint64_t{1}, options_.limits.key_bytes_max);
}

void KvMachine::Load(const TableReader& table) { sessions_.Load(table); }

Bytes KvMachine::Apply(const Entry& entry, TableWriter& table) {
  Check(entry.kind == EntryKind::kCommand);
  proto::Result result;
  if (Parse(entry.data, &command_)) {
    ApplyCommand(command_, entry.index, table, &result);
  } else {
    result = RefusalFor(absl::InvalidArgumentError(
        absl::StrCat("the entry of ", entry.data.size(), " bytes holds no command")));
  }
  if (entry.data.size() > kScratchBytesMax) TrimScratch();
  return Encode(result);
}

void KvMachine::TrimScratch() {
  proto::Command empty;
  command_.Swap(&empty);
}

void KvMachine::ApplyCommand(const proto::Command& command, Index index, TableWriter& table,
                             proto::Result* result) {
  const absl::Status valid = ValidateCommand(command, options_.limits);
  if (!valid.ok()) {
    *result = RefusalFor(valid);
    return;
  }
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
      result->set_code(proto::OK);
      result->set_session(sessions_.Register(index, table).value());
      result->set_index(index.value());
      return;
    case proto::Command::kCloseSession:
      if (!sessions_.Close(SessionId(command.session()), table)) {
        return RefuseUnknown(command.session(), result);
      }
      result->set_code(proto::OK);
      result->set_index(index.value());
      return;
    default:
      return ApplyInSession(command, index, table, result);
  }
}

void KvMachine::ApplyInSession(const proto::Command& command, Index index, TableWriter& table,
                               proto::Result* result) {
  Session* session = sessions_.Find(SessionId(command.session()));
  if (session == nullptr) return RefuseUnknown(command.session(), result);
  if (command.sequence() < session->first_outstanding) {
    return RefuseStale(command, *session, result);
  }
  if (const StoredReply* kept = Sessions::FindReply(*session, command.sequence())) {
    Fill(*kept, result);
    result->set_replayed(true);
    return;
  }
  StoredReply reply = Execute(command, table);
  reply.index = index;
  Fill(reply, result);
  sessions_.Remember(*session, command.sequence(), command.first_outstanding(), std::move(reply),
                     table);
}

StoredReply KvMachine::Execute(const proto::Command& command, TableWriter& table) {
  StoredReply reply;
  reply.code = proto::OK;
  switch (command.operation_case()) {
    case proto::Command::kPut:
      SetDataKey(command.put().key(), &key_);
      table.Put(key_, command.put().value());
      return reply;
    case proto::Command::kDelete:
      SetDataKey(command.delete_().key(), &key_);
      table.Delete(key_);
      return reply;
    case proto::Command::kAppend:
      return ExecuteAppend(command.append(), table);
    case proto::Command::kCompareAndSwap:
      return ExecuteCompareAndSwap(command.compare_and_swap(), table);
    default:
      Check(false, "not an operation of a session");
      return reply;
  }
}

StoredReply KvMachine::ExecuteAppend(const proto::Append& append, TableWriter& table) {
  StoredReply reply;
  reply.code = proto::OK;
  SetDataKey(append.key(), &key_);
  std::string value;
  if (!table.Get(key_, &value)) value.clear();
  const uint64_t bytes = value.size() + append.value().size();
  if (bytes > options_.limits.value_bytes_max) {
    reply.code = proto::TOO_LARGE;
    reply.detail = bytes;
    return reply;
  }
  value.append(append.value());
  table.Put(key_, value);
  return reply;
}

StoredReply KvMachine::ExecuteCompareAndSwap(const proto::CompareAndSwap& swap,
                                             TableWriter& table) {
  StoredReply reply;
  SetDataKey(swap.key(), &key_);
  std::string current;
  const bool present = table.Get(key_, &current);
  if (present != swap.has_expected() || (present && current != swap.expected())) {
    reply.code = proto::CONFLICT;
    if (present) {
      reply.value_form = StoredReply::Value::kPresent;
      reply.value = std::move(current);
    }
    return reply;
  }
  if (swap.has_value()) {
    table.Put(key_, swap.value());
  } else {
    table.Delete(key_);
  }
  reply.code = proto::OK;
  return reply;
}

// The first answer and its repetitions are made here alike.
void KvMachine::Fill(const StoredReply& reply, proto::Result* result) const {
  Check(bool(reply.index));
  result->set_code(reply.code);
  result->set_index(reply.index.value());
  if (reply.value_form == StoredReply::Value::kPresent) result->set_value(reply.value);
  if (reply.value_form == StoredReply::Value::kOmitted) result->set_value_omitted(true);
  if (reply.code == proto::CONFLICT) {
    result->set_message(
        "the key does not hold the expected value, nothing was changed: compare "
        "with the current one");
  }
  if (reply.code == proto::TOO_LARGE) {
    result->set_message(absl::StrCat(
        "the value would have grown to ", reply.detail, " bytes, which exceeds value_bytes_max (",
        options_.limits.value_bytes_max, " bytes); nothing was changed: go on under another key"));
  }
}

Bytes KvMachine::Query(const Bytes& query, LogPosition applied, const TableReader& table) const {
  proto::Query parsed;
  proto::Result result;
  absl::Status valid;
  if (Parse(query, &parsed)) {
    valid = ValidateQuery(parsed, options_.limits);
  } else {
    valid = absl::InvalidArgumentError(
        absl::StrCat("the request of ", query.size(), " bytes holds no query"));
  }
  if (!valid.ok()) {
    result = RefusalFor(valid);
  } else if (parsed.has_get()) {
    ReadGet(parsed.get(), table, &result);
  } else {
    ReadList(parsed.list(), options_.limits, table, &result);
  }
  result.set_index(applied.index.value());
  return Encode(result);
}

}  // namespace lockstep::kv
