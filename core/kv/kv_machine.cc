#include "core/kv/kv_machine.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/command.h"
#include "core/kv/operations.h"
#include "core/kv/reads.h"

namespace lockstep::kv {
namespace {

// Entries above this are parsed into memory that is given back at once.
constexpr size_t kScratchBytesMax = size_t{1} << 20;

bool Parse(const Bytes& bytes, google::protobuf::MessageLite* message) {
  return bytes.size() <= size_t{INT32_MAX} &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

KvMachine::KvMachine(const KvOptions& options) : options_(options), sessions_(options) {
  CheckLe(uint64_t{1}, options_.limits.key_bytes_max);
}

void KvMachine::Load(const TableReader& table) { sessions_.Load(table); }

Bytes KvMachine::Apply(const Entry& entry, TableWriter& table) {
  Check(entry.kind != EntryKind::kNoop);
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

void KvMachine::ApplyCommand(const proto::Command& command, Index version, TableWriter& table,
                             proto::Result* result) {
  const absl::Status valid = ValidateCommand(command, options_.limits);
  if (!valid.ok()) {
    *result = RefusalFor(valid);
    return;
  }
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
      result->set_code(proto::OK);
      result->set_session(sessions_.Register(version, table).value());
      result->set_index(version.value());
      return;
    case proto::Command::kCloseSession:
      if (!sessions_.Close(SessionId(command.session()), table)) {
        return RefuseUnknown(command.session(), result);
      }
      result->set_code(proto::OK);
      result->set_index(version.value());
      return;
    default:
      return ApplyInSession(command, version, table, result);
  }
}

void KvMachine::ApplyInSession(const proto::Command& command, Index version, TableWriter& table,
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
  StoredReply reply = Execute(command, options_.limits, table);
  reply.index = version;
  Fill(reply, result);
  sessions_.Remember(*session, command.sequence(), command.first_outstanding(), std::move(reply),
                     table);
}

// The first answer and its repetitions are made here alike.
void KvMachine::Fill(const StoredReply& reply, proto::Result* result) const {
  Check(bool(reply.index));
  result->set_code(reply.code);
  result->set_index(reply.index.value());
  if (reply.value_form == StoredReply::Value::kPresent) result->set_value(reply.value);
  if (reply.value_form == StoredReply::Value::kOmitted) result->set_value_omitted(true);
  if (reply.code != proto::OK) result->set_failed_operation(reply.failed_operation);
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
  if (Parse(query, &parsed)) {
    Answer(parsed, applied.index, table, &result);
    result.set_stale(parsed.stale());
  } else {
    result = RefusalFor(absl::InvalidArgumentError(
        absl::StrCat("the request of ", query.size(), " bytes holds no query")));
    result.set_index(applied.index.value());
  }
  return Encode(result);
}

void KvMachine::Answer(const proto::Query& query, Index version, const TableReader& table,
                       proto::Result* result) const {
  const absl::Status valid = ValidateQuery(query, options_.limits);
  if (!valid.ok()) {
    *result = RefusalFor(valid);
  } else if (query.has_get()) {
    ReadGet(query.get(), table, result);
  } else if (query.has_get_many()) {
    ReadGetMany(query.get_many(), options_.limits, table, result);
  } else {
    ReadList(query.list(), options_.limits, table, result);
  }
  result->set_index(version.value());
}

}  // namespace lockstep::kv
