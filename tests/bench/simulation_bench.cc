// How fast the simulator is: events per second of whole clusters, with real message encoding, the
// real write-ahead log and real LevelDB, on one core; virtual over real time; and the event queue
// alone.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "sim/world/climate.h"
#include "sim/world/event_queue.h"
#include "sim/world/simulation.h"
#include "sim/world/simulation_run.h"

namespace lockstep::sim {
namespace {

// A data centre on an ordinary day: nothing goes wrong, limits as in production.
Climate CalmClimate(uint16_t servers, const RunOptions& options) {
  Climate climate = DrawClimate(options, Rng(options.seed));
  climate.world.servers = servers;
  climate.world.network = {.floor_min = 80'000, .floor_max = 200'000, .jitter_mean = 20'000};
  climate.world.host = HostOptions{};
  climate.world.host.log_latency = {.floor = 60'000, .mean = 20'000};
  climate.world.host.table_latency = {.floor = 10'000, .mean = 10'000};
  const raft::Config limits;
  climate.groups = {StoreOnAll(GroupId(1), servers)};
  climate.changes.reset();
  climate.node = node::NodeOptions{};
  climate.node.raft = limits;
  climate.engine.wal_segment_bytes_max = uint64_t{64} << 20;
  climate.engine.table_write_buffer_bytes = uint64_t{256} << 10;
  climate.faults.on = FaultSet::None();
  climate.transfer_gap = Duration(0);
  climate.minority_abandoned = false;
  return climate;
}

void SetLoad(Climate& climate, uint32_t clients, uint32_t processes, uint64_t operations,
             Duration think_max) {
  WorkloadOptions workload;
  workload.clients = clients;
  workload.processes = processes;
  workload.outstanding_max = processes;
  workload.operations = operations;
  workload.keys = 64;
  workload.mix = {.get = 50, .put = 50};
  workload.think_max = think_max;
  climate.workload = workload;
  climate.world.clients = static_cast<uint16_t>(clients + 1);
  climate.safety_time = std::chrono::hours(24);
}

void RunOnce(benchmark::State& state, Climate climate, const RunOptions& options,
             uint32_t digest_every) {
  climate.digest_every = digest_every;
  uint64_t events = 0;
  int64_t virtual_time = 0;
  for (auto _ : state) {
    SimulationRun run(options, climate, Rng(options.seed));
    run.Go();
    const RunReport report = run.Report();
    Check(!report.violation.has_value());
    events += report.events;
    virtual_time += report.virtual_time.count();
  }
  state.counters["events_per_second"] =
      benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
  state.counters["virtual_over_real"] =
      benchmark::Counter(static_cast<double>(virtual_time) * 1e-9, benchmark::Counter::kIsRate);
  state.counters["events"] =
      benchmark::Counter(static_cast<double>(events), benchmark::Counter::kAvgIterations);
}

// Clients issue as fast as they are answered.
void BM_ClusterUnderLoad(benchmark::State& state) {
  const RunOptions options;
  Climate climate = CalmClimate(static_cast<uint16_t>(state.range(0)), options);
  SetLoad(climate, 8, static_cast<uint32_t>(state.range(1)), 20'000, Duration(0));
  RunOnce(state, climate, options, /*digest_every=*/0);
}
BENCHMARK(BM_ClusterUnderLoad)
    ->ArgNames({"servers", "processes"})
    ->Args({3, 1})
    ->Args({5, 1})
    ->Args({5, 4})
    ->Unit(benchmark::kMillisecond);

// A few operations a second: what is left is heartbeats.
void BM_ClusterAtLightLoad(benchmark::State& state) {
  const RunOptions options;
  Climate climate = CalmClimate(static_cast<uint16_t>(state.range(0)), options);
  SetLoad(climate, 2, 1, 2'000, std::chrono::seconds(10));
  RunOnce(state, climate, options, /*digest_every=*/0);
}
BENCHMARK(BM_ClusterAtLightLoad)
    ->ArgNames({"servers"})
    ->Arg(3)
    ->Arg(5)
    ->Unit(benchmark::kMillisecond);

// Whole runs as drawn, with faults and checkers.
void BM_DrawnRuns(benchmark::State& state) {
  uint64_t events = 0;
  uint64_t runs = 0;
  int64_t virtual_time = 0;
  RunOptions options;
  for (auto _ : state) {
    options.seed = 1 + runs % 100;
    const RunReport report = Run(options);
    Check(!report.violation.has_value());
    ++runs;
    events += report.events;
    virtual_time += report.virtual_time.count();
  }
  state.counters["events_per_second"] =
      benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
  state.counters["virtual_over_real"] =
      benchmark::Counter(static_cast<double>(virtual_time) * 1e-9, benchmark::Counter::kIsRate);
  state.counters["runs_per_second"] =
      benchmark::Counter(static_cast<double>(runs), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_DrawnRuns)->Unit(benchmark::kMillisecond)->Iterations(100);

// The queue alone: one event out, one in, with so many waiting.
void BM_EventQueue(benchmark::State& state) {
  EventQueue queue;
  Rng rng(1);
  for (int64_t i = 0; i < state.range(0); ++i) {
    queue.Push({.time = static_cast<int64_t>(rng.Below(1'000'000))});
  }
  for (auto _ : state) {
    Event event = queue.Pop();
    event.time += static_cast<int64_t>(rng.Below(1'000'000));
    queue.Push(event);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_EventQueue)->Arg(16)->Arg(256)->Arg(4096)->Arg(65536);

}  // namespace
}  // namespace lockstep::sim
