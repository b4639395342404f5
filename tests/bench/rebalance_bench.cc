// What a change of the largest cluster costs, 16,384 shards: rebalancing alone, and the whole next
// configuration.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/controller/admin.h"
#include "core/controller/changes.h"
#include "core/controller/rebalance.h"

namespace lockstep::controller {
namespace {

constexpr uint32_t kShards = kShardsMax;

std::vector<GroupId> Gids(uint64_t first, uint64_t count) {
  std::vector<GroupId> gids;
  for (uint64_t i = 0; i < count; ++i) gids.push_back(GroupId(first + i));
  return gids;
}

// From `before` groups, numbered up to 1999, to `after` of them: gids are added or dropped at the
// lower end, so that all later ones shift.
void BM_Rebalance(benchmark::State& state) {
  const auto before = static_cast<uint64_t>(state.range(0));
  const auto after = static_cast<uint64_t>(state.range(1));
  const std::vector<GroupId> owners =
      Rebalance(std::vector<GroupId>(kShards), Gids(2000 - before, before), {});
  const std::vector<GroupId> gids = Gids(2000 - after, after);
  size_t moves = 0;
  for (auto _ : state) {
    const std::vector<GroupId> next = Rebalance(owners, gids, {});
    benchmark::DoNotOptimize(next.data());
    moves = 0;
    for (size_t shard = 0; shard < kShards; ++shard) moves += next[shard] != owners[shard];
  }
  state.counters["moves"] = static_cast<double>(moves);
}
BENCHMARK(BM_Rebalance)
    ->Args({1000, 1001})  // one joins
    ->Args({1000, 999})   // one leaves
    ->Args({500, 1000})   // many join
    ->Args({1000, 500})   // many leave
    ->Args({0, 1000})     // the first
    ->Unit(benchmark::kMicrosecond);

std::vector<Group> Groups(uint64_t first, uint64_t count) {
  std::vector<Group> groups;
  for (const GroupId gid : Gids(first, count)) {
    Group group{.gid = gid};
    for (uint64_t i = 1; i <= 3; ++i) {
      group.members.push_back(
          {.node = NodeId(3 * gid.value() + i), .address = "node.cluster.example:7000"});
    }
    groups.push_back(group);
  }
  return groups;
}

Configuration After(const Configuration& newest, const proto::Command& command) {
  return NextConfiguration(newest, command, {}).value();
}

// The next configuration, with its handovers, its validation and its encoding.
void BM_NextConfiguration(benchmark::State& state) {
  const auto joining = static_cast<uint64_t>(state.range(0));
  const Configuration newest =
      After(Configuration(), MakeJoin(Groups(2000, 1000 - (joining > 1 ? joining : 0)), kShards));
  const proto::Command command =
      joining == 0 ? MakeLeave({GroupId(2000)}) : MakeJoin(Groups(1, joining), 0);
  size_t bytes = 0;
  for (auto _ : state) {
    bytes = ToProto(After(newest, command)).SerializeAsString().size();
    benchmark::DoNotOptimize(bytes);
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_NextConfiguration)
    ->Arg(1)    // one joins
    ->Arg(0)    // one leaves
    ->Arg(500)  // many join
    ->Unit(benchmark::kMicrosecond);

void BM_ReadConfiguration(benchmark::State& state) {
  const std::string record =
      ToProto(After(Configuration(), MakeJoin(Groups(1, 1000), kShards))).SerializeAsString();
  for (auto _ : state) {
    proto::Configuration message;
    if (!message.ParseFromString(record) || !FromProto(message).ok()) {
      state.SkipWithError("not valid");
    }
  }
}
BENCHMARK(BM_ReadConfiguration)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lockstep::controller
