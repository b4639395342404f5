#include "core/node/shard_duty.h"

#include <algorithm>
#include <utility>

#include "core/shardkv/command.h"

namespace lockstep::node {
namespace {

// Questions of other groups that are being answered at a time. Beyond: silence, and they ask again.
constexpr size_t kAskedMax = 64;
// However much somebody asks for at a time.
constexpr uint32_t kPartBytesMax = 1 << 20;

bool IsSameDrop(const proto::ShardMessage& a, const proto::ShardMessage& b) {
  return a.has_drop() && b.has_drop() && a.from_group() == b.from_group() &&
         a.shard() == b.shard() && a.since() == b.since();
}

proto::ShardMessage AnswerTo(const proto::ShardMessage& asked) {
  proto::ShardMessage answer;
  answer.set_to_group(asked.from_group());
  answer.set_from_group(asked.to_group());
  answer.set_shard(asked.shard());
  answer.set_since(asked.since());
  answer.set_sequence(asked.sequence());
  return answer;
}

}  // namespace

ShardDuty::ShardDuty(const NodeOptions& options, GroupId group, Rng rng, Courier& courier,
                     Pace& bulk)
    : group_(group),
      courier_(courier),
      agent_(options.agent, group, rng, bulk),
      controllers_(options.controllers) {}

RequestId ShardDuty::NextCall() {
  last_call_ = last_call_.Next();
  return last_call_;
}

void ShardDuty::Send(NodeId to, proto::ShardMessage message) {
  proto::NodeMessage outer;
  *outer.mutable_shard() = std::move(message);
  courier_.Send(to, std::move(outer));
}

// --- What others say

void ShardDuty::OnMessage(Instant now, NodeId from, const proto::NodeMessage& message,
                          const Standing& standing) {
  if (message.has_configuration_answer()) {
    return OnConfigurationAnswer(now, message.configuration_answer());
  }
  const proto::ShardMessage& shard = message.shard();
  switch (shard.body_case()) {
    case proto::ShardMessage::kRead:
      return OnRead(from, shard);
    case proto::ShardMessage::kDrop:
      return OnDrop(from, shard, standing);
    case proto::ShardMessage::kReadAnswer:
    case proto::ShardMessage::kDropAnswer:
      return agent_.OnAnswer(now, shard);
    case proto::ShardMessage::BODY_NOT_SET:
      return;
  }
}

void ShardDuty::OnConfigurationAnswer(Instant now, const proto::ConfigurationAnswer& answer) {
  controllers_.Learn(answer.controllers());
  if (!answer.has_configuration()) return agent_.OnNoConfiguration(now, answer.through());
  controllers_.Answered();
  controllers_.Learn(answer.configuration().controllers());
  answer.newest() ? agent_.OnNewest(answer.configuration())
                  : agent_.OnConfiguration(now, answer.configuration());
}

void ShardDuty::OnRead(NodeId from, const proto::ShardMessage& message) {
  if (asked_.size() >= kAskedMax) return;
  const RequestId call = NextCall();
  proto::ReadTenure& read =
      *calls_.queries.emplace_back(call, proto::Query()).second.mutable_read_tenure();
  read = message.read();
  read.set_bytes_max(std::min(read.bytes_max(), kPartBytesMax));
  asked_.emplace(call, Asked{.from = from, .message = message});
}

// Only the leader can write into the log that the tenure is not needed any more.
void ShardDuty::OnDrop(NodeId from, const proto::ShardMessage& message, const Standing& standing) {
  if (!standing.leads) return LookWhetherDropped(from, message, standing.leader);
  if (IsOver(message.drop())) {  // Said again, or late: an entry would tell nobody anything.
    proto::ShardMessage answer = AnswerTo(message);
    answer.mutable_drop_answer()->set_done(true);
    return Send(from, std::move(answer));
  }
  const bool again = std::any_of(asked_.begin(), asked_.end(), [&](const auto& one) {
    return IsSameDrop(one.second.message, message);
  });
  if (again || asked_.size() >= kAskedMax) return;
  const RequestId call = NextCall();
  *calls_.proposals.emplace_back(call, proto::Command()).second.mutable_drop_shard() =
      message.drop();
  asked_.emplace(call, Asked{.from = from, .message = message});
}

// That it was, every replica knows that has come so far, also one that has left the group: whoever
// asks again may not find the leader any more.
void ShardDuty::LookWhetherDropped(NodeId from, const proto::ShardMessage& message, NodeId leader) {
  if (asked_.size() >= kAskedMax) return;
  const RequestId call = NextCall();
  proto::ReadTenure& read =
      *calls_.queries.emplace_back(call, proto::Query()).second.mutable_read_tenure();
  read.set_shard(message.drop().shard());
  read.set_ended(message.drop().ended());
  read.set_resume("\xff");  // behind all records
  asked_.emplace(call, Asked{.from = from, .message = message, .follows = true, .leader = leader});
}

// --- What has become of our calls

void ShardDuty::OnResult(Instant now, RequestId call, const proto::Result& result) {
  if (call == beginning_) {
    beginning_ = RequestId();
    serving_.clear();
    owed_.clear();
    num_ = 0;
    Learn(result.shards());
    agent_.Lead(now, result.shards());
    return;
  }
  const auto proposed = proposed_.find(call);
  if (proposed != proposed_.end()) {
    // What it has changed, OnApplied has told.
    if (result.code() != proto::OK) agent_.OnRefused(now, proposed->second);
    proposed_.erase(proposed);
    return;
  }
  const auto found = asked_.find(call);
  if (found == asked_.end()) return;
  const Asked asked = std::move(found->second);
  asked_.erase(found);
  Answer(asked, result);
}

void ShardDuty::Answer(const Asked& asked, const proto::Result& result) {
  proto::ShardMessage answer = AnswerTo(asked.message);
  if (asked.message.has_read()) {
    proto::ReadAnswer& read = *answer.mutable_read_answer();
    read.set_gone(result.code() == proto::NOT_FOUND);
    if (result.has_part()) *read.mutable_part() = result.part();
  } else {
    const bool done = result.code() == (asked.follows ? proto::NOT_FOUND : proto::OK);
    answer.mutable_drop_answer()->set_done(done);
    if (!done) answer.mutable_drop_answer()->set_leader(asked.leader.value());
  }
  Send(asked.from, std::move(answer));
}

void ShardDuty::OnLost(Instant now, RequestId call) {
  const auto proposed = proposed_.find(call);
  if (proposed != proposed_.end()) {
    agent_.OnLost(now, proposed->second);
    proposed_.erase(proposed);
    return;
  }
  if (call == beginning_) beginning_ = RequestId();
  asked_.erase(call);  // They ask again.
}

void ShardDuty::OnApplied(Instant now, const proto::Result& result) {
  if (!result.has_shards()) return;
  Learn(result.shards());
  agent_.OnChanged(now, result.shards());
}

void ShardDuty::Learn(const proto::ShardStates& states) {
  num_ = std::max(num_, states.num());
  controllers_.Learn(states.controllers());
  for (const proto::ShardTenure& tenure : states.tenures()) {
    const shardkv::TenureId id{tenure.shard(), tenure.since()};
    const bool serves =
        tenure.state() == proto::SHARD_SERVING || tenure.state() == proto::SHARD_SERVING_GC;
    serves ? static_cast<void>(serving_.insert(id)) : static_cast<void>(serving_.erase(id));
    if (tenure.until() == 0) continue;
    const std::pair end(tenure.shard(), tenure.until());
    const bool owed =
        tenure.state() == proto::SHARD_FROZEN || tenure.state() == proto::SHARD_PULLING;
    owed ? static_cast<void>(owed_[end] = tenure.joined()) : static_cast<void>(owed_.erase(end));
  }
}

// Nothing is left to be dropped: it was, as far as the leader's table tells.
bool ShardDuty::IsOver(const proto::DropShard& drop) const {
  return agent_.leads() && drop.ended() <= num_ && !owed_.contains({drop.shard(), drop.ended()});
}

std::optional<proto::Result> ShardDuty::RefuseEarly(const proto::Command& command) const {
  if (!agent_.leads()) return std::nullopt;
  const auto served = serving_.lower_bound({command.shard(), 0});
  if (served != serving_.end() && served->shard == command.shard()) return std::nullopt;
  proto::Result result;
  shardkv::RefuseShard(command.shard(), num_, /*arrives=*/false, &result);
  return result;
}

// Changes may have passed the agent by.
void ShardDuty::OnTableReplaced() {
  agent_.Rest();
  beginning_ = RequestId();
}

// --- What is due

void ShardDuty::Act(Instant now, const Standing& standing, DutyCalls* calls) {
  if (!standing.caught_up) {
    if (agent_.leads()) agent_.Rest();
    beginning_ = RequestId();
  } else if (!agent_.leads() && beginning_ == RequestId()) {
    beginning_ = NextCall();
    calls_.queries.emplace_back(beginning_, proto::Query()).second.mutable_get_shards();
  }
  shardkv::AgentOutput out;
  agent_.Act(now, &out);
  for (shardkv::AgentOutput::Proposal& proposal : out.proposals) {
    const RequestId call = NextCall();
    proposed_.emplace(call, proposal.number);
    calls_.proposals.emplace_back(call, std::move(proposal.command));
  }
  for (auto& [to, message] : out.messages) Send(to, std::move(message));
  for (const proto::GetConfiguration& get : out.configurations) AskController(get, standing);
  std::swap(*calls, calls_);
}

void ShardDuty::AskController(const proto::GetConfiguration& get, const Standing& standing) {
  const NodeId controller = controllers_.Next();
  if (controller == NodeId()) return;
  proto::NodeMessage message;
  proto::ConfigurationRequest& request = *message.mutable_configuration_request();
  request.set_from_group(group_.value());
  *request.mutable_get() = get;
  if (standing.members != nullptr) SayAll(*standing.members, &request);
  courier_.Send(controller, std::move(message));
}

// As what it is, or was last, for somebody may not have heard yet that a shard has arrived; and as
// what it was before that, to those who still fetch from it: each is another group.
void ShardDuty::SayAll(const raft::GroupConfiguration& members,
                       proto::ConfigurationRequest* request) const {
  absl::btree_set<uint64_t> lives;
  if (agent_.joined() != 0) lives.insert(agent_.joined());  // 0: it never was a member
  for (const auto& [end, joined] : owed_) lives.insert(joined);
  for (const uint64_t joined : lives) {
    *request->add_members() = SayMembers(group_.value(), joined, members);
  }
}

}  // namespace lockstep::node
