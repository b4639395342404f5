// What moving shards costs: how fast they arrive, and what operations on other shards of the same
// groups notice of it. Virtual time, on disks and links with a limited rate; the work is real:
// encoding, write-ahead logs, LevelDB, on simulated disks that keep everything in memory.
//
// Two groups on three servers each; MiB of 16 shards go from the first group to the second, while
// clients read and write small values in shards that stay, at a fixed rate: latency counts from
// when an operation was due.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/base/rng.h"
#include "core/client/router.h"
#include "core/controller/admin.h"
#include "core/kv/command.h"
#include "sim/world/kv_software.h"
#include "sim/world/world.h"

namespace lockstep::sim {
namespace {

constexpr uint32_t kShards = 64;
constexpr uint32_t kMoved = 16;
constexpr uint64_t kValueBytes = 64 << 10;
constexpr Duration kPatience = std::chrono::hours(1);

std::vector<NodeId> Nodes(uint64_t first, uint64_t final) {
  std::vector<NodeId> nodes;
  for (uint64_t id = first; id <= final; ++id) nodes.emplace_back(id);
  return nodes;
}

std::vector<GroupPlacement> Groups() {
  return {{GroupId(0), node::GroupRole::kController, Nodes(1, 3)},
          {GroupId(1), node::GroupRole::kShards, Nodes(1, 3)},
          {GroupId(2), node::GroupRole::kShards, Nodes(4, 6)}};
}

std::string KeyIn(uint32_t shard, uint64_t number) {
  for (uint64_t i = 0;; ++i) {
    const std::string tag = absl::StrCat("{", shard, "-", i, "}");
    if (ShardOf(tag, kShards).value() == shard) return absl::StrCat(tag, number);
  }
}

// A client whose caller decides what is asked and hears what became of it.
class Driver final : public SimClient {
 public:
  explicit Driver(uint64_t seed) : router_(Options(), Rng(seed)) {}

  void Bind(ClientPort& port) { port_ = &port; }
  void Invoke(std::variant<proto::Command, proto::Query> operation,
              std::function<void(const client::Outcome&)> done) {
    done_.push_back(std::move(done));
    Step(client::Invoke{client::OperationId(done_.size()), std::move(operation),
                        port_->Now() + kPatience});
  }
  Instant Now() const { return port_->Now(); }
  // Called once, at `at`.
  void At(Instant at, std::function<void()> call) {
    call_at_ = at;
    call_ = std::move(call);
    Arm();
  }

  void Start() override {}
  void OnReply(uint64_t attempt, const Bytes& reply) override {
    Step(client::Reply{client::AttemptId(attempt), reply});
  }
  void OnWake() override {
    if (port_->Now() >= router_at_) Step(client::Wake{});
    if (port_->Now() >= call_at_) {
      call_at_ = kNever;
      call_();
    }
    Arm();
  }
  bool Done() const override { return true; }
  std::string WaitingFor() const override { return ""; }

 private:
  static client::RouterOptions Options() {
    client::RouterOptions options;
    options.controller_nodes = Nodes(1, 3);
    return options;
  }
  void Step(client::Input input) {
    client::Output out;
    router_.Step(port_->Now(), std::move(input), &out);
    router_at_ = out.wake_at;
    for (client::Send& send : out.sends) {
      port_->SendRequest(send.to, send.attempt.value(), std::move(send.request));
    }
    for (const client::Completion& completion : out.completions) {
      const auto done = std::move(done_[completion.id.value() - 1]);
      done(completion.outcome);
    }
    Arm();
  }
  void Arm() { port_->WakeAt(std::min(router_at_, call_at_)); }

  client::Router router_;
  ClientPort* port_ = nullptr;
  Instant router_at_ = kNever;
  Instant call_at_ = kNever;
  std::function<void()> call_;
  std::vector<std::function<void(const client::Outcome&)>> done_;
};

class Cluster final : private WorldObserver {
 public:
  explicit Cluster(uint64_t pull_rate)
      : software_(Node(pull_rate), Engine(), Groups()),
        world_(Options(), software_, *this, Rng(1), nullptr) {
    for (uint16_t i = 0; i < world_.clients(); ++i) {
      drivers_.push_back(std::make_unique<Driver>(i + 1));
      drivers_.back()->Bind(world_.client(i));
      world_.client(i).Attach(*drivers_.back());
    }
    world_.BootAll(0);
  }

