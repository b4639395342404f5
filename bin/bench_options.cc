#include "bin/bench_options.h"

#include <CLI/CLI.hpp>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bin/lockstep_values.h"
#include "core/base/limits.h"

namespace lockstep::bench {
namespace {

using bin::ParseBytes;
using bin::ParseDuration;
using bin::ParseNumber;
using bin::Refuse;

// "put=1,get=9"; "put" alone is put=1.
std::array<uint32_t, kKinds> ParseMix(const std::string& text) {
  std::array<uint32_t, kKinds> weights = {};
  for (absl::string_view part : bin::SplitList("--mix", text)) {
    const std::pair<absl::string_view, absl::string_view> sides =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    const size_t kind =
        bin::OneOf("--mix", sides.first, {"put", "get", "append", "delete", "cas", "list"});
    const bool weighted = part.find('=') != part.npos;
    weights[kind] =
        weighted ? static_cast<uint32_t>(ParseNumber("--mix", sides.second, 0, 1'000'000)) : 1;
  }
  if (std::accumulate(weights.begin(), weights.end(), uint64_t{0}) == 0) {
    Refuse(absl::StrCat("--mix: \"", text, "\" does nothing: some weight must be above 0"));
  }
  return weights;
}

Duration ParseWarmUp(const std::string& text) {
  return text == "0" || text == "0s" ? Duration(0) : ParseDuration("--warm-up", text);
}

void AddLoad(CLI::App& app, BenchOptions::Raw& raw) {
  const std::string group = "The load";
  app.add_option("--mix", raw.mix, "Operations by weight (default put=1)")
      ->option_text("put=1,get=9,append,delete,cas,list")
      ->group(group);
  app.add_option("--outstanding,-c", raw.outstanding,
                 "Closed loop: operations under way (default 64); with --rate: the most that may "
                 "be (default 10000)")
      ->option_text("N")
      ->group(group);
  app.add_option("--rate", raw.rate,
                 "Open loop: operations a second, whatever the answers do; latency counts from "
                 "the time meant; 0.5: one in two seconds")
      ->option_text("N")
      ->group(group);
  app.add_option("--arrivals", raw.arrivals, "Of an open loop (default poisson)")
      ->option_text("poisson|fixed")
      ->group(group);
  app.add_option("--connections", raw.connections, "Connections to spread it over (default 1)")
      ->option_text("N")
      ->group(group);
  app.add_option("--warm-up", raw.warm_up, "Time that does not count (default 1s)")
      ->option_text("TIME")
      ->group(group);
  app.add_option("--duration,-d", raw.duration, "Time that counts (default 10s)")
      ->option_text("TIME")
      ->group(group);
  app.add_option("--count,-n", raw.count, "So many operations instead, however long they take")
      ->option_text("N")
      ->group(group);
  app.add_option("--seed", raw.seed, "Of keys, kinds and times (default 1)")
      ->option_text("N")
      ->group(group);
}

void AddData(CLI::App& app, BenchOptions::Raw& raw) {
  const std::string group = "Keys and values";
  app.add_option("--keys", raw.keys, "Different keys (default 10000)")
      ->option_text("N")
      ->group(group);
  app.add_option("--distribution", raw.distribution,
                 "How they are chosen; zipf: with exponent 0.99 (default uniform)")
      ->option_text("uniform|zipf")
      ->group(group);
  app.add_option("--key-prefix", raw.key_prefix, "What keys begin with (default bench-)")
      ->group(group);
  app.add_option("--value-bytes", raw.value_bytes, "Bytes of a value: 256, 4k, 1M (default 256)")
      ->option_text("BYTES")
      ->group(group);
  app.add_option("--list-limit", raw.list_limit, "Pairs that a list asks for (default 100)")
      ->option_text("N")
      ->group(group);
  app.add_flag("--no-prepare", raw.no_prepare,
               "Do not put every key once before a load that reads, compares or lists")
      ->group(group);
  app.add_option("--history", raw.history,
                 "Record every operation there, for lockstep-sim check; keys and values are then "
                 "the run's own (not for cas and list)")
      ->option_text("FILE")
      ->group("The report");
  app.add_option("--server-pids", raw.server_pids,
                 "Processes on this machine whose CPU time is counted for an operation")
      ->option_text("PID,...")
      ->delimiter(',')
      ->group("The report");
}

}  // namespace

void AddBenchOptions(CLI::App& app, BenchOptions& options) {
  AddLoad(app, options.raw);
  AddData(app, options.raw);
}

void FillBenchOptions(BenchOptions& options) {
  const BenchOptions::Raw& raw = options.raw;
  LoadOptions& load = options.load;
  load.weights = ParseMix(raw.mix);
  load.keys = ParseNumber("--keys", raw.keys, 1, uint64_t{1} << 40);
  load.distribution = bin::OneOf("--distribution", raw.distribution, {"uniform", "zipf"}) == 1
                          ? Distribution::kZipf
                          : Distribution::kUniform;
  load.value_bytes = ParseBytes("--value-bytes", raw.value_bytes, kValueBytesMax);
  if (!raw.rate.empty()) load.rate = bin::ParseDecimal("--rate", raw.rate, 0.01, 10'000'000);
  load.outstanding = raw.outstanding.empty()
                         ? (load.rate > 0 ? 10'000 : 64)
                         : ParseNumber("--outstanding", raw.outstanding, 1, 1'000'000);
  load.poisson = bin::OneOf("--arrivals", raw.arrivals, {"poisson", "fixed"}) == 0;
  load.warm_up = ParseWarmUp(raw.warm_up);
  load.duration = ParseDuration("--duration", raw.duration);
  if (!raw.count.empty()) load.count = ParseNumber("--count", raw.count, 1, UINT64_MAX);
  load.seed = ParseNumber("--seed", raw.seed, 0, UINT64_MAX);
  load.key_prefix = raw.key_prefix;
  options.connections =
      static_cast<size_t>(ParseNumber("--connections", raw.connections, 1, 1'000));
  options.list_limit =
      static_cast<uint32_t>(ParseNumber("--list-limit", raw.list_limit, 1, kListPairsMax));
  for (const std::string& pid : raw.server_pids) {
    load.server_pids.push_back(static_cast<pid_t>(ParseNumber("--server-pids", pid, 1, INT32_MAX)));
  }
  options.history = raw.history;
  const auto weight = [&](Kind kind) { return load.weights[static_cast<size_t>(kind)]; };
  load.prepare =
      !raw.no_prepare && weight(Kind::kGet) + weight(Kind::kCas) + weight(Kind::kList) > 0;
  if (options.history.empty()) return;
  if (weight(Kind::kCas) + weight(Kind::kList) > 0) {
    throw CLI::ValidationError(
        "--history", "records put, get, append and delete: leave cas and list out of --mix");
  }
  // A history begins with keys that do not exist.
  load.prepare = false;
  load.key_prefix += absl::StrCat(absl::ToUnixMicros(absl::Now()), "-");
}

}  // namespace lockstep::bench
