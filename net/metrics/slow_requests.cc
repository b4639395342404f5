#include "net/metrics/slow_requests.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/hash.h"
#include "core/base/placement.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/wire.h"

namespace lockstep::net {
namespace {

using proto::GatewayReply;
using proto::GatewayRequest;

constexpr std::chrono::seconds kWindow{1};

// The first sub-message with this number; empty: none.
absl::string_view Find(absl::string_view message, uint32_t field) {
  wire::Reader reader(message);
  while (reader.Next()) {
    if (reader.field() == field) return reader.text();
  }
  return {};
}

// Of a write: the operations of Command and of BatchOperation name their keys alike.
template <class Message>
absl::string_view KeyOfWrite(absl::string_view message) {
  for (const uint32_t field :
       {uint32_t{Message::kPutFieldNumber}, uint32_t{Message::kAppendFieldNumber},
        uint32_t{Message::kDeleteFieldNumber}, uint32_t{Message::kCompareAndSwapFieldNumber}}) {
    const absl::string_view key = Find(Find(message, field), proto::Put::kKeyFieldNumber);
    if (!key.empty()) return key;
  }
  return {};
}

absl::string_view FirstKeyOf(absl::string_view batch) {
  return KeyOfWrite<proto::BatchOperation>(Find(batch, proto::Batch::kOperationsFieldNumber));
}

// The first key that an encoded GatewayRequest is about; empty: about none.
absl::string_view KeyOf(absl::string_view request) {
  const absl::string_view named = Find(request, GatewayRequest::kKeyFieldNumber);
  if (!named.empty()) return named;
  const absl::string_view query = Find(request, GatewayRequest::kQueryFieldNumber);
  if (!query.empty()) {
    const absl::string_view get =
        Find(Find(query, proto::Query::kGetFieldNumber), proto::Get::kKeyFieldNumber);
    return !get.empty() ? get
                        : Find(Find(query, proto::Query::kGetManyFieldNumber),
                               proto::GetMany::kKeysFieldNumber);
  }
  const absl::string_view command = Find(request, GatewayRequest::kCommandFieldNumber);
  const absl::string_view key = KeyOfWrite<proto::Command>(command);
  if (!key.empty()) return key;
  const absl::string_view batch = Find(command, proto::Command::kBatchFieldNumber);
  return FirstKeyOf(!batch.empty() ? batch : Find(request, GatewayRequest::kBulkFieldNumber));
}

LogField Number(absl::string_view name, uint64_t value) {
  return {.name = std::string(name), .value = absl::StrCat(value), .is_number = true};
}

}  // namespace

void RequestTimer::Asked(Time now, const Bytes& request) {
  if (slow_ == nullptr) return;
  waiting_ = now;
  if (asked_.has_value()) return;
  asked_ = now;
  const absl::string_view key = KeyOf(request.view());
  if (key.empty()) return;
  key_ = {.digest = StableHash(key), .shard = std::nullopt};
  if (const uint32_t shards = slow_->shards(); shards > 0) key_->shard = ShardOf(key, shards);
}

void RequestTimer::Replied(Time now, const Bytes& reply) {
  if (slow_ == nullptr || !waiting_.has_value()) return;
  inside_ += std::max(now - *waiting_, Duration(0));
  waiting_.reset();
  wire::Reader reader(reply.view());
  while (reader.Next()) {
    if (reader.field() == GatewayReply::kRouteUsFieldNumber) stages_.route += reader.number();
    if (reader.field() == GatewayReply::kHopUsFieldNumber) stages_.hop += reader.number();
    if (reader.field() != GatewayReply::kStagesFieldNumber) continue;
    wire::Reader stages(reader.text());
    while (stages.Next()) {
      const std::pair<uint32_t, uint64_t*> rows[] = {
          {proto::Stages::kQueueUsFieldNumber, &stages_.queue},
          {proto::Stages::kLogUsFieldNumber, &stages_.log},
          {proto::Stages::kReplicateUsFieldNumber, &stages_.replicate},
          {proto::Stages::kApplyUsFieldNumber, &stages_.apply},
          {proto::Stages::kBarrierUsFieldNumber, &stages_.barrier},
          {proto::Stages::kReadUsFieldNumber, &stages_.read}};
      for (const auto& [field, sum] : rows) {
        if (stages.field() == field) *sum += stages.number();
      }
    }
  }
}

SlowRequests::SlowRequests(Duration after, LogSink log) : after_(after), log_(std::move(log)) {}

bool SlowRequests::Admit(Time now, uint64_t* left_out) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (lines_ == 0 || now - window_ >= kWindow) {
    window_ = now;
    lines_ = 0;
  }
  if (lines_ == kLinesPerSecondMax) {
    ++left_out_;
    return false;
  }
  ++lines_;
  *left_out = std::exchange(left_out_, 0);
  return true;
}

void SlowRequests::Answered(absl::string_view api, absl::string_view method,
                            absl::string_view status, const RequestTimer& timer, Time now) {
  const Duration took = now - timer.began_;
  if (timer.slow_ == nullptr || took < after_) return;
  uint64_t left_out = 0;
  if (!Admit(now, &left_out)) return;
  std::vector<LogField> fields = {
      {"api", std::string(api)}, {"method", std::string(method)}, {"status", std::string(status)}};
  if (timer.key_.has_value()) {
    const std::optional<ShardId>& shard = timer.key_->shard;
    if (shard.has_value()) fields.push_back(Number("shard", shard->value()));
    fields.push_back({"key_digest", absl::StrFormat("%016x", timer.key_->digest)});
  }
  const RequestTimer::Stages& stages = timer.stages_;
  const uint64_t front = Microseconds(timer.asked_.value_or(now) - timer.began_);
  const uint64_t unanswered = timer.waiting_.has_value() ? Microseconds(now - *timer.waiting_) : 0;
  const uint64_t inside = Microseconds(timer.inside_);
  const uint64_t whole = Microseconds(took);
  const uint64_t loop = inside - std::min(inside, stages.Sum());
  const uint64_t known = front + unanswered + loop + stages.Sum();
  fields.push_back(Number("took_us", whole));
  const std::pair<absl::string_view, uint64_t> rows[] = {
      {"front_us", front},
      {"loop_us", loop},
      {"route_us", stages.route},
      {"hop_us", stages.hop},
      {"queue_us", stages.queue},
      {"log_us", stages.log},
      {"replicate_us", stages.replicate},
      {"apply_us", stages.apply},
      {"barrier_us", stages.barrier},
      {"read_us", stages.read},
      {"unanswered_us", unanswered},
      {"answer_us", whole - std::min(whole, known)}};
  for (const auto& [name, value] : rows) {
    if (value > 0) fields.push_back(Number(name, value));
  }
  if (left_out > 0) fields.push_back(Number("left_out", left_out));
  log_(LogLevel::kWarn, api, "slow request", fields);
}

}  // namespace lockstep::net
