// Servers that hold replicas of several groups with different members: what they host, how they are
// cut apart, and whole runs of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/faults/fault_plan.h"
#include "sim/world/climate.h"
#include "sim/world/kv_software.h"
#include "sim/world/simulation_run.h"
#include "tests/unit/sim/world_fake.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kUnit = 10'000'000;  // ns
constexpr GroupId kLow(0);             // a number like any other
constexpr GroupId kHigh(7);

// Two stores: servers 2 and 3 hold both.
std::vector<GroupPlacement> Overlapping() {
  return {{.group = kLow, .members = {NodeId(1), NodeId(2), NodeId(3)}},
          {.group = kHigh, .members = {NodeId(2), NodeId(3), NodeId(4)}}};
}

// --- What servers host ---

struct StoreWorld {
  explicit StoreWorld(std::vector<GroupPlacement> groups)
      : software(Node(), Engine(), std::move(groups)),
        world(Sized(4, 1), software, observer, Rng(1), nullptr) {
    world.BootAll(0);
  }
  static node::NodeOptions Node() {
    node::NodeOptions node;
    node.raft.election_min = Duration(kUnit);
    node.raft.election_max = Duration(2 * kUnit);
    node.raft.heartbeat = Duration(kUnit / 4);
    return node;
  }
  static storage::EngineOptions Engine() {
    storage::EngineOptions engine;
    engine.directory = "/data";
    return engine;
  }
  void RunUntil(int64_t until) {
    while (world.timeline().now() < until) {
      if (world.Step() == World::Stepped::kEmpty) return;
    }
  }

  KvSoftware software;
  FakeObserver observer;
  World world;
};

std::vector<GroupId> HostedBy(const NodeHost& host) {
  std::vector<GroupId> groups;
  for (const HostedTable& table : host.tables()) groups.push_back(table.group);
  return groups;
}

TEST(Groups, AServerHoldsATableOfEachGroupOfWhichItIsAMember) {
  StoreWorld stores(Overlapping());
  World& world = stores.world;
  EXPECT_TRUE(HostedBy(world.server(1)).empty()) << "not booted";
  stores.RunUntil(50 * kUnit);
  EXPECT_EQ(HostedBy(world.server(1)), std::vector<GroupId>({kLow}));
  EXPECT_EQ(HostedBy(world.server(2)), std::vector<GroupId>({kLow, kHigh}));
  EXPECT_EQ(HostedBy(world.server(3)), std::vector<GroupId>({kLow, kHigh}));
  EXPECT_EQ(HostedBy(world.server(4)), std::vector<GroupId>({kHigh}));
  for (const GroupPlacement& placement : Overlapping()) {
    NodeHost& first = world.server(static_cast<uint16_t>(placement.members.front().value()));
    EXPECT_GE(first.applied(placement.group).index, Index(1)) << "a leader has begun its term";
    for (const NodeId member : placement.members) {
      NodeHost& host = world.server(static_cast<uint16_t>(member.value()));
      EXPECT_EQ(host.applied(placement.group), first.applied(placement.group));
      EXPECT_EQ(host.Digest(placement.group), first.Digest(placement.group));
    }
  }
  EXPECT_EQ(world.server(1).applied(kHigh), LogPosition{});
  EXPECT_EQ(world.server(4).applied(kLow), LogPosition{});
  EXPECT_TRUE(stores.observer.broken.empty());
}

TEST(Groups, EachTableSurvivesItsServer) {
  StoreWorld stores(Overlapping());
  NodeHost& host = stores.world.server(2);
  stores.RunUntil(50 * kUnit);
  const LogPosition low = host.applied(kLow);
  const LogPosition high = host.applied(kHigh);
  host.Crash(CrashKind::kKill, kUnit);
  EXPECT_EQ(host.applied(kLow), low) << "the last known";
  EXPECT_EQ(host.applied(kHigh), high);
  stores.RunUntil(100 * kUnit);
  ASSERT_TRUE(host.up());
  EXPECT_GE(host.applied(kLow).index, low.index);
  EXPECT_GE(host.applied(kHigh).index, high.index);
  EXPECT_EQ(host.applied(kLow), stores.world.server(1).applied(kLow));
  EXPECT_EQ(host.applied(kHigh), stores.world.server(4).applied(kHigh));
}

// The group whose majority is gone stands still; the other does not notice.
TEST(Groups, OneMayBeDeadWhileAnotherLives) {
  StoreWorld stores({{.group = kLow, .members = {NodeId(1), NodeId(2), NodeId(3)}},
                     {.group = kHigh, .members = {NodeId(1), NodeId(4)}}});
  stores.RunUntil(50 * kUnit);
  stores.world.server(4).Crash(CrashKind::kPower, kNoTime);
  stores.world.server(1).Crash(CrashKind::kPower, kUnit);
  const LogPosition high = stores.world.server(1).applied(kHigh);
  const LogPosition low = stores.world.server(2).applied(kLow);
  for (int round = 1; round <= 3; ++round) {  // one of the others led
    stores.world.server(2).Crash(CrashKind::kPower, kUnit);
    stores.RunUntil((50 + 50 * round) * kUnit);
    stores.world.server(3).Crash(CrashKind::kPower, kUnit);
    stores.RunUntil((75 + 50 * round) * kUnit);
  }
  EXPECT_LE(stores.world.server(1).applied(kHigh).index, high.index);
  EXPECT_GT(stores.world.server(1).applied(kLow).index, low.index);
}

