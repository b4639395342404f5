#include "net/rpc/direct_series.h"

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/proto/client.pb.h"
#include "core/proto/wire.h"

namespace lockstep::net {
namespace {

using google::protobuf::Descriptor;
using proto::ClientRequest;

// The operations by their names, "Unknown" first, and where in the table those of a message are.
class Operations {
 public:
  Operations() {
    AddAll(*ClientRequest::descriptor(), &bodies_);
    AddAll(*proto::Command::descriptor(), &commands_);
    AddAll(*proto::Query::descriptor(), &queries_);
    CheckLe(names_.size(), DirectSeries::kOperationsMax);
  }

  size_t Of(absl::string_view request) const {
    wire::Reader reader(request);
    size_t found = 0;
    while (reader.Next()) {
      const uint32_t field = reader.field();
      const size_t body = At(bodies_, field);
      if (body == 0) continue;
      found = body;
      if (field == ClientRequest::kCommandFieldNumber) found = OneOf(commands_, reader.text());
      if (field == ClientRequest::kQueryFieldNumber) found = OneOf(queries_, reader.text());
    }
    return found;
  }

  const std::string& name(size_t operation) const { return names_.at(operation); }

 private:
  // By field number, for the fields of the message's one oneof; 0: another field.
  using Places = std::vector<size_t>;

  void AddAll(const Descriptor& message, Places* places) {
    for (int i = 0; i < message.field_count(); ++i) {
      const auto& field = *message.field(i);
      if (field.real_containing_oneof() == nullptr) continue;
      const auto number = static_cast<size_t>(field.number());
      if (places->size() <= number) places->resize(number + 1, 0);
      (*places)[number] = names_.size();
      names_.push_back(field.message_type()->name());
    }
  }
  static size_t At(const Places& places, uint32_t field) {
    return field < places.size() ? places[field] : 0;
  }
  static size_t OneOf(const Places& places, absl::string_view message) {
    wire::Reader reader(message);
    size_t found = 0;
    while (reader.Next()) {
      const size_t place = At(places, reader.field());
      if (place != 0) found = place;
    }
    return found;
  }

  std::vector<std::string> names_ = {"Unknown"};
  Places bodies_;
  Places commands_;
  Places queries_;
};

const Operations& TheOperations() {
  static const Operations* const operations = new Operations;
  return *operations;
}

const std::string& StatusOf(absl::string_view reply) {
  wire::Reader outer(reply);
  uint64_t code = proto::CODE_UNSPECIFIED;
  while (outer.Next()) {
    if (outer.field() != proto::ClientReply::kResultFieldNumber) continue;
    wire::Reader inner(outer.text());
    while (inner.Next()) {
      if (inner.field() == proto::Result::kCodeFieldNumber) code = inner.number();
    }
  }
  const bool known = code <= uint64_t{proto::Code_MAX};
  return proto::Code_Name(known ? static_cast<proto::Code>(code) : proto::CODE_UNSPECIFIED);
}

}  // namespace

DirectSeries::Call DirectSeries::Begin(absl::string_view request,
                                       std::chrono::steady_clock::time_point now) {
  return {.operation = TheOperations().Of(request), .began = now};
}

void DirectSeries::Answered(const Call& call, absl::string_view reply,
                            std::chrono::steady_clock::time_point now) {
  std::atomic<CallSeries*>& place = series_.at(call.operation);
  CallSeries* series = place.load(std::memory_order_acquire);
  if (series == nullptr) {
    series = &metrics_.Calls("direct", TheOperations().name(call.operation));
    place.store(series, std::memory_order_release);
  }
  series->Answered(StatusOf(reply), now - call.began);
}

}  // namespace lockstep::net
