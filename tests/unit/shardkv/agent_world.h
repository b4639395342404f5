// Agents, groups and a real controller over a network that loses, repeats and delays.
#ifndef LOCKSTEP_TESTS_UNIT_SHARDKV_AGENT_WORLD_H_
#define LOCKSTEP_TESTS_UNIT_SHARDKV_AGENT_WORLD_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/shardkv/agent.h"
#include "tests/unit/controller/replica.h"
#include "tests/unit/shardkv/group.h"

namespace lockstep::shardkv {

inline constexpr uint64_t kGroups = 4;

inline proto::Query AllShards() {
  proto::Query query;
  query.mutable_get_shards();
  return query;
}

// A group of one replica: its leader is the node 10 * gid + 1 until it moves, the others of its
// members are dead.
struct Host {
  Host(uint64_t gid, const ShardOptions& options, const AgentOptions& agent_options, uint64_t rate)
      : group(gid, options), pace(rate), agent(agent_options, GroupId(gid), Rng(gid), pace) {}
  NodeId leader() const { return NodeId(10 * group.gid() + place); }
  void Lead(Instant now) { agent.Lead(now, group.Read(AllShards()).shards()); }

  Group group;
  Pace pace;
  Agent agent;
  bool cut_off = false;  // from the other groups
  uint64_t place = 1;    // the leader's, in the group
};

class World {
 public:
  World(uint64_t seed, const AgentOptions& agent_options, Ratio loss = {0, 1},
        uint64_t bytes_per_second_max = 0)
      : rng_(seed), loss_(loss), admin_(controller_) {
    ShardOptions options;
    options.sweep_records_max = 3;
    for (uint64_t gid = 1; gid <= kGroups; ++gid) {
      hosts_.push_back(std::make_unique<Host>(gid, options, agent_options, bytes_per_second_max));
      hosts_.back()->Lead(now_);
    }
  }

  Host& host(uint64_t gid) { return *hosts_[gid - 1]; }
  Instant now() const { return now_; }
  controller::Configuration newest() const { return controller_.Get(); }
  proto::Result Administer(const proto::Command& command) { return admin_.Do(command); }
  // All members of the group are others from now on, and the controller knows.
  void Relocate(uint64_t gid, uint64_t membership, uint64_t joined = 0) {
    host(gid).place += 3;
    proto::SetMembers set;
    set.set_gid(gid);
    set.set_joined(joined != 0 ? joined : newest().Find(GroupId(gid))->joined.value());
    set.set_membership(membership);
    for (uint64_t i = 0; i < 3; ++i) set.add_nodes(10 * gid + host(gid).place + i);
    EXPECT_EQ(controller_.Apply(controller::MakeSetMembers(set)).code(), proto::OK);
  }

  void RunFor(Duration span) {
    const Instant until = now_ + span;
    while (true) {
      Instant next = mail_.empty() ? kNever : mail_.begin()->first;
      for (const auto& host : hosts_) next = std::min(next, host->agent.wake_at());
      if (next > until) break;
      now_ = std::max(now_, next);
      Deliver();
      for (const auto& host : hosts_) Act(*host);
    }
    now_ = until;
  }

  // Appends to the shard's key at whoever serves it. False: nobody does.
  bool Append(uint32_t shard) {
    for (const auto& host : hosts_) {
      std::optional<Session>& session = sessions_[shard];
      if (host->group.Get(KeyOf(shard)).code() != proto::OK) continue;
      if (!session.has_value()) session.emplace(host->group, shard);
      const std::string text = absl::StrCat(twin_[shard].size(), ",");
      EXPECT_EQ(session->Do(host->group, kv::MakeAppend(KeyOf(shard), text)).code(), proto::OK);
      twin_[shard] += text;
      return true;
    }
    return false;
  }

  // Whether all groups have come to the newest configuration, and all shards to their owners.
  bool Settled() {
    const controller::Configuration configuration = newest();
    size_t tenures = 0;
    for (const auto& host : hosts_) {
      const bool member = configuration.Find(GroupId(host->group.gid())) != nullptr;
      if (member && host->group.machine().num() != configuration.num.value()) return false;
      tenures += host->group.machine().tenures().size();
      for (const auto& [id, tenure] : host->group.machine().tenures()) {
        if (tenure.state != proto::SHARD_SERVING) return false;
        if (configuration.owners[id.shard] != GroupId(host->group.gid())) return false;
      }
    }
    return tenures == kShards;
  }

