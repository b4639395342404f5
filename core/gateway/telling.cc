// This node's own status: what its replicas say, what their tables say of shards, and what the
// surroundings add.
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/gateway/gateway.h"
#include "core/gateway/outcome.h"
#include "core/proto/wire.h"
#include "core/shardkv/command.h"

namespace lockstep::gateway {
namespace {

std::string NameOf(proto::ShardState state) {
  constexpr absl::string_view kPrefix = "SHARD_";
  const std::string& name = proto::ShardState_Name(state);
  return name.substr(kPrefix.size());
}

void Describe(const proto::ShardStates& states, lockstep::v1::ReplicaStatus* replica) {
  replica->set_configuration_num(states.num());
  uint64_t keys = 0;
  uint64_t bytes = 0;
  uint64_t sessions = 0;
  for (const proto::ShardTenure& tenure : states.tenures()) {
    lockstep::v1::ShardStatus& shard = *replica->add_shards();
    shard.set_shard(tenure.shard());
    shard.set_state(NameOf(tenure.state()));
    shard.set_keys(tenure.summary().keys());
    shard.set_bytes(tenure.summary().bytes());
    shard.set_since(tenure.since());
    keys += tenure.summary().keys();
    bytes += tenure.summary().bytes();
    sessions += tenure.sessions();
  }
  replica->set_keys(keys);
  replica->set_value_bytes(bytes);
  replica->set_sessions(sessions);
}

Bytes ShardsQuestion(GroupId group) {
  proto::ClientRequest request;
  request.set_group(group.value());
  request.mutable_query()->mutable_get_shards();
  request.mutable_query()->set_stale(true);
  return Encode(request);
}

}  // namespace

std::optional<bool> StatusQuestion(absl::string_view request) {
  wire::Reader reader(request);
  constexpr uint32_t kQuestion = proto::ClientRequest::kGetNodeStatusFieldNumber;
  if (!reader.Next() || reader.field() != kQuestion) return std::nullopt;
  proto::ClientRequest parsed;
  if (!parsed.ParseFromArray(request.data(), static_cast<int>(request.size()))) return std::nullopt;
  return parsed.get_node_status().shards();
}

void Gateway::BeginTelling(Teller to, bool shards) {
  last_telling_ = last_telling_.Next();
  const TellingId id = last_telling_;
  const Instant deadline = Now() + options_.status_patience / 2;
  tellings_.emplace(id, Telling{.to = to, .deadline = deadline, .status = {}, .shards = shards});
  proto::ClientRequest question;
  question.mutable_get_node_status();
  AskSelf(Encode(question), PartOfTelling{.telling = id, .group = {}, .shards = false});
}

// The replicas' own answer comes first: it needs no disk, and says whom to ask for more.
void Gateway::OnTold(const PartOfTelling& part, const Bytes& reply) {
  const auto found = tellings_.find(part.telling);
  if (found == tellings_.end()) return;
  Telling& telling = found->second;
  proto::ClientReply parsed;
  const bool readable = parsed.ParseFromArray(reply.data(), static_cast<int>(reply.size()));
  if (readable && !part.shards) {
    telling.status = std::move(*parsed.mutable_node_status());
    if (telling.shards) AskForShards(part.telling, telling);
  }
  if (readable && part.shards) {
    for (lockstep::v1::ReplicaStatus& replica : *telling.status.mutable_replicas()) {
      if (replica.group() != part.group.value()) continue;
      Describe(parsed.result().shards(), &replica);
    }
  }
  --telling.missing;
  if (telling.missing == 0) FinishTelling(part.telling);
}

void Gateway::AskForShards(TellingId id, Telling& telling) {
  for (const lockstep::v1::ReplicaStatus& replica : telling.status.replicas()) {
    const GroupId group(replica.group());
    if (group == kControllerGroup) continue;
    ++telling.missing;
    AskSelf(ShardsQuestion(group), PartOfTelling{.telling = id, .group = group, .shards = true});
  }
}

// A node whose disk hangs is not offline: it says what it knows.
void Gateway::FireTellings() {
  std::vector<TellingId> due;
  for (const auto& [id, telling] : tellings_) {
    if (telling.deadline <= Now()) due.push_back(id);
  }
  for (const TellingId id : due) FinishTelling(id);
}

void Gateway::FinishTelling(TellingId id) {
  const auto found = tellings_.find(id);
  Check(found != tellings_.end());
  Telling telling = std::move(found->second);
  tellings_.erase(found);
  surroundings_.Describe(&telling.status);
  telling.status.mutable_counters()->set_requests_failed(calls_failed_);
  proto::ClientReply reply;
  reply.mutable_result()->set_code(proto::OK);
  *reply.mutable_node_status() = std::move(telling.status);
  const Bytes bytes = Encode(reply);
  if (const auto* asker = std::get_if<Asker>(&telling.to)) return SendReply(*asker, bytes);
  if (const auto* caller = std::get_if<RequestId>(&telling.to)) {
    return host_.replies.Reply(*caller, bytes);
  }
  OnNodeStatus(std::get<PartOfInquiry>(telling.to), bytes);
}

}  // namespace lockstep::gateway
