// Agents, groups and a real controller over a network that loses, repeats and delays: after the
// last change every shard arrives where it belongs, with all that was written, and nothing is left
// behind.
#include "core/shardkv/agent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "tests/unit/controller/replica.h"
#include "tests/unit/shardkv/group.h"

namespace lockstep::shardkv {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kGroups = 4;

proto::Query AllShards() {
  proto::Query query;
  query.mutable_get_shards();
  return query;
}

// A group of one replica: its leader is the node 10 * gid + 1 until it moves, the others of its
// members are dead.
struct Host {
  explicit Host(uint64_t gid, const ShardOptions& options, const AgentOptions& agent_options)
      : group(gid, options), agent(agent_options, GroupId(gid), Rng(gid)) {}
  NodeId leader() const { return NodeId(10 * group.gid() + place); }
  void Lead(Instant now) { agent.Lead(now, group.Read(AllShards()).shards()); }

  Group group;
  Agent agent;
  bool cut_off = false;  // from the other groups
  uint64_t place = 1;    // the leader's, in the group
};

class World {
 public:
  World(uint64_t seed, const AgentOptions& agent_options, Ratio loss = {0, 1})
      : rng_(seed), loss_(loss), admin_(controller_) {
    ShardOptions options;
    options.sweep_records_max = 3;
    for (uint64_t gid = 1; gid <= kGroups; ++gid) {
      hosts_.push_back(std::make_unique<Host>(gid, options, agent_options));
      hosts_.back()->Lead(now_);
    }
  }

