// What the machine costs beyond its table: the table here is one that does nothing.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/kv/command.h"
#include "core/kv/kv_machine.h"

namespace lockstep::kv {
namespace {

class NullTable final : public TableWriter {
 public:
  bool Get(absl::string_view, std::string*) const override { return false; }
  void Scan(absl::string_view,
            absl::FunctionRef<bool(absl::string_view, absl::string_view)>) const override {}
  void Put(absl::string_view key, absl::string_view value) override {
    bytes_ += key.size() + value.size();
  }
  void Delete(absl::string_view key) override { bytes_ += key.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  uint64_t bytes_ = 0;
};

// Args: sessions, commands outstanding in each, value bytes.
void BM_ApplyPut(benchmark::State& state) {
  NullTable table;
  KvMachine machine({});
  machine.Load(table);
  const uint64_t sessions = static_cast<uint64_t>(state.range(0));
  const uint64_t window = static_cast<uint64_t>(state.range(1));
  Index index;
  for (uint64_t i = 0; i < sessions; ++i) {
    index = index.Next();
    machine.Apply({.index = index, .term = Term(1), .data = Encode(MakeRegisterSession(i))}, table);
  }
  const proto::Command put =
      MakePut("a key of some length", std::string(static_cast<size_t>(state.range(2)), 'v'));
  constexpr uint64_t kBatch = 4096;
  uint64_t next = 0;
  std::vector<Bytes> entries;
  while (state.KeepRunningBatch(kBatch)) {
    state.PauseTiming();
    entries.clear();
    for (uint64_t i = 0; i < kBatch; ++i, ++next) {
      const uint64_t sequence = next / sessions + 1;
      const uint64_t first = sequence > window ? sequence - window + 1 : 1;
      entries.push_back(Encode(InSession(put, SessionId(next % sessions + 1), sequence, first)));
    }
    state.ResumeTiming();
    for (Bytes& entry : entries) {
      index = index.Next();
      benchmark::DoNotOptimize(
          machine.Apply({.index = index, .term = Term(1), .data = std::move(entry)}, table));
    }
  }
  state.counters["table_bytes"] =
      benchmark::Counter(static_cast<double>(table.bytes()), benchmark::Counter::kAvgIterations);
}
BENCHMARK(BM_ApplyPut)
    ->Args({1, 1, 16})
    ->Args({64, 1, 256})
    ->Args({4096, 1, 256})
    ->Args({1, 64, 256})
    ->Args({1, 255, 256})
    ->Args({1, 1, 65536});

}  // namespace
}  // namespace lockstep::kv
