// Who hears whom, and how well. A scenario says what is cut and what the weather is; this sets the
// links of the simulated network accordingly, the same from any order of orders.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_LINKS_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_LINKS_H_

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/base/types.h"
#include "sim/world/world.h"

namespace lockstep::scenario {

// The labs' networks. "Unreliable" there: each call is delayed by 0 to 26 ms, one request in ten is
// lost and one reply in ten. Here each message takes 13 ms on the average, now and then many times
// that, and one message in ten is lost.
enum class Weather : uint8_t {
  kReliable,
  kUnreliable,
  // Unreliable, and "long reordering": there two thirds of the replies are late by 200 ms or more.
  // Here all messages take 200 ms on the average, some of them many seconds.
  kLongReordering,
};

using Side = std::vector<NodeId>;

class Links {
 public:
  explicit Links(sim::World& world) : world_(world) {}

  void SetWeather(Weather weather);

  // A disconnected server hears no other server and is heard by none; clients still reach it.
  void Disconnect(NodeId server);
  void Connect(NodeId server);
  bool IsConnected(NodeId server) const { return !disconnected_.contains(server); }
  // Servers hear those of their own side only; whoever is on no side is alone.
  void Partition(const std::vector<Side>& sides);
  void EndPartition();
  // Nothing gets from the one to the other.
  void CutOneWay(NodeId from, NodeId to);
  void MendOneWay(NodeId from, NodeId to);
  // Nothing gets from these servers to those or back, but within each.
  void CutBetween(const Side& these, const Side& those);
  void MendBetween(const Side& these, const Side& those);
  // Everybody hears everybody.
  void MendAll();

  // The client (by its number, from 0) reaches these servers alone. At first it reaches all.
  void LetReach(uint16_t client, const Side& servers);
  void LetReachAll(uint16_t client);
  // The client's links never suffer from the weather: as if it lived in the servers.
  void Shelter(uint16_t client) { sheltered_.insert(client); }

 private:
  bool Hears(uint16_t from, uint16_t to) const;
  bool HasWeather(uint16_t from, uint16_t to) const;
  // Sets every link.
  void Apply();

  sim::World& world_;
  Weather weather_ = Weather::kReliable;
  std::set<NodeId> disconnected_;
  std::map<NodeId, size_t> side_;  // of every server that is on one; empty: no partition
  bool partitioned_ = false;
  std::set<std::pair<NodeId, NodeId>> one_way_;
  std::map<uint16_t, std::set<NodeId>> reach_;  // by client; absent: all
  std::set<uint16_t> sheltered_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_LINKS_H_
