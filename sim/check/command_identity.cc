#include "sim/check/command_identity.h"

#include <limits>

#include "core/proto/client.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace lockstep::sim {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr uint32_t VarintTag(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT);
}

constexpr uint32_t MessageTag(int field) {
  return WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
}

constexpr uint32_t kCommandTag = MessageTag(proto::ClientRequest::kCommandFieldNumber);

// Reads the fields of a Command, to the end of the input.
CommandIdentity ReadIdentity(CodedInputStream& input) {
  CommandIdentity identity;
  for (uint32_t tag = input.ReadTag(); tag != 0; tag = input.ReadTag()) {
    uint64_t number = 0;
    bool good = false;
    if (tag == VarintTag(proto::Command::kSessionFieldNumber)) {
      good = input.ReadVarint64(&number);
      identity.session = SessionId(number);
    } else if (tag == VarintTag(proto::Command::kSequenceFieldNumber)) {
      good = input.ReadVarint64(&identity.sequence);
    } else if (tag == VarintTag(proto::Command::kFirstOutstandingFieldNumber)) {
      good = input.ReadVarint64(&identity.first_outstanding);
    } else if (tag == VarintTag(proto::Command::kShardFieldNumber)) {
      good = input.ReadVarint32(&identity.shard);
    } else {
      identity.registers |= tag == MessageTag(proto::Command::kRegisterSessionFieldNumber);
      identity.closes |= tag == MessageTag(proto::Command::kCloseSessionFieldNumber);
      good = WireFormatLite::SkipField(&input, tag);
    }
    if (!good) return {};
  }
  return identity;
}

bool TooLong(const Bytes& bytes) {
  return bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max());
}

CodedInputStream InputOf(const Bytes& bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

}  // namespace

CommandIdentity IdentifyCommand(const Entry& entry) {
  if (entry.kind != EntryKind::kCommand || TooLong(entry.data)) return {};
  CodedInputStream input = InputOf(entry.data);
  return ReadIdentity(input);
}

CommandIdentity IdentifyRequest(const Bytes& request) {
  if (TooLong(request)) return {};
  CodedInputStream input = InputOf(request);
  for (uint32_t tag = input.ReadTag(); tag != 0; tag = input.ReadTag()) {
    if (tag != kCommandTag) {
      if (!WireFormatLite::SkipField(&input, tag)) return {};
      continue;
    }
    uint32_t size = 0;
    if (!input.ReadVarint32(&size)) return {};
    input.PushLimit(static_cast<int>(size));
    return ReadIdentity(input);
  }
  return {};
}

}  // namespace lockstep::sim