  void CheckContents() {
    for (const auto& [shard, text] : twin_) {
      const uint64_t owner = newest().owners[shard].value();
      EXPECT_EQ(host(owner).group.Get(KeyOf(shard)).value(), text) << "shard " << shard;
    }
    for (const auto& host : hosts_) {
      if (!host->group.machine().tenures().empty()) continue;
      EXPECT_EQ(host->group.Records(), 0u) << "group " << host->group.gid();
    }
  }

  uint64_t messages = 0;
  uint64_t installs = 0;

 private:
  struct Mail {
    uint64_t to_group;
    NodeId to;
    proto::ShardMessage message;
    std::optional<AgentOutput::Proposal> proposal;  // of to_group itself
  };

  void Post(Mail mail, bool may_be_lost) {
    const bool repeated = may_be_lost && rng_.Chance({1, 10});
    if (may_be_lost && rng_.Chance(loss_)) {
      // A group loses proposals when its leader changes; then its agent is told.
      if (mail.proposal) host(mail.to_group).agent.OnLost(now_, mail.proposal->number);
      return;
    }
    const Duration way = rng_.Between(Duration(std::chrono::milliseconds(1)),
                                      Duration(std::chrono::milliseconds(20)));
    if (repeated) mail_.emplace(now_ + 3 * way, mail);
    mail_.emplace(now_ + way, std::move(mail));
  }

  void Act(Host& host) {
    AgentOutput out;
    host.agent.Act(now_, &out);
    for (const AgentOutput::Proposal& proposal : out.proposals) {
      installs += proposal.command.has_install_chunk();
      Post({host.group.gid(), host.leader(), {}, proposal}, /*may_be_lost=*/true);
    }
    for (const auto& [to, message] : out.messages) {
      ++messages;
      if (host.cut_off || this->host(message.to_group()).cut_off) continue;
      Post({message.to_group(), to, message, {}}, /*may_be_lost=*/true);
    }
    for (const proto::GetConfiguration& get : out.configurations) {
      proto::Query query;
      *query.mutable_get_configuration() = get;
      const proto::Result result = controller_.Query(query);
      if (rng_.Chance(loss_)) continue;
      if (get.num() == 0 && get.member_gid() == 0) {
        host.agent.OnNewest(result.configuration());
      } else if (result.code() == proto::OK) {
        host.agent.OnConfiguration(now_, result.configuration());
      } else {
        host.agent.OnNoConfiguration(now_, result.configuration_num());
      }
    }
  }

  void Deliver() {
    while (!mail_.empty() && mail_.begin()->first <= now_) {
      const Mail mail = std::move(mail_.begin()->second);
      mail_.erase(mail_.begin());
      Host& target = host(mail.to_group);
      if (mail.proposal.has_value()) {
        Apply(target, *mail.proposal);
      } else if (mail.message.has_read_answer() || mail.message.has_drop_answer()) {
        target.agent.OnAnswer(now_, mail.message);
      } else {
        Answer(target, mail);
      }
    }
  }

  void Apply(Host& host, const AgentOutput::Proposal& proposal) {
    const proto::Result result = host.group.Internal(proposal.command);
    if (result.has_shards()) host.agent.OnChanged(now_, result.shards());
    if (result.code() != proto::OK) host.agent.OnLost(now_, proposal.number);
  }

  // Dead members say nothing.
  void Answer(Host& source, const Mail& mail) {
    if (mail.to != source.leader()) return;
    proto::ShardMessage answer = mail.message;
    answer.set_to_group(mail.message.from_group());
    answer.set_from_group(mail.message.to_group());
    if (mail.message.has_read()) {
      proto::Query query;
      *query.mutable_read_tenure() = mail.message.read();
      const proto::Result result = source.group.Read(query);
      proto::ReadAnswer& read = *answer.mutable_read_answer();
      read.set_gone(result.code() == proto::NOT_FOUND);
      if (result.code() == proto::OK) *read.mutable_part() = result.part();
    } else {
      proto::Command command;
      *command.mutable_drop_shard() = mail.message.drop();
      const proto::Result result = source.group.Internal(command);
      if (result.has_shards()) source.agent.OnChanged(now_, result.shards());
      answer.mutable_drop_answer()->set_done(result.code() == proto::OK);
    }
    Post({answer.to_group(), host(answer.to_group()).leader(), answer, {}}, /*may_be_lost=*/true);
  }

  Rng rng_;
  const Ratio loss_;
  Instant now_ = Instant(std::chrono::seconds(1));
  controller::Replica controller_;
  controller::Admin admin_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::multimap<Instant, Mail> mail_;
  std::map<uint32_t, std::optional<Session>> sessions_;
  std::map<uint32_t, std::string> twin_;
};

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_TESTS_UNIT_SHARDKV_AGENT_WORLD_H_