TEST(GroupsDeathTest, EveryServerHostsOne) {
  std::vector<GroupPlacement> groups = Overlapping();
  groups.pop_back();
  StoreWorld stores(groups);
  EXPECT_DEATH(stores.RunUntil(kUnit), "every server hosts a group");
}

TEST(Groups, ALaneKnowsWhoseJobsItHolds) {
  StorageLane lane;
  EXPECT_FALSE(lane.Holds(kLow));
  lane.Push(Checkpoint{kHigh});
  EXPECT_TRUE(lane.Holds(kHigh));
  EXPECT_FALSE(lane.Holds(kLow));
  LogBatch batch;
  batch.group = kLow;
  lane.Push(CommitLog{{batch}});
  EXPECT_TRUE(lane.Holds(kLow));
  lane.Pop();
  EXPECT_FALSE(lane.Holds(kHigh));
}

// --- Faults ---

FaultOptions OnlyGroupPartitions(bool clients) {
  FaultOptions options;
  options.on.insert(FaultKind::kGroupPartition);
  options.rates.fill({.gap_mean = kUnit, .length_min = kUnit, .length_max = kUnit});
  options.clients_take_part = clients;
  return options;
}

void Attempt(FaultPlan& plan, FaultKind kind) {
  Event event;
  event.kind = EventKind::kFault;
  event.payload = static_cast<uint32_t>(kind);
  plan.OnEvent(event);
}

using Links = std::set<std::pair<uint16_t, uint16_t>>;

Links BothWays(const Links& one_way) {
  Links links = one_way;
  for (const auto& [from, to] : one_way) links.emplace(to, from);
  return links;
}

TEST(GroupPartition, CutsOneGroupFromAnotherOrFromAll) {
  FakeWorld fake(1, Sized(4, 1));
  const FaultOptions options = OnlyGroupPartitions(/*clients=*/false);
  FaultPlan plan(options, fake.world, QuorumsOf(Overlapping()), Rng(1));
  std::set<uint64_t> parts;
  std::set<Links> shapes;
  for (int i = 0; i < 100; ++i) Attempt(plan, FaultKind::kGroupPartition);
  for (const FaultInterval& interval : fake.world.ledger().intervals()) {
    EXPECT_EQ(interval.kind, FaultKind::kGroupPartition);
    Links links;
    for (const Direction& link : interval.links) links.emplace(link.from, link.to);
    EXPECT_EQ(links.size(), interval.links.size()) << "each once";
    parts.insert(interval.servers);
    shapes.insert(links);
  }
  EXPECT_EQ(fake.world.ledger().intervals().size(), 100u);
  const uint64_t low = One(1) | One(2) | One(3);
  const uint64_t high = One(2) | One(3) | One(4);
  EXPECT_EQ(parts, std::set<uint64_t>({low, high, One(1), One(4)}));
  EXPECT_EQ(shapes, std::set<Links>({BothWays({{1, 4}}), BothWays({{1, 4}, {2, 4}, {3, 4}}),
                                     BothWays({{1, 2}, {1, 3}, {1, 4}})}));
}

// Clients fall on a side: some see only servers of one group, some only others.
TEST(GroupPartition, MayCutClientsToo) {
  FakeWorld fake(1, Sized(4, 1));
  const FaultOptions options = OnlyGroupPartitions(/*clients=*/true);
  FaultPlan plan(options, fake.world, QuorumsOf(Overlapping()), Rng(1));
  for (int i = 0; i < 100; ++i) Attempt(plan, FaultKind::kGroupPartition);
  uint64_t lost_by_client = 0;
  for (const FaultInterval& interval : fake.world.ledger().intervals()) {
    uint64_t lost = 0;
    for (const Direction& link : interval.links) {
      if (link.from == 5) lost |= One(link.to);
    }
    EXPECT_NE(lost, 0u) << "it is on one side";
    EXPECT_NE(lost, fake.world.AllServers()) << "and only there";
    lost_by_client |= lost;
  }
  EXPECT_EQ(lost_by_client, fake.world.AllServers());
}

