#include "bin/bench_report.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/lockstep_text.h"

namespace lockstep::bench {
namespace {

using nlohmann::ordered_json;

constexpr std::pair<const char*, uint32_t> kPercentiles[] = {
    {"p50", 5'000}, {"p90", 9'000}, {"p95", 9'500}, {"p99", 9'900}, {"p99.9", 9'990}};

std::string Milliseconds(uint64_t nanoseconds) {
  const double ms = static_cast<double>(nanoseconds) / 1e6;
  return ms < 10 ? absl::StrFormat("%.3f", ms) : absl::StrFormat("%.1f", ms);
}
double Microseconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

ordered_json LatencyJson(const Histogram& latency) {
  ordered_json json;
  json["min"] = Microseconds(latency.min());
  json["mean"] = Microseconds(latency.mean());
  for (const auto& [name, per_myriad] : kPercentiles) {
    json[name] = Microseconds(latency.Percentile(per_myriad));
  }
  json["max"] = Microseconds(latency.max());
  return json;
}

ordered_json KindJson(const KindReport& report) {
  ordered_json json;
  json["answered"] = report.answered;
  json["conflicts"] = report.conflicts;
  json["missing"] = report.missing;
  json["failed"] = report.failed();
  json["errors"] = ordered_json::object();
  for (const auto& [reason, count] : report.errors) json["errors"][reason] = count;
  json["latency_us"] = LatencyJson(report.latency);
  return json;
}

uint64_t ServersUs(const LoadReport& report) {
  uint64_t sum = 0;
  for (uint64_t us : report.server_cpu_us) sum += us;
  return sum;
}

double PerOperation(uint64_t amount, const LoadReport& report) {
  return report.answered_in_time == 0
             ? 0
             : static_cast<double>(amount) / static_cast<double>(report.answered_in_time);
}

ordered_json OptionsJson(const LoadOptions& options) {
  ordered_json mix = ordered_json::object();
  for (size_t kind = 0; kind < kKinds; ++kind) {
    if (options.weights[kind] > 0) mix[NameOf(static_cast<Kind>(kind))] = options.weights[kind];
  }
  return {{"mix", mix},
          {"keys", options.keys},
          {"distribution", options.distribution == Distribution::kZipf ? "zipf" : "uniform"},
          {"value_bytes", options.value_bytes},
          {"outstanding", options.outstanding},
          {"rate", options.rate},
          {"arrivals", options.rate <= 0 ? "closed"
                       : options.poisson ? "poisson"
                                         : "fixed"},
          {"warm_up_seconds", static_cast<double>(options.warm_up.count()) / 1e9},
          {"seed", options.seed}};
}

std::vector<std::string> Row(const std::string& name, const KindReport& report, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(report.answered) / seconds : 0;
  std::vector<std::string> cells = {name, absl::StrCat(report.answered),
                                    absl::StrCat(report.failed()), absl::StrFormat("%.0f", rate)};
  for (const auto& [label, per_myriad] : kPercentiles) {
    cells.push_back(Milliseconds(report.latency.Percentile(per_myriad)));
  }
  cells.push_back(Milliseconds(report.latency.max()));
  return cells;
}

}  // namespace

ordered_json ReportJson(const LoadOptions& options, const LoadReport& report) {
  ordered_json json;
  json["options"] = OptionsJson(options);
  json["seconds"] = report.seconds();
  json["operations"] = report.answered_in_time;
  json["per_second"] = report.per_second();
  json["longest_gap_ms"] = static_cast<double>(report.longest_gap.count()) / 1e6;
  json["all"] = KindJson(report.all);
  json["kinds"] = ordered_json::object();
  for (size_t kind = 0; kind < kKinds; ++kind) {
    if (options.weights[kind] > 0) {
      json["kinds"][NameOf(static_cast<Kind>(kind))] = KindJson(report.kinds[kind]);
    }
  }
  ordered_json cpu;
  cpu["servers"] = PerOperation(ServersUs(report), report);
  cpu["each_server"] = ordered_json::array();
  for (uint64_t us : report.server_cpu_us) cpu["each_server"].push_back(PerOperation(us, report));
  cpu["client"] = PerOperation(report.client_cpu_us, report);
  json["cpu_us_per_operation"] = cpu;
  json["other_cpu_share"] =
      report.seconds() > 0 ? static_cast<double>(report.other_cpu_us) / 1e6 / report.seconds() : 0;
  json["server_resident_bytes"] = report.server_resident_bytes;
  if (report.log_syncs.has_value()) {
    json["log_syncs"] = *report.log_syncs;
    json["log_syncs_per_operation"] = PerOperation(*report.log_syncs, report);
  }
  return json;
}

std::string ReportText(const LoadOptions& options, const LoadReport& report) {
  std::string text =
      absl::StrFormat("%d operations in %.2f s: %.0f/s; longest gap %s ms\n\n",
                      report.answered_in_time, report.seconds(), report.per_second(),
                      Milliseconds(static_cast<uint64_t>(report.longest_gap.count())));
  bin::Table table(
      {"MS", "ANSWERED", "FAILED", "PER S", "P50", "P90", "P95", "P99", "P99.9", "MAX"});
  int kinds = 0;
  for (size_t kind = 0; kind < kKinds; ++kind) {
    if (options.weights[kind] == 0) continue;
    ++kinds;
    table.Add(Row(NameOf(static_cast<Kind>(kind)), report.kinds[kind], report.seconds()));
  }
  if (kinds > 1) table.Add(Row("all", report.all, report.seconds()));
  absl::StrAppend(&text, table.Text());
  for (const auto& [reason, count] : report.all.errors) {
    absl::StrAppend(&text, "failed: ", count, " ", reason, "\n");
  }
  if (report.all.conflicts > 0) {
    absl::StrAppend(&text, "comparisons that failed: ", report.all.conflicts, "\n");
  }
  if (report.all.missing > 0) absl::StrAppend(&text, "missing keys: ", report.all.missing, "\n");
  absl::StrAppendFormat(&text, "\nCPU of the client: %.1f us an operation\n",
                        PerOperation(report.client_cpu_us, report));
  if (!report.server_cpu_us.empty()) {
    absl::StrAppendFormat(&text, "CPU of the servers: %.1f us an operation\n",
                          PerOperation(ServersUs(report), report));
  }
  if (report.log_syncs.has_value()) {
    absl::StrAppendFormat(&text, "Log syncs of all servers: %d, %.3f an operation\n",
                          *report.log_syncs, PerOperation(*report.log_syncs, report));
  }
  return text;
}

std::string ProgressText(const Progress& progress) {
  return absl::StrFormat(
      "%3d s%s  %d/s  p50 %s ms  p99 %s ms  max %s ms%s", progress.elapsed.count() / 1'000'000'000,
      progress.warming_up ? " (warming up)" : "", progress.per_second,
      Milliseconds(progress.latency.Percentile(5'000)),
      Milliseconds(progress.latency.Percentile(9'900)), Milliseconds(progress.latency.max()),
      progress.failed > 0 ? absl::StrCat("  ", progress.failed, " failed") : "");
}

}  // namespace lockstep::bench