  Driver& driver(size_t i) { return *drivers_[i]; }
  Instant now() { return world_.timeline().instant(); }
  void RunUntil(const std::function<bool()>& done) {
    while (!done()) Check(world_.Step() != World::Stepped::kEmpty);
  }
  void RunFor(Duration span) {
    const Instant until = now() + span;
    RunUntil([&] { return now() >= until; });
  }
  proto::Result Do(std::variant<proto::Command, proto::Query> operation) {
    bool done = false;
    proto::Result result;
    driver(0).Invoke(std::move(operation), [&](const client::Outcome& outcome) {
      Check(outcome.kind == client::Outcome::Kind::kOk, outcome.status.message());
      result = outcome.result;
      done = true;
    });
    RunUntil([&] { return done; });
    return result;
  }
  // Shards that have come to the second group.
  size_t arrived() const { return arrived_.size(); }

 private:
  static node::NodeOptions Node(uint64_t pull_rate) {
    node::NodeOptions node;
    node.shards = kShards;
    node.controllers = Nodes(1, 3);
    node.bulk_bytes_per_second_max = pull_rate;
    return node;
  }
  static storage::EngineOptions Engine() {
    storage::EngineOptions engine;
    engine.directory = "/data";
    return engine;
  }
  static WorldOptions Options() {
    WorldOptions world;
    world.servers = 6;
    world.clients = 10;
    // A rack, and disks that need half a millisecond for an fsync.
    world.network = {.floor_min = 80'000, .floor_max = 120'000, .jitter_mean = 20'000};
    world.network.bytes_per_second = 1'250'000'000;
    world.host.log_latency = {.floor = 500'000, .mean = 100'000};
    world.host.table_latency = {.floor = 20'000, .mean = 20'000};
    world.host.disk_bytes_per_second = 500'000'000;
    return world;
  }

  void OnWorldEvent(const Event&) override {}
  // What the second group says of itself.
  void OnNote(NodeHost&, const Note& note) override {
    if (note.kind != NoteKind::kApplied || note.group != GroupId(2)) return;
    if (note.entry->kind != EntryKind::kInternal) return;
    proto::Result result;
    Check(result.ParseFromArray(note.reply->data(), static_cast<int>(note.reply->size())));
    for (const proto::ShardTenure& tenure : result.shards().tenures()) {
      if (tenure.state() == proto::SHARD_SERVING_GC) arrived_.insert(tenure.shard());
    }
  }
  void OnRequest(NodeHost&, RequestId) override {}
  void OnSubmitted(NodeHost&, const StorageJob&) override {}
  Interference BeforeStorage(NodeHost&, const StorageJob&) override { return {}; }
  void OnStored(NodeHost&, const StorageJob&, const StorageResult&) override {}
  Interference BeforeBoot(NodeHost&) override { return {}; }
  void OnCrashed(NodeHost&) override {}
  void OnBroken(NodeHost&, std::string property, std::string evidence) override {
    Check(false, absl::StrCat(property, ": ", evidence));
  }

  KvSoftware software_;
  World world_;
  std::vector<std::unique_ptr<Driver>> drivers_;
  absl::btree_set<uint32_t> arrived_;
};

// Reads and writes in shards that stay, each at its time.
class Probe {
 public:
  Probe(Driver& driver, std::vector<std::string> keys, Duration gap, uint64_t seed)
      : driver_(driver), keys_(std::move(keys)), gap_(gap), rng_(seed) {
    due_ = driver_.Now() + gap_;
    driver_.At(due_, [this] { Ask(); });
  }
  std::vector<int64_t> Take() { return std::exchange(latencies_, {}); }
  void Stop() { stopped_ = true; }

 private:
  void Ask() {
    const Instant due = due_;
    const uint64_t which = rng_.Below(keys_.size());
    const bool reads = rng_.Chance({1, 2});
    const auto done = [this, due](const client::Outcome& outcome) {
      Check(outcome.kind == client::Outcome::Kind::kOk, outcome.status.message());
      latencies_.push_back((driver_.Now() - due).count());
    };
    if (reads) {
      driver_.Invoke(kv::MakeGet(keys_[which]), done);
    } else {
      driver_.Invoke(kv::MakePut(keys_[which], std::string(100, 'v')), done);
    }
    if (stopped_) return;
    due_ += gap_;
    driver_.At(due_, [this] { Ask(); });
  }

