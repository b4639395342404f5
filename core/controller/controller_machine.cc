#include "core/controller/controller_machine.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/controller/admin.h"
#include "core/controller/changes.h"
#include "core/kv/command.h"

namespace lockstep::controller {
namespace {

// The text of a refusal is kept with it. Longer than any that changes.cc makes.
constexpr uint64_t kTextBytesMax = 512;

bool Parse(const Bytes& bytes, google::protobuf::MessageLite* message) {
  return bytes.size() <= size_t{INT32_MAX} &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

kv::KvOptions SessionOptions(const ControllerOptions& options) {
  kv::KvOptions kv;
  kv.limits.session_window_max = options.limits.session_window_max;
  kv.sessions_max = options.sessions_max;
  kv.session_value_bytes_max = kTextBytesMax;  // So that no text is ever left out.
  kv.session_reply_bytes_max = kTextBytesMax * options.limits.session_window_max;
  return kv;
}

proto::Code CodeOf(const absl::Status& refusal) {
  switch (refusal.code()) {
    case absl::StatusCode::kAlreadyExists:
      return proto::ALREADY_EXISTS;
    case absl::StatusCode::kNotFound:
      return proto::NOT_FOUND;
    default:
      Check(absl::IsFailedPrecondition(refusal), refusal.message());
      return proto::FAILED_PRECONDITION;
  }
}

// The first answer and its repetitions are made here alike.
void Fill(const kv::StoredReply& reply, proto::Result* result) {
  result->set_code(reply.code);
  result->set_index(reply.index.value());
  result->set_configuration_num(reply.detail);
  result->set_message(reply.value);
}

}  // namespace

ControllerMachine::ControllerMachine(const ControllerOptions& options)
    : options_(options), sessions_(SessionOptions(options)) {
  CheckLe(1u, options_.limits.shards_max);
  CheckLe(options_.limits.shards_max, kShardsMax);
  CheckLe(1u, options_.prune_configurations_max);
}

void ControllerMachine::Load(const TableReader& table) {
  sessions_.Load(table);
  history_.Load(table);
}

Bytes ControllerMachine::Apply(const Entry& entry, TableWriter& table) {
  Check(entry.kind != EntryKind::kNoop);
  proto::Command command;
  proto::Result result;
  if (Parse(entry.data, &command)) {
    const bool internal = entry.kind == EntryKind::kInternal;
    if (internal == IsInternal(command)) {
      ApplyCommand(command, entry.index, table, &result);
    } else {
      result = kv::RefusalFor(absl::InvalidArgumentError(
          "prune_history and set_members are what the controller says to itself, and it says "
          "nothing else"));
    }
  } else {
    result = kv::RefusalFor(absl::InvalidArgumentError(
        absl::StrCat("the entry of ", entry.data.size(), " bytes holds no command")));
  }
  return kv::Encode(result);
}

void ControllerMachine::ApplyCommand(const proto::Command& command, Index index, TableWriter& table,
                                     proto::Result* result) {
  const absl::Status valid = ValidateAdmin(command, options_.limits);
  if (!valid.ok()) {
    *result = kv::RefusalFor(valid);
    return;
  }
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
      result->set_session(sessions_.Register(index, table).value());
      break;
    case proto::Command::kCloseSession:
      if (!sessions_.Close(SessionId(command.session()), table)) {
        return kv::RefuseUnknown(command.session(), result);
      }
      break;
    case proto::Command::kPruneHistory:
      for (const proto::MemberGroup& group : command.prune_history().passed()) {
        history_.Forget(GroupId(group.gid()), ConfigurationNum(group.left()), table);
      }
      history_.Prune(ConfigurationNum(command.prune_history().before()),
                     options_.prune_configurations_max, table);
      break;
    case proto::Command::kSetMembers:
      Execute(command, table);  // It is never refused.
      break;
    default:
      return ApplyInSession(command, index, table, result);
  }
  result->set_code(proto::OK);
  result->set_index(index.value());
  result->set_configuration_num(newest().num.value());
}

void ControllerMachine::ApplyInSession(const proto::Command& command, Index index,
                                       TableWriter& table, proto::Result* result) {
  kv::Session* session = sessions_.Find(SessionId(command.session()));
  if (session == nullptr) return kv::RefuseUnknown(command.session(), result);
  if (command.sequence() < session->first_outstanding) {
    return kv::RefuseStale(command, *session, result);
  }
  if (const kv::StoredReply* kept = kv::Sessions::FindReply(*session, command.sequence())) {
    Fill(*kept, result);
    result->set_replayed(true);
    return;
  }
  kv::StoredReply reply = Execute(command, table);
  reply.index = index;
  Fill(reply, result);
  sessions_.Remember(*session, command.sequence(), command.first_outstanding(), std::move(reply),
                     table);
}

kv::StoredReply ControllerMachine::Execute(const proto::Command& command, TableWriter& table) {
  kv::StoredReply reply;
  absl::StatusOr<Configuration> next = NextConfiguration(newest(), command, options_.limits);
  if (next.ok()) {
    reply.code = proto::OK;
    if (next->num > newest().num) history_.Add(*std::move(next), table);
  } else {
    reply.code = CodeOf(next.status());
    reply.value_form = kv::StoredReply::Value::kPresent;
    reply.value.assign(next.status().message().data(), next.status().message().size());
    CheckLe(reply.value.size(), kTextBytesMax);
  }
  reply.detail = newest().num.value();
  return reply;
}

Bytes ControllerMachine::Query(const Bytes& query, LogPosition applied,
                               const TableReader& table) const {
  proto::Query parsed;
  proto::Result result;
  absl::Status valid;
  if (Parse(query, &parsed)) {
    valid = ValidateQuery(parsed);
  } else {
    valid = absl::InvalidArgumentError(
        absl::StrCat("the request of ", query.size(), " bytes holds no query"));
  }
  if (valid.ok() && parsed.has_get_membership()) {
    history_.AnswerMembership(table, &result);
  } else if (valid.ok()) {
    const proto::GetConfiguration& get = parsed.get_configuration();
    const ConfigurationNum num(get.num());
    const GroupId member(get.member_gid());
    if (member == GroupId()) {
      history_.Answer(num, table, &result);
    } else {
      history_.AnswerMember(member, num, table, &result);
    }
  } else {
    result = kv::RefusalFor(valid);
    result.set_configuration_num(newest().num.value());
  }
  result.set_index(applied.index.value());
  result.set_stale(parsed.stale());
  return kv::Encode(result);
}

}  // namespace lockstep::controller
