#include "bin/lockstep_sim_outcome.h"

#include <time.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "bin/lockstep_sim_options.h"

namespace lockstep::bin {
namespace {

using nlohmann::json;

int64_t ReadClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int Outcome::exit_code() const {
  if (crashed) return kExitCrash;
  if (!report.violation.has_value()) return kExitPassed;
  return report.violation->kind == sim::ViolationKind::kLiveness ? kExitLiveness : kExitSafety;
}

std::string Outcome::property() const {
  if (crashed) return "crash";
  return report.violation.has_value() ? report.violation->property : std::string();
}

Outcome RunSeed(const sim::RunOptions& options) {
  Outcome outcome;
  const int64_t real = ReadClock(CLOCK_MONOTONIC);
  const int64_t cpu = ReadClock(CLOCK_PROCESS_CPUTIME_ID);
  outcome.report = sim::Run(options);
  outcome.real_ns = ReadClock(CLOCK_MONOTONIC) - real;
  outcome.cpu_ns = ReadClock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  return outcome;
}

std::string EncodeOutcome(const Outcome& outcome) {
  const sim::RunReport& report = outcome.report;
  json object = {{"seed", report.seed},       {"hash", report.hash},
                 {"events", report.events},   {"virtual_ns", report.virtual_time.count()},
                 {"nodes", report.nodes},     {"operations", report.operations},
                 {"climate", report.climate}, {"real_ns", outcome.real_ns},
                 {"cpu_ns", outcome.cpu_ns},  {"counters", report.counters.values}};
  if (report.violation.has_value()) {
    object["violation"] = {{"kind", static_cast<int>(report.violation->kind)},
                           {"property", report.violation->property},
                           {"evidence", report.violation->evidence},
                           {"event", report.violation_event}};
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Outcome DecodeOutcome(const std::string& text) {
  const json object = json::parse(text);
  Outcome outcome;
  sim::RunReport& report = outcome.report;
  report.seed = object.at("seed");
  report.hash = object.at("hash");
  report.events = object.at("events");
  report.virtual_time = Duration(object.at("virtual_ns").get<int64_t>());
  report.nodes = object.at("nodes");
  report.operations = object.at("operations");
  report.climate = object.at("climate");
  outcome.real_ns = object.at("real_ns");
  outcome.cpu_ns = object.at("cpu_ns");
  report.counters.values =
      object.at("counters").get<std::vector<std::pair<std::string, uint64_t>>>();
  if (object.contains("violation")) {
    const json& violation = object.at("violation");
    report.violation =
        sim::Violation{.kind = static_cast<sim::ViolationKind>(violation.at("kind").get<int>()),
                       .property = violation.at("property"),
                       .evidence = violation.at("evidence")};
    report.violation_event = violation.at("event");
  }
  return outcome;
}

}  // namespace lockstep::bin
