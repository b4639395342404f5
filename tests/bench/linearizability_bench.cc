// How long the checker takes for histories of 100,000 operations of 50 clients, 1% of them open:
// by witness, by zones and by the searches; right ones and ones with a stale read near the end.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "sim/check/linearizability/checker.h"

namespace lockstep::linearizability {
namespace {

struct Load {
  uint32_t operations = 100'000;
  uint32_t clients = 50;
  uint32_t keys = 1;
  bool swaps = false;
  bool appends = false;
  bool deletes = false;
  bool unique = true;
  bool witness = false;
  bool stale = false;  // one get at nine tenths answers what it would have answered long before
  uint32_t open_percent = 1;
};

// A store that executes each call at one moment of its interval.
class Recorder {
 public:
  explicit Recorder(const Load& load) : load_(load), clients_(load.clients), held_(load.keys) {}

  History Run() {
    while (history_.operations.size() < load_.operations || busy_ > 0) {
      Client& client = clients_[rng_.Below(load_.clients)];
      ++time_;
      if (!client.busy) {
        if (history_.operations.size() < load_.operations) Invoke(client);
      } else if (!client.executed) {
        client.executed = true;
        Execute(history_.operations[client.operation], client.key);
      } else {
        Return(client);
      }
    }
    if (load_.stale) SpoilOne();
    return std::move(history_);
  }

 private:
  struct Client {
    bool busy = false;
    bool executed = false;
    size_t operation = 0;
    uint32_t key = 0;
  };

  Value Fresh() {
    const uint64_t number = load_.unique ? ++values_ : rng_.Below(20);
    return Bytes::Copy(absl::StrCat("v", number, ";"));
  }

  void Invoke(Client& client) {
    client = {true, false, history_.operations.size(),
              static_cast<uint32_t>(rng_.Below(load_.keys))};
    ++busy_;
    Operation operation;
    operation.key = Bytes::Copy(absl::StrCat("key", client.key));
    operation.invoked = Instant(Duration(time_));
    const uint64_t dice = rng_.Below(20);
    if (dice < 8) {
      operation.kind = Kind::kGet;
    } else if (dice < 11 && load_.swaps) {
      operation.kind = Kind::kCompareAndSwap;
      operation.expected = held_[client.key];
      operation.value = Fresh();
    } else if (dice < 16 && load_.appends) {
      operation.kind = Kind::kAppend;
      operation.value = Fresh();
    } else if (dice < 18 && load_.deletes) {
      operation.kind = Kind::kDelete;
    } else {
      operation.kind = Kind::kPut;
      operation.value = Fresh();
    }
    history_.operations.push_back(std::move(operation));
  }

  void Execute(Operation& operation, uint32_t key) {
    Value& held = held_[key];
    operation.outcome = Outcome::kDone;
    if (operation.kind != Kind::kGet) ++index_;
    if (load_.witness) operation.witness = Witness{0, index_};
    switch (operation.kind) {
      case Kind::kGet:
        operation.result = held;
        break;
      case Kind::kPut:
        held = operation.value;
        break;
      case Kind::kDelete:
        held.reset();
        break;
      case Kind::kAppend:
        held = Bytes::Copy(absl::StrCat(held.has_value() ? held->view() : absl::string_view(),
                                        operation.value->view()));
        break;
      case Kind::kCompareAndSwap:
        if (held == operation.expected) {
          held = operation.value;
        } else {
          operation.outcome = Outcome::kMismatch;
          operation.result = held;
        }
        break;
    }
  }

  void Return(Client& client) {
    Operation& operation = history_.operations[client.operation];
    if (rng_.Below(100) < load_.open_percent) {
      operation.outcome = Outcome::kUnknown;
      operation.result.reset();
    } else {
      operation.returned = Instant(Duration(time_));
    }
    client.busy = false;
    --busy_;
  }

  void SpoilOne() {
    Value stale;
    for (size_t i = 0; i < history_.operations.size(); ++i) {
      Operation& operation = history_.operations[i];
      if (operation.kind != Kind::kGet || operation.open()) continue;
      if (i < history_.operations.size() / 2 && operation.result.has_value())
        stale = operation.result;
      if (i < history_.operations.size() / 10 * 9 || operation.result == stale) continue;
      operation.result = stale;
      return;
    }
  }

  const Load load_;
  Rng rng_ = Rng(7);
  std::vector<Client> clients_;
  std::vector<Value> held_;
  History history_;
  int64_t time_ = 0;
  uint64_t busy_ = 0;
  uint64_t values_ = 0;
  uint64_t index_ = 0;
};

void Judge(benchmark::State& state, const Load& load, const Options& options, Verdict want) {
  const History history = Recorder(load).Run();
  Report report;
  for (auto _ : state) {
    report = CheckHistory(history, options);
    benchmark::DoNotOptimize(report);
  }
  if (report.verdict != want) state.SkipWithError(std::string(Name(report.verdict)).c_str());
  state.counters["steps"] = static_cast<double>(report.steps);
  for (size_t i = 0; i < kAlgorithms; ++i) {
    if (report.decided[i] > 0) state.SetLabel(std::string(Name(static_cast<Algorithm>(i))));
  }
  if (report.counterexample.has_value())
    state.counters["shown"] = static_cast<double>(report.counterexample->operations.size());
}

Options Without(std::vector<Algorithm> algorithms) {
  Options options;
  for (Algorithm algorithm : algorithms) options.use[static_cast<size_t>(algorithm)] = false;
  return options;
}

struct Row {
  const char* name;
  Load load;
  bool searches_only = false;
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      {"Witness", {.swaps = true, .appends = true, .deletes = true, .witness = true}},
      {"WitnessDuplicates", {.swaps = true, .deletes = true, .unique = false, .witness = true}},
      {"PutGet", {}},
      {"PutGetSwap", {.swaps = true}},
      {"PutGetSwapAppend", {.swaps = true, .appends = true}},
      {"FiveKeys", {.keys = 5, .swaps = true, .appends = true}},
      {"Stale", {.swaps = true, .stale = true}},
      {"StaleAppends", {.swaps = true, .appends = true, .stale = true}},
      {"Deletes", {.swaps = true, .deletes = true}},
      {"DeletesStale", {.swaps = true, .deletes = true, .stale = true}},
      {"DeletesFiveKeys", {.keys = 5, .swaps = true, .deletes = true}},
      {"DeletesAppends", {.keys = 5, .swaps = true, .appends = true, .deletes = true}},
      {"SearchPutGet", {}, true},
      {"SearchPutGetSwap", {.swaps = true}, true},
      {"SearchStale", {.swaps = true, .stale = true}, true},
      {"SearchEightClients", {.clients = 8, .swaps = true, .deletes = true}, true},
      {"SearchAppends", {.clients = 8, .appends = true}, true},
      {"Duplicates",
       {.clients = 8, .swaps = true, .deletes = true, .unique = false, .open_percent = 0}},
  };
  return rows;
}

bool Register() {
  for (const Row& row : Rows()) {
    const Options options =
        row.searches_only ? Without({Algorithm::kWitness, Algorithm::kZones}) : Options();
    const Verdict want = row.load.stale ? Verdict::kViolation : Verdict::kLinearizable;
    const auto judge = [row, options, want](benchmark::State& state) {
      Judge(state, row.load, options, want);
    };
    benchmark::RegisterBenchmark(row.name, judge)->Unit(benchmark::kMillisecond);
  }
  return true;
}

[[maybe_unused]] const bool kRegistered = Register();

}  // namespace
}  // namespace lockstep::linearizability