TEST(GroupPartition, NeedsGroupsWithDifferentMembers) {
  FakeWorld fake(1, Sized(4, 1));
  const FaultOptions options = OnlyGroupPartitions(/*clients=*/true);
  const Quorums alike = QuorumsOf({StoreOnAll(kLow, 4), StoreOnAll(kHigh, 4)});
  for (const Quorums& quorums : {Quorums::OfAll(fake.world.AllServers()), alike}) {
    FaultPlan plan(options, fake.world, quorums, Rng(1));
    EXPECT_FALSE(plan.on(FaultKind::kGroupPartition));
    plan.Start();
    Attempt(plan, FaultKind::kGroupPartition);
    fake.RunUntil(fake.world.timeline().now() + 20 * kUnit);
    EXPECT_TRUE(fake.observer.world_events.empty()) << "no fault was planned";
  }
  EXPECT_EQ(fake.world.ledger().counts(FaultKind::kGroupPartition).attempted, 0u);
}

TEST(Groups, NoneLosesAMajorityToRot) {
  const std::vector<GroupPlacement> groups = {
      {.group = kLow, .members = {NodeId(1), NodeId(2), NodeId(3)}},
      {.group = kHigh, .members = {NodeId(3), NodeId(4), NodeId(5)}}};
  for (uint16_t first = 1; first <= 5; ++first) {
    FakeWorld fake(first, Sized(5, 1));
    const FaultOptions options;
    FaultPlan plan(options, fake.world, QuorumsOf(groups), Rng(first));
    fake.RunUntil(kUnit);
    for (uint16_t id = 1; id <= 5; ++id) {
      auto file = fake.world.server(id).files().Open("000005.ldb", storage::OpenMode::kCreate);
      ASSERT_TRUE(file.ok() && (*file)->Append(std::string(100, 't')).ok() && (*file)->Sync().ok());
    }
    const auto rot = [&plan](uint16_t id) {
      for (int i = 0; i < 100; ++i) plan.RotNow(FaultKind::kBitRot, id);
    };
    rot(first);
    EXPECT_EQ(plan.lost(), One(first));
    for (uint16_t id = 1; id <= 5; ++id) rot(id);
    EXPECT_TRUE(plan.quorums().CanSpare(plan.lost()));
    EXPECT_EQ(plan.quorums().Spare(plan.lost()), 0u) << "all that may rot has";
  }
}

// --- Whole runs ---

// Three groups of which each neighbour shares a server.
std::vector<GroupPlacement> Chain() {
  return {{.group = GroupId(3), .members = {NodeId(1), NodeId(2), NodeId(3)}},
          {.group = GroupId(1), .members = {NodeId(3), NodeId(4), NodeId(5)}},
          {.group = GroupId(2), .members = {NodeId(5), NodeId(6), NodeId(7)}}};
}

// Clients use the first group; the others elect leaders and may lose them.
Climate DrawWithGroups(const RunOptions& options, uint16_t servers,
                       std::vector<GroupPlacement> groups) {
  Climate climate = DrawClimate(options, Rng(options.seed));
  climate.world.servers = servers;
  climate.groups = std::move(groups);
  climate.changes.reset();  // their members stay
  --climate.world.clients;
  Rng faults = Rng(options.seed).Split("faults of the test");
  climate.faults = FaultOptions::Draw(faults, FaultSet::All(), false, climate.unit().count());
  return climate;
}

uint64_t ValueOf(const Counters& counters, const std::string& name) {
  for (const auto& [key, value] : counters.values) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no counter " << name;
  return 0;
}

TEST(Groups, StormsPass) {
  std::vector<GroupPlacement> high_first = Overlapping();
  std::swap(high_first.front(), high_first.back());
  Counters sum;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.operations = 100;
    const Climate climate = seed % 3 == 0   ? DrawWithGroups(options, 7, Chain())
                            : seed % 3 == 1 ? DrawWithGroups(options, 4, Overlapping())
                                            : DrawWithGroups(options, 4, high_first);
    SimulationRun run(options, climate, Rng(seed));
    run.Go();
    const RunReport report = run.Report();
    ASSERT_FALSE(report.violation.has_value())
        << "seed " << seed << ": " << report.violation->property << "\n"
        << report.violation->evidence;
    sum.Add(report.counters);
  }
  for (const char* name : {"elections", "entries committed", "crashes", "leadership transfers",
                           "effective group-partition", "effective leader-isolation"}) {
    EXPECT_GT(ValueOf(sum, name), 0u) << name;
  }
}

TEST(Groups, SameSeedSameRun) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.operations = 100;
    const Climate climate = DrawWithGroups(options, 4, Overlapping());
    EXPECT_NE(Describe(climate).find("\ngroup 7: a store on servers 2 3 4\n"), std::string::npos);
    SimulationRun one(options, climate, Rng(seed));
    SimulationRun two(options, climate, Rng(seed));
    one.Go();
    two.Go();
    EXPECT_EQ(one.Report().hash, two.Report().hash);
    EXPECT_EQ(one.Report().counters.values, two.Report().counters.values);
  }
}

}  // namespace
}  // namespace lockstep::sim
