#include "core/gateway/forwarding_message.h"

#include "core/proto/node.pb.h"
#include "core/proto/wire.h"

namespace lockstep::gateway {
namespace {

using Request = proto::ForwardedRequest;
using Reply = proto::ForwardedReply;

constexpr uint32_t kRequestField = proto::NodeMessage::kForwardedRequestFieldNumber;
constexpr uint32_t kReplyField = proto::NodeMessage::kForwardedReplyFieldNumber;

// One description serves both.
static_assert(int{Request::kLifeFieldNumber} == int{Reply::kLifeFieldNumber});
static_assert(int{Request::kIdFieldNumber} == int{Reply::kIdFieldNumber});
static_assert(int{Request::kRequestFieldNumber} == int{Reply::kReplyFieldNumber});
static_assert(int{Request::kToLifeFieldNumber} == int{Reply::kFromLifeFieldNumber});

bool ReadFields(absl::string_view text, const Bytes& whole, Forwarding* forwarding) {
  wire::Reader reader(text);
  while (reader.Next()) {
    switch (reader.field()) {
      case Request::kLifeFieldNumber:
        forwarding->life = reader.number();
        break;
      case Request::kIdFieldNumber:
        forwarding->id = reader.number();
        break;
      case Request::kToLifeFieldNumber:
        forwarding->other_life = reader.number();
        break;
      case Reply::kNotTakenFieldNumber:
        forwarding->not_taken = reader.number() != 0;
        break;
      case Request::kRequestFieldNumber:
        if (reader.text().empty()) break;
        forwarding->payload = whole.Slice(static_cast<size_t>(reader.text().data() - whole.data()),
                                          reader.text().size());
        break;
      default:
        break;
    }
  }
  return reader.ok();
}

}  // namespace

Parcel Encode(const Forwarding& forwarding) {
  const bool request = forwarding.kind == Forwarding::Kind::kRequest;
  const auto fields = [&](auto& sink) {
    sink.Message(request ? kRequestField : kReplyField, [&](auto& inner) {
      inner.Number(Request::kLifeFieldNumber, forwarding.life);
      inner.Number(Request::kIdFieldNumber, forwarding.id);
      inner.Number(Request::kToLifeFieldNumber, forwarding.other_life);
      inner.Number(Reply::kNotTakenFieldNumber, forwarding.not_taken ? 1 : 0);
      inner.Text(Request::kRequestFieldNumber, forwarding.payload.view());  // last: EncodeParcel
    });
  };
  return wire::EncodeParcel(fields, forwarding.payload);
}

std::optional<Forwarding> DecodeForwarding(const Bytes& message) {
  std::optional<Forwarding> forwarding;
  wire::Reader reader(message.view());
  while (reader.Next()) {
    if (reader.field() != kRequestField && reader.field() != kReplyField) return std::nullopt;
    forwarding.emplace();
    forwarding->kind =
        reader.field() == kRequestField ? Forwarding::Kind::kRequest : Forwarding::Kind::kReply;
    if (!ReadFields(reader.text(), message, &*forwarding)) return std::nullopt;
  }
  return reader.ok() ? forwarding : std::nullopt;
}

}  // namespace lockstep::gateway