  Host& host(uint64_t gid) { return *hosts_[gid - 1]; }
  Instant now() const { return now_; }
  controller::Configuration newest() const { return controller_.Get(); }
  proto::Result Administer(const proto::Command& command) { return admin_.Do(command); }
  // All members of the group are others from now on, and the controller knows.
  void Relocate(uint64_t gid, uint64_t membership) {
    host(gid).place += 3;
    proto::SetMembers set;
    set.set_gid(gid);
    set.set_joined(newest().Find(GroupId(gid))->joined.value());
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
    const Duration way = rng_.Between(Duration(milliseconds(1)), Duration(milliseconds(20)));
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

TEST(Agent, ShardsGoWhereTheControllerSaysAndNothingIsLeft) {
  World world(1, {});
  world.Administer(controller::JoinOf({1, 2}, kShards));
  world.RunFor(milliseconds(1000));
  ASSERT_TRUE(world.Settled());
  for (uint32_t shard = 0; shard < kShards; ++shard) EXPECT_TRUE(world.Append(shard));
  world.Administer(controller::JoinOf({3}));
  world.Administer(controller::LeaveOf({1}));
  world.Administer(controller::MakeMove(ShardId(0), GroupId(3)));
  world.RunFor(milliseconds(5000));
  ASSERT_TRUE(world.Settled());
  world.CheckContents();
  for (uint32_t shard = 0; shard < kShards; ++shard) EXPECT_TRUE(world.Append(shard));
}

TEST(Agent, AnIdleGroupWritesNothing) {
  World world(1, {});
  world.Administer(controller::JoinOf({1, 2}, kShards));
  world.RunFor(milliseconds(2000));
  ASSERT_TRUE(world.Settled());
  const Index before = world.host(1).group.index();
  const uint64_t messages = world.messages;
  world.RunFor(std::chrono::minutes(5));
  EXPECT_EQ(world.host(1).group.index(), before);
  EXPECT_EQ(world.messages, messages);
}

// Group 2 has everything that group 1 must give, and is out of reach.
TEST(Agent, ADeadSourceStallsItsOwnShardsOnly) {
  World world(1, {});
  world.Administer(controller::JoinOf({1, 2}, kShards));
  world.RunFor(milliseconds(2000));
  for (uint32_t shard = 0; shard < kShards; ++shard) world.Append(shard);
  world.host(2).cut_off = true;
  world.Administer(controller::JoinOf({3}));
  world.Administer(controller::LeaveOf({1, 2}));
  const uint64_t messages = world.messages;
  world.RunFor(std::chrono::seconds(60));
  EXPECT_LT(world.messages - messages, 300u) << "asks now and then, not all the time";
  const controller::Configuration newest = world.newest();
  EXPECT_EQ(world.host(3).group.machine().num(), newest.num.value());
  int served = 0;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    served += world.host(3).group.Get(KeyOf(shard)).code() == proto::OK;
  }
  EXPECT_EQ(served, 2) << "those of group 1";
  world.host(2).cut_off = false;
  world.RunFor(std::chrono::seconds(20));
  EXPECT_TRUE(world.Settled());
  world.CheckContents();
}

// A group that was no member for long does not go through what it has missed.
TEST(Agent, ASourceWhoseMembersHaveAllBeenReplacedHandsOver) {
  World world(8, AgentOptions());
  world.Administer(controller::JoinOf({1}, kShards));
  world.RunFor(std::chrono::seconds(2));
  for (uint32_t shard = 0; shard < kShards; ++shard) ASSERT_TRUE(world.Append(shard));
  world.host(1).cut_off = true;
  world.Administer(controller::JoinOf({2}, kShards));
  world.RunFor(std::chrono::seconds(5));
  EXPECT_FALSE(world.Settled()) << "the source is silent";
  world.Relocate(1, /*membership=*/7);
  world.host(1).cut_off = false;
  world.host(2).Lead(world.now());  // A new leader there knows no more than the log.
  world.RunFor(std::chrono::seconds(20));
  EXPECT_TRUE(world.Settled());
  world.CheckContents();
}

TEST(Agent, ANewGroupBeginsWhereItJoins) {
  World world(1, {});
  world.Administer(controller::JoinOf({1}, kShards));
  for (int i = 0; i < 20; ++i) {
    world.Administer(controller::MakeMove(ShardId(0), GroupId(1)));
    world.Administer(controller::MakeUnpin(ShardId(0)));
  }
  world.Administer(controller::JoinOf({2}));
  world.RunFor(std::chrono::seconds(30));
  EXPECT_TRUE(world.Settled());
  EXPECT_LT(world.host(2).group.index().value(), 30u);
}

TEST(Agent, DataOutlivesATimeWithoutGroups) {
  for (const uint64_t gid : {3u, 1u}) {  // another group, and the same one again
    World world(1, {});
    world.Administer(controller::JoinOf({1}, kShards));
    world.RunFor(milliseconds(1000));
    for (uint32_t shard = 0; shard < kShards; ++shard) EXPECT_TRUE(world.Append(shard));
    world.Administer(controller::LeaveOf({1}, /*force=*/true));
    world.RunFor(milliseconds(1000));
    EXPECT_FALSE(world.Append(0)) << "nobody serves it";
    world.Administer(controller::JoinOf({gid}));
    world.RunFor(std::chrono::seconds(10));
    EXPECT_TRUE(world.Settled()) << "group " << gid;
    world.CheckContents();
  }
}

// What is fetched keeps to the rate: 4 shards of 50 KB at 20 KB a second take ten seconds.
TEST(Agent, TheRateOfPullingIsLimited) {
  AgentOptions options;
  options.part_bytes_max = 1000;
  options.pull_bytes_per_second_max = 20'000;
  World world(1, options);
  world.Administer(controller::JoinOf({1}, kShards));
  world.RunFor(milliseconds(1000));
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    Session session(world.host(1).group, shard);
    for (int i = 0; i < 50; ++i) {
      session.Do(world.host(1).group,
                 kv::MakePut(KeyOf(shard, absl::StrCat("k", i, "-")), std::string(1000, 'v')));
    }
  }
  world.Administer(controller::JoinOf({2}));
  world.Administer(controller::LeaveOf({1}));
  world.RunFor(std::chrono::seconds(8));
  EXPECT_FALSE(world.Settled());
  world.RunFor(std::chrono::seconds(8));
  EXPECT_TRUE(world.Settled());
}

TEST(Agent, StormsSettle) {
  uint64_t installs = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Rng rng(seed);
    AgentOptions options;
    options.part_bytes_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{200}));
    options.pulls_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{3}));
    World world(seed, options, {static_cast<uint32_t>(rng.Below(30)), 100});
    world.Administer(controller::JoinOf({1}, kShards));
    for (int i = 0; i < 120; ++i) {
      world.RunFor(rng.Between(Duration(0), Duration(milliseconds(200))));
      const uint64_t gid = 1 + rng.Below(kGroups);
      switch (rng.Below(12)) {
        case 0:
          world.Administer(controller::JoinOf({gid}));
          break;
        case 1:
          world.Administer(controller::LeaveOf({gid}));
          break;
        case 2:
          world.Administer(controller::MakeMove(ShardId(rng.Below(kShards)), GroupId(gid)));
          break;
        case 3:  // Another leader.
          world.host(gid).agent.Rest();
          world.host(gid).group.Reload();
          world.host(gid).Lead(world.now());
          break;
        case 4:
          world.host(gid).cut_off = !world.host(gid).cut_off;
          break;
        default:
          world.Append(static_cast<uint32_t>(rng.Below(kShards)));
      }
    }
    for (uint64_t gid = 1; gid <= kGroups; ++gid) world.host(gid).cut_off = false;
    world.RunFor(std::chrono::minutes(5));
    ASSERT_TRUE(world.Settled());
    world.CheckContents();
    if (testing::Test::HasFailure()) return;
    installs += world.installs;
  }
  EXPECT_GT(installs, 500u);
}

}  // namespace
}  // namespace lockstep::shardkv
