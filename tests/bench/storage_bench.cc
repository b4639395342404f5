// What the storage of one simulated node costs: the simulated disk, a commit, an applied entry, a
// checkpoint, and the boot of an engine. The simulator runs millions of each.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "core/base/check.h"
#include "core/base/rng.h"
#include "sim/disk/sim_file_system.h"
#include "storage/engine.h"
#include "storage/table_store.h"

namespace lockstep {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;
using storage::Engine;
using storage::EngineOptions;
using storage::File;
using storage::OpenMode;

// Stores each command under its first 16 bytes.
class PutMachine final : public StateMachine {
 public:
  void Load(const TableReader&) override {}
  Bytes Apply(const Entry& entry, TableWriter& table) override {
    table.Put(entry.data.view().substr(0, 16), entry.data.view().substr(16));
    return Bytes();
  }
  Bytes Query(const Bytes& query, LogPosition, const TableReader& table) const override {
    std::string value;
    table.Get(query.view(), &value);
    return Bytes::Copy(value);
  }
};

class PutMachines final : public MachineFactory {
 public:
  std::unique_ptr<StateMachine> Make(GroupId) const override {
    return std::make_unique<PutMachine>();
  }
};

constexpr GroupId kGroup(1);

std::string KeyOf(uint64_t number) {
  std::string key = absl::StrCat(number);
  key.insert(0, 16 - key.size(), '0');
  return key;
}

EngineOptions Options() {
  EngineOptions options;
  options.directory = "node";
  options.groups = {kGroup};
  return options;
}

std::unique_ptr<Engine> OpenEngine(SimFileSystem& disk) {
  static const PutMachines machines;
  auto engine = Engine::Open(disk, Options(), machines);
  Check(engine.ok(), engine.status().message());
  return *std::move(engine);
}

Entry PutEntry(uint64_t index, uint64_t keys) {
  const std::string command = KeyOf(index % keys) + std::string(100, 'v');
  return Entry{Index(index), Term(1), EntryKind::kCommand, Bytes::Copy(command)};
}

void BM_DiskAppendSync(benchmark::State& state) {
  SimFileSystem disk;
  auto file = *disk.Open("log", OpenMode::kCreate);
  const std::string data(200, 'x');
  uint64_t written = 0;
  for (auto _ : state) {
    Check(file->Append(data).ok());
    Check(file->Sync().ok());
    written += data.size();
    if (written < (1 << 20)) continue;
    Check(file->Truncate(0).ok());
    written = 0;
  }
}
BENCHMARK(BM_DiskAppendSync);

void BM_DiskOverwriteSync(benchmark::State& state) {
  SimFileSystem disk;
  auto file = *disk.Open("log", OpenMode::kCreate);
  Check(file->Append(std::string(1 << 20, 'x')).ok());
  Check(file->Sync().ok());
  const std::string data(200, 'y');
  uint64_t at = 0;
  for (auto _ : state) {
    Check(file->Write(at, data).ok());
    Check(file->Sync().ok());
    at = (at + 200) % ((1 << 20) - 200);
  }
}
BENCHMARK(BM_DiskOverwriteSync);

void BM_EngineCommit(benchmark::State& state) {
  SimFileSystem disk;
  auto engine = OpenEngine(disk);
  uint64_t index = 0;
  for (auto _ : state) {
    ++index;
    LogBatch batch{kGroup, {}, {}, {}, {PutEntry(index, 1000)}};
    // A log that only grows would measure the growth of memory.
    if (index % 10000 == 0) batch.base = LogPosition{Index(index - 1), Term(1)};
    CommitLog job;
    job.batches.push_back(std::move(batch));
    Check(engine->Run(StorageJob(std::move(job))).ok());
  }
}
BENCHMARK(BM_EngineCommit);

void BM_EngineApplyPut(benchmark::State& state) {
  SimFileSystem disk;
  auto engine = OpenEngine(disk);
  const auto keys = static_cast<uint64_t>(state.range(0));
  uint64_t index = 0;
  for (auto _ : state) {
    ++index;
    Check(engine->Run(ApplyEntries{kGroup, {PutEntry(index, keys)}}).ok());
  }
}
BENCHMARK(BM_EngineApplyPut)->Arg(100)->Arg(100000);

void BM_EngineApplyBatch(benchmark::State& state) {
  SimFileSystem disk;
  auto engine = OpenEngine(disk);
  uint64_t index = 0;
  for (auto _ : state) {
    ApplyEntries job{kGroup, {}};
    for (int i = 0; i < 64; ++i) job.entries.push_back(PutEntry(++index, 100000));
    Check(engine->Run(StorageJob(std::move(job))).ok());
  }
  state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(BM_EngineApplyBatch);

void BM_EngineQuery(benchmark::State& state) {
  SimFileSystem disk;
  auto engine = OpenEngine(disk);
  for (uint64_t index = 1; index <= 1000; ++index) {
    Check(engine->Run(ApplyEntries{kGroup, {PutEntry(index, 1000)}}).ok());
  }
  if (state.range(0) != 0) Check(engine->Run(Checkpoint{kGroup}).ok());
  uint64_t number = 0;
  for (auto _ : state) {
    QueryTable job{kGroup, {{RequestId(1), Bytes::Copy(KeyOf(++number % 1000))}}};
    Check(engine->Run(StorageJob(std::move(job))).ok());
  }
}
BENCHMARK(BM_EngineQuery)->Arg(0)->Arg(1)->ArgName("flushed");

void BM_EngineCheckpoint(benchmark::State& state) {
  SimFileSystem disk;
  auto engine = OpenEngine(disk);
  uint64_t index = 0;
  for (auto _ : state) {
    ++index;
    Check(engine->Run(ApplyEntries{kGroup, {PutEntry(index, 100)}}).ok());
    Check(engine->Run(Checkpoint{kGroup}).ok());
  }
}
BENCHMARK(BM_EngineCheckpoint);

// Close and open, with a small state in a table file.
void BM_EngineReopen(benchmark::State& state) {
  SimFileSystem disk;
  auto engine = OpenEngine(disk);
  for (uint64_t index = 1; index <= 100; ++index) {
    Check(engine->Run(ApplyEntries{kGroup, {PutEntry(index, 100)}}).ok());
  }
  Check(engine->Run(Checkpoint{kGroup}).ok());
  for (auto _ : state) {
    engine.reset();
    engine = OpenEngine(disk);
  }
}
BENCHMARK(BM_EngineReopen);

// A first boot on an empty disk.
void BM_EngineFirstOpen(benchmark::State& state) {
  for (auto _ : state) {
    SimFileSystem disk;
    OpenEngine(disk);
  }
}
BENCHMARK(BM_EngineFirstOpen);

// A power failure and the boot after it.
void BM_EngineCrash(benchmark::State& state) {
  SimFileSystem disk;
  Rng rng(1);
  auto engine = OpenEngine(disk);
  for (auto _ : state) {
    const uint64_t index = engine->TakeImages()[0].applied.index.value() + 1;
    Check(engine->Run(ApplyEntries{kGroup, {PutEntry(index, 100)}}).ok());
    disk.PowerCutAfter(0);
    engine.reset();
    disk.Crash(rng, CrashOptions{});
    engine = OpenEngine(disk);
  }
}
BENCHMARK(BM_EngineCrash);

}  // namespace
}  // namespace lockstep
