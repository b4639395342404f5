// The simulated world: the sharded cluster of the scenarios, with all of its checkers.
#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/proto/client.pb.h"
#include "tests/scenario/support/sharded_cluster.h"
#include "tests/system/worlds/world.h"

namespace lockstep::system {
namespace {

using scenario::Gids;
using scenario::Pending;
using scenario::ShardedCluster;
using scenario::ShardedOptions;
using scenario::Side;

scenario::Side SideOf(const std::vector<uint64_t>& nodes) {
  Side side;
  for (const uint64_t node : nodes) side.emplace_back(node);
  return side;
}

Gids GidsOf(const std::vector<uint64_t>& numbers) {
  Gids gids;
  for (const uint64_t number : numbers) gids.emplace_back(number);
  return gids;
}

ShardedOptions OptionsOf(const WorldSpec& spec) {
  ShardedOptions options;
  options.controllers = spec.nodes;
  options.groups = static_cast<uint16_t>(spec.groups.size());
  for (const auto& members : spec.groups) options.members.push_back(SideOf(members));
  options.shards = spec.shards;
  options.clients = spec.clients;
  options.seed = spec.seed;
  return options;
}

class SimWorld final : public World {
 public:
  explicit SimWorld(const WorldSpec& spec) : World(spec), cluster_(OptionsOf(spec)) {
    cluster_.Join(GidsOf(spec.joined));
  }

  void Put(uint16_t client, const std::string& key, const std::string& value) override {
    cluster_.client(client).Put(key, value);
  }
  void Append(uint16_t client, const std::string& key, const std::string& value) override {
    cluster_.client(client).Append(key, value);
  }
  void Delete(uint16_t client, const std::string& key) override {
    cluster_.client(client).Delete(key);
  }
  std::optional<std::string> Get(uint16_t client, const std::string& key) override {
    return cluster_.client(client).Get(key);
  }
  bool Cas(uint16_t client, const std::string& key, const std::optional<std::string>& expected,
           const std::optional<std::string>& value) override {
    return cluster_.client(client).Cas(key, expected, value);
  }

  Pairs List(uint16_t client, const std::string& prefix) override {
    constexpr uint32_t kPairsOfAPage = 7;
    Pairs all;
    std::string continuation;
    do {
      scenario::Page page = cluster_.client(client).List(prefix, kPairsOfAPage, continuation);
      all.merge(page.pairs);
      continuation = page.continuation;
    } while (!continuation.empty());
    return all;
  }

  CallId PutSoon(uint16_t client, const std::string& key, const std::string& value) override {
    calls_.push_back(cluster_.client(client).PutSoon(key, value));
    return calls_.size() - 1;
  }
  CallId AppendSoon(uint16_t client, const std::string& key, const std::string& value) override {
    calls_.push_back(cluster_.client(client).AppendSoon(key, value));
    return calls_.size() - 1;
  }

  Fate FateOf(CallId call) override {
    const Pending& pending = calls_[call];
    if (!pending.done()) return Fate::kOpen;
    using Kind = client::Outcome::Kind;
    if (pending.outcome().kind == Kind::kOk) return Fate::kExecuted;
    return pending.outcome().kind == Kind::kUnknown ? Fate::kUnknown : Fate::kNotExecuted;
  }

  void Advance(Duration span) override { cluster_.RunFor(span); }
  bool Await(const std::function<bool()>& condition, Duration within) override {
    return cluster_.RunUntil(condition, within);
  }
  Duration election_timeout() const override { return scenario::kElectionTimeout / 2; }
  Duration patience() const override { return scenario::kPatience; }

  void Kill(uint64_t node) override { cluster_.Kill(NodeId(node)); }
  void Restart(uint64_t node) override { cluster_.Restart(NodeId(node)); }
  void Pause(uint64_t node) override {
    cluster_.Pause(NodeId(node), std::chrono::hours(1));  // until it is resumed
  }
  void Resume(uint64_t node) override { cluster_.Resume(NodeId(node)); }

  void CutOneWay(uint64_t from, uint64_t to) override {
    cluster_.CutOneWay(NodeId(from), NodeId(to));
  }
  void MendAll() override { cluster_.EndCuts(); }

  uint64_t LeaderOf(uint64_t group) override { return cluster_.LeaderOf(GroupId(group)).value(); }
  void TransferLeader(uint64_t group, uint64_t to) override {
    proto::ClientRequest request;
    request.set_group(group);
    request.mutable_transfer_leadership()->set_to(to);
    cluster_.client().Tell(cluster_.LeaderOf(GroupId(group)),
                           Bytes::Copy(request.SerializeAsString()));
  }
  void Join(const std::vector<uint64_t>& gids) override { cluster_.Join(GidsOf(gids)); }
  void Leave(const std::vector<uint64_t>& gids) override { cluster_.Leave(GidsOf(gids)); }
  void Move(uint32_t shard, uint64_t gid) override { cluster_.Move(shard, GroupId(gid)); }
  void ExpectSettled() override { cluster_.ExpectSettled(); }

 private:
  ShardedCluster cluster_;
  std::vector<Pending> calls_;
};

}  // namespace

std::unique_ptr<World> MakeSimWorld(const WorldSpec& spec, std::string* /*why*/) {
  return std::make_unique<SimWorld>(spec);
}

}  // namespace lockstep::system
