// What `lockstep-sim check` spends its time on: reading and judging a million operations with
// unique values in each format, and judging hard histories, right ones and ones with a spoilt
// answer (seed after seed, so that a row is the mean over many).
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/check/history/read.h"
#include "sim/check/history/write_json.h"
#include "sim/check/linearizability/checker.h"
#include "tests/support/hard_histories.h"

namespace lockstep::history {
namespace {

using linearizability::HardHistory;
using linearizability::HardLoad;
using linearizability::History;
using linearizability::Kind;
using linearizability::Operation;
using linearizability::Report;
using linearizability::Verdict;

// 50 clients that put and get unique values.
History Million(uint32_t keys) {
  HardLoad load{.operations = 1'000'000, .clients = 50, .keys = keys, .registers = true};
  load.values = UINT32_MAX;
  load.reads_percent = 50;
  load.swaps = false;
  return HardHistory(load, 1).Run();
}

std::string EdnOf(const History& history) {
  std::vector<std::string> lines(2 * history.operations.size() + 2);
  std::string text;
  const auto value = [](const linearizability::Value& v) {
    return v.has_value() ? absl::StrCat("\"", v->view(), "\"") : std::string("nil");
  };
  // Each event has a time of its own, not far beyond the number of operations.
  const auto at = [&](Instant time) -> std::string& {
    const size_t place = static_cast<size_t>(time.time_since_epoch().count());
    if (place >= lines.size()) lines.resize(place + place / 2);
    return lines[place];
  };
  for (const Operation& o : history.operations) {
    const bool gets = o.kind == Kind::kGet;
    const std::string call =
        absl::StrCat(", :f :", gets ? "read" : "write", ", :key \"", o.key.view(), "\", :value ");
    at(o.invoked) = absl::StrCat("{:process ", o.process, ", :type :invoke", call,
                                 gets ? "nil" : value(o.value), "}\n");
    at(o.returned) = absl::StrCat("{:process ", o.process, ", :type :ok", call,
                                  value(gets ? o.result : o.value), "}\n");
  }
  for (const std::string& line : lines) text += line;
  return text;
}

void ReadAndJudge(benchmark::State& state, const std::string& written) {
  const Bytes text = Bytes::Copy(written);
  for (auto _ : state) {
    const ReadResult result = ReadHistory(text);
    if (const auto* error = std::get_if<ReadError>(&result)) {
      state.SkipWithError(error->reason.c_str());
      return;
    }
    const Report report = CheckHistory(std::get<Recorded>(result).history);
    if (report.verdict != Verdict::kLinearizable) state.SkipWithError("not linearizable");
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(text.size()));
}

void MillionEdn(benchmark::State& state) {
  ReadAndJudge(state, EdnOf(Million(static_cast<uint32_t>(state.range(0)))));
}
void MillionJson(benchmark::State& state) {
  ReadAndJudge(state, WriteJson(Million(static_cast<uint32_t>(state.range(0))), Model::kRegister));
}
BENCHMARK(MillionEdn)->Arg(1)->Arg(10)->Unit(benchmark::kMillisecond);
BENCHMARK(MillionJson)->Arg(1)->Arg(10)->Unit(benchmark::kMillisecond);

struct Row {
  const char* name;
  HardLoad load;
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      {"KvraftFiftyClients", {}},
      {"KvraftOneText", {.values = 1}},
      {"KvraftTwoKeys", {.keys = 2, .values = 3}},
      {"KvraftOpen", {.clients = 20, .values = 3, .open_percent = 5}},
      {"Etcd",
       {.operations = 100, .clients = 20, .keys = 1, .registers = true, .open_percent = 15}},
      {"EtcdManyOpen",
       {.operations = 400, .clients = 20, .keys = 1, .registers = true, .open_percent = 40}},
      {"EtcdFiftyClients", {.keys = 1, .registers = true, .open_percent = 10}},
      {"EtcdLong", {.operations = 100'000, .clients = 20, .registers = true}},
  };
  return rows;
}

void JudgeHard(benchmark::State& state, const HardLoad& load) {
  uint64_t seed = 0;
  double wrong = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const History history = HardHistory(load, ++seed).Run();
    state.ResumeTiming();
    const Report report = CheckHistory(history);
    if (report.verdict == Verdict::kUndecided) state.SkipWithError("undecided");
    if (report.verdict == Verdict::kViolation) ++wrong;
  }
  state.counters["wrong"] = benchmark::Counter(wrong, benchmark::Counter::kAvgIterations);
}

bool Register() {
  for (const Row& row : Rows()) {
    for (const bool spoilt : {false, true}) {
      HardLoad load = row.load;
      load.spoilt = spoilt;
      const auto judge = [load](benchmark::State& state) { JudgeHard(state, load); };
      benchmark::RegisterBenchmark(absl::StrCat(row.name, spoilt ? "Spoilt" : "").c_str(), judge)
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}

[[maybe_unused]] const bool kRegistered = Register();

}  // namespace
}  // namespace lockstep::history
