#include "tests/scenario/support/links.h"

#include <algorithm>

namespace lockstep::scenario {
namespace {

constexpr uint32_t kOneInTen = 65536 / 10;
constexpr int64_t kUnreliableMean = 13'000'000;       // ns
constexpr int64_t kLongReorderingMean = 200'000'000;  // ns

}  // namespace

void Links::SetWeather(Weather weather) {
  weather_ = weather;
  Apply();
}

void Links::Disconnect(NodeId server) {
  disconnected_.insert(server);
  Apply();
}

void Links::Connect(NodeId server) {
  disconnected_.erase(server);
  Apply();
}

void Links::Partition(const std::vector<Side>& sides) {
  side_.clear();
  partitioned_ = true;
  for (size_t i = 0; i < sides.size(); ++i) {
    for (const NodeId server : sides[i]) side_[server] = i;
  }
  Apply();
}

void Links::EndPartition() {
  side_.clear();
  partitioned_ = false;
  Apply();
}

void Links::CutOneWay(NodeId from, NodeId to) {
  one_way_.insert({from, to});
  Apply();
}

void Links::MendOneWay(NodeId from, NodeId to) {
  one_way_.erase({from, to});
  Apply();
}

void Links::CutBetween(const Side& these, const Side& those) {
  for (const NodeId a : these) {
    for (const NodeId b : those) {
      if (a == b) continue;
      one_way_.insert({a, b});
      one_way_.insert({b, a});
    }
  }
  Apply();
}

void Links::MendBetween(const Side& these, const Side& those) {
  for (const NodeId a : these) {
    for (const NodeId b : those) {
      one_way_.erase({a, b});
      one_way_.erase({b, a});
    }
  }
  Apply();
}

void Links::MendAll() {
  disconnected_.clear();
  side_.clear();
  partitioned_ = false;
  one_way_.clear();
  reach_.clear();
  Apply();
}

void Links::LetReach(uint16_t client, const Side& servers) {
  reach_[client] = std::set<NodeId>(servers.begin(), servers.end());
  Apply();
}

void Links::LetReachAll(uint16_t client) {
  reach_.erase(client);
  Apply();
}

bool Links::Hears(uint16_t from, uint16_t to) const {
  const uint16_t servers = world_.servers();
  if (from <= servers && to <= servers) {
    const NodeId source(from);
    const NodeId target(to);
    if (disconnected_.contains(source) || disconnected_.contains(target)) return false;
    if (one_way_.contains({source, target})) return false;
    if (!partitioned_) return true;
    const auto a = side_.find(source);
    const auto b = side_.find(target);
    return a != side_.end() && b != side_.end() && a->second == b->second;
  }
  const uint16_t server = std::min(from, to);
  const uint16_t client = static_cast<uint16_t>(std::max(from, to) - servers - 1);
  const auto reach = reach_.find(client);
  return reach == reach_.end() || reach->second.contains(NodeId(server));
}

bool Links::HasWeather(uint16_t from, uint16_t to) const {
  const uint16_t servers = world_.servers();
  const uint16_t farther = std::max(from, to);
  return farther <= servers || !sheltered_.contains(static_cast<uint16_t>(farther - servers - 1));
}

void Links::Apply() {
  const uint16_t actors = world_.network().actors();
  for (uint16_t from = 1; from <= actors; ++from) {
    for (uint16_t to = 1; to <= actors; ++to) {
      if (from == to || (from > world_.servers() && to > world_.servers())) continue;
      sim::Link& link = world_.network().link(from, to);
      link.cuts.amount = Hears(from, to) ? 0 : 1;
      const bool bad = weather_ != Weather::kReliable && HasWeather(from, to);
      link.loss.amount = bad ? kOneInTen : 0;
      // The network multiplies the floor and its mean jitter, which is as long as the least floor.
      const int64_t mean =
          weather_ == Weather::kLongReordering ? kLongReorderingMean : kUnreliableMean;
      link.delay.amount = bad ? static_cast<uint32_t>(mean / (2 * link.floor)) : 0;
    }
  }
}

}  // namespace lockstep::scenario
