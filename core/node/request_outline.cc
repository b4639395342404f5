#include "core/node/request_outline.h"

#include <optional>

#include "absl/strings/string_view.h"
#include "core/proto/wire.h"

namespace lockstep::node {
namespace {

using proto::ClientRequest;
using proto::Command;

// A field that comes twice, or as something else, is unusual: what it means is for the parser to
// say.
bool TakeNumber(const wire::Reader& reader, std::optional<uint64_t>* field) {
  if (field->has_value() || !reader.is_number()) return false;
  *field = reader.number();
  return true;
}

bool TakeText(const wire::Reader& reader, std::optional<absl::string_view>* field) {
  if (field->has_value() || !reader.is_text()) return false;
  *field = reader.text();
  return true;
}

// Append has the same fields.
struct Write {
  std::optional<absl::string_view> key;
  std::optional<absl::string_view> value;
};

bool ReadWrite(absl::string_view text, Write* write) {
  wire::Reader reader(text);
  bool usual = true;
  while (usual && reader.Next()) {
    switch (reader.field()) {
      case proto::Put::kKeyFieldNumber:
        usual = TakeText(reader, &write->key);
        break;
      case proto::Put::kValueFieldNumber:
        usual = TakeText(reader, &write->value);
        break;
      default:
        return false;
    }
  }
  return usual && reader.ok();
}

template <class Operation>
void SetKey(const Write& write, Operation* operation) {
  const absl::string_view key = write.key.value_or("");
  operation->mutable_key()->assign(key.data(), key.size());
}

bool ReadCommand(absl::string_view text, Command* command, uint64_t* value_bytes) {
  wire::Reader reader(text);
  std::optional<uint64_t> session, sequence, first_outstanding, shard;
  std::optional<absl::string_view> operation;
  uint32_t kind = 0;
  bool usual = true;
  while (usual && reader.Next()) {
    switch (reader.field()) {
      case Command::kSessionFieldNumber:
        usual = TakeNumber(reader, &session);
        break;
      case Command::kSequenceFieldNumber:
        usual = TakeNumber(reader, &sequence);
        break;
      case Command::kFirstOutstandingFieldNumber:
        usual = TakeNumber(reader, &first_outstanding);
        break;
      case Command::kShardFieldNumber:
        usual = TakeNumber(reader, &shard);
        break;
      case Command::kPutFieldNumber:
      case Command::kAppendFieldNumber:
        usual = TakeText(reader, &operation);
        kind = reader.field();
        break;
      default:
        return false;
    }
  }
  Write write;
  if (!usual || !reader.ok() || !operation.has_value() || !ReadWrite(*operation, &write)) {
    return false;
  }
  command->set_session(session.value_or(0));
  command->set_sequence(sequence.value_or(0));
  command->set_first_outstanding(first_outstanding.value_or(0));
  command->set_shard(static_cast<uint32_t>(shard.value_or(0)));
  kind == Command::kPutFieldNumber ? SetKey(write, command->mutable_put())
                                   : SetKey(write, command->mutable_append());
  *value_bytes = write.value.value_or("").size();
  return true;
}

}  // namespace

bool ReadOutline(const Bytes& bytes, ClientRequest* request, uint64_t* value_bytes) {
  request->Clear();
  wire::Reader reader(bytes.view());
  std::optional<uint64_t> group;
  std::optional<absl::string_view> command;
  bool usual = true;
  while (usual && reader.Next()) {
    switch (reader.field()) {
      case ClientRequest::kGroupFieldNumber:
        usual = TakeNumber(reader, &group);
        break;
      case ClientRequest::kCommandFieldNumber:
        usual = TakeText(reader, &command);
        break;
      default:
        return false;
    }
  }
  if (!usual || !reader.ok() || !command.has_value()) return false;
  request->set_group(group.value_or(0));
  return ReadCommand(*command, request->mutable_command(), value_bytes);
}

}  // namespace lockstep::node