  Driver& driver_;
  const std::vector<std::string> keys_;
  const Duration gap_;
  Rng rng_;
  Instant due_;
  bool stopped_ = false;
  std::vector<int64_t> latencies_;
};

int64_t Percentile(std::vector<int64_t> values, uint64_t percent) {
  Check(!values.empty());
  const size_t place = std::min(values.size() - 1, values.size() * percent / 100);
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(place), values.end());
  return values[place];
}

class Experiment {
 public:
  Experiment(uint64_t mib, uint64_t pull_rate) : mib_(mib), cluster_(pull_rate) {
    controller::Group one{.gid = GroupId(1)};
    controller::Group two{.gid = GroupId(2)};
    for (const NodeId node : Nodes(1, 3)) one.members.push_back({.node = node});
    for (const NodeId node : Nodes(4, 6)) two.members.push_back({.node = node});
    cluster_.Do(controller::MakeJoin({one, two}, kShards));
    const proto::Result newest = cluster_.Do(controller::MakeGetConfiguration());
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      const bool source = newest.configuration().owners(static_cast<int>(shard)) == 1;
      source&& moved_.size() < kMoved ? moved_.push_back(shard) : stay_.push_back(shard);
    }
    Fill();
  }

  void Run(benchmark::State& state) {
    std::vector<std::unique_ptr<Probe>> probes;
    for (size_t i = 2; i < 10; ++i) {
      std::vector<std::string> keys;
      for (const uint32_t shard : stay_) keys.push_back(KeyIn(shard, i));
      probes.push_back(
          std::make_unique<Probe>(cluster_.driver(i), keys, std::chrono::milliseconds(4), i));
    }
    cluster_.RunFor(std::chrono::seconds(2));  // Sessions are registered.
    Collect(probes);
    cluster_.RunFor(std::chrono::seconds(8));
    const std::vector<int64_t> quiet = Collect(probes);
    const Instant begin = cluster_.now();
    Move();
    cluster_.RunUntil([&] { return cluster_.arrived() == kMoved; });
    const double seconds = static_cast<double>((cluster_.now() - begin).count()) * 1e-9;
    const std::vector<int64_t> moving = Collect(probes);
    for (const auto& probe : probes) probe->Stop();
    cluster_.RunFor(std::chrono::seconds(1));
    const auto ms = [](int64_t nanos) { return static_cast<double>(nanos) * 1e-6; };
    state.counters["quiet_p50_ms"] = ms(Percentile(quiet, 50));
    state.counters["quiet_p99_ms"] = ms(Percentile(quiet, 99));
    state.counters["moving_p50_ms"] = ms(Percentile(moving, 50));
    state.counters["moving_p99_ms"] = ms(Percentile(moving, 99));
    state.counters["p99_ratio"] = ms(Percentile(moving, 99)) / ms(Percentile(quiet, 99));
    state.counters["virtual_seconds"] = seconds;
    state.counters["MiB_per_second"] = static_cast<double>(mib_) / seconds;
  }

 private:
  // Sixteen writes at a time.
  void Fill() {
    const uint64_t values = mib_ * (1 << 20) / kValueBytes;
    uint64_t begun = 0;
    uint64_t done = 0;
    Rng rng(7);
    std::function<void()> next = [&] {
      if (begun == values) return;
      const uint64_t i = begun++;
      std::string value(kValueBytes, '\0');
      for (char& byte : value) byte = static_cast<char>(rng.Next());
      cluster_.driver(1).Invoke(
          kv::MakePut(KeyIn(moved_[i % kMoved], i), value), [&](const client::Outcome& outcome) {
            Check(outcome.kind == client::Outcome::Kind::kOk, outcome.status.message());
            ++done;
            next();
          });
    };
    for (int i = 0; i < 16; ++i) next();
    cluster_.RunUntil([&] { return done == values; });
    cluster_.RunFor(std::chrono::seconds(5));
  }

  // One after the other is decided at once; they are fetched side by side.
  void Move() {
    for (const uint32_t shard : moved_) {
      cluster_.driver(0).Invoke(
          controller::MakeMove(ShardId(shard), GroupId(2)), [](const client::Outcome& outcome) {
            Check(outcome.kind == client::Outcome::Kind::kOk, outcome.status.message());
          });
    }
  }

  static std::vector<int64_t> Collect(const std::vector<std::unique_ptr<Probe>>& probes) {
    std::vector<int64_t> all;
    for (const auto& probe : probes) {
      const std::vector<int64_t> some = probe->Take();
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  const uint64_t mib_;
  Cluster cluster_;
  std::vector<uint32_t> moved_;
  std::vector<uint32_t> stay_;
};

// Arguments: MiB of data; MiB a second that may be pulled, 0: the default.
void BM_MoveShards(benchmark::State& state) {
  for (auto _ : state) {
    Experiment experiment(static_cast<uint64_t>(state.range(0)),
                          static_cast<uint64_t>(state.range(1)) << 20);
    experiment.Run(state);
  }
}
BENCHMARK(BM_MoveShards)
    ->ArgNames({"MiB", "rate"})
    ->Args({64, 0})
    ->Args({64, 100000})
    ->Args({1024, 0})
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

}  // namespace
}  // namespace lockstep::sim
