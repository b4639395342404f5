#include "sim/framework/trial_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/world/describe.h"
#include "sim/world/weather.h"
#include "sim/world/world_counters.h"

namespace lockstep::sim {
namespace {

Rng RootOf(const TrialOptions& options) { return Rng(options.seed, options.tape); }

WorldOptions DrawWorld(const TrialOptions& options, const Rng& root) {
  const Rng streams = root.Split("climate");
  WorldOptions world;
  world.servers = options.servers;
  world.clients = options.clients;
  world.network = DrawNetwork(streams.Split("network"));
  world.host = DrawHost(streams.Split("host"));
  if (options.schedule == Schedule::kPct) {
    world.pct = DrawPct(streams.Split("pct"), world.network, options.unit);
  }
  return world;
}

FaultOptions DrawFaults(const TrialOptions& options, const Rng& root) {
  Rng rng = root.Split("climate").Split("faults");
  FaultSet faults = options.faults;
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    if (!GeneralFaults().contains(kind)) faults.erase(kind);
  }
  return FaultOptions::Draw(rng, faults, options.all_faults_on, options.unit.count());
}

}  // namespace

TrialRun::TrialRun(const TrialOptions& options, System& system)
    : options_(options),
      system_(system),
      faults_(DrawFaults(options, RootOf(options))),
      servers_(options.servers),
      world_(DrawWorld(options, RootOf(options)), *this, *this, RootOf(options), options.trace),
      plan_(faults_, world_, Quorums::OfAll(world_.AllServers()), RootOf(options).Split("faults")),
      aimed_(faults_, plan_, world_, RootOf(options).Split("aimed faults")),
      phase_rng_(RootOf(options).Split("phases")) {}

void TrialRun::Go() {
  Start();
  while (!stopped_ && event() < options_.stop_after_event) {
    const World::Stepped stepped = world_.Step();
    if (stepped == World::Stepped::kVoid) continue;
    if (stepped == World::Stepped::kEmpty) {
      FailLiveness("Nothing Can Happen", "no event can ever fire");
      break;
    }
    if (!findings_.first().has_value()) system_.CheckInvariants(servers_, findings_);
    if (findings_.first().has_value()) break;
    LookAtPhase();
    if (event() >= options_.events_max) {
      FailLiveness("Event Budget", absl::StrCat("more than ", options_.events_max, " events"));
    }
  }
  if (!findings_.first().has_value()) return;
  violation_event_ = event();
  world_.tracer().Add(TraceKind::kRun, 0, 0, [&] {
    return absl::StrCat("VIOLATION of ", findings_.first()->property, ": ",
                        findings_.first()->evidence);
  });
}

// --- Software ---

absl::StatusOr<Life> TrialRun::Boot(NodeId node, storage::FileSystem& files, Rng rng,
                                    const Host& host) {
  absl::StatusOr<Life> life = system_.Boot(node, files, rng, host);
  if (life.ok()) {
    Check(life->storage != nullptr, "System::Boot gave a life without storage");
    Check(life->process != nullptr, "System::Boot gave a life without a process");
    servers_.Set(node, life->process.get());
  }
  return life;
}

std::string TrialRun::Describe(PacketKind kind, const Bytes& data) const {
  return system_.Describe(kind, data);
}

// --- WorldObserver ---

void TrialRun::OnWorldEvent(const Event& event) {
  switch (event.kind) {
    case EventKind::kFault:
    case EventKind::kFaultEdge:
      return plan_.OnEvent(event);
    case EventKind::kStrike:
      return aimed_.OnEvent(event);
    case EventKind::kPhase:
      if (event.payload == static_cast<uint32_t>(phase_)) OnDeadline();
      return;
    default:
      Check(false, "an event of a server without one");
  }
}

void TrialRun::OnNote(NodeHost& host, const Note& note) {
  world_.tracer().Add(TraceKind::kNote, host.id(), 0, [&] { return DescribeNote(note); });
}

void TrialRun::OnSubmitted(NodeHost& host, const StorageJob& job) { aimed_.OnSubmitted(host, job); }

Interference TrialRun::BeforeStorage(NodeHost& host, const StorageJob& job) {
  return aimed_.BeforeStorage(host, job);
}

Interference TrialRun::BeforeBoot(NodeHost& host) {
  ++boots_;
  return aimed_.BeforeBoot(host);
}

void TrialRun::OnCrashed(NodeHost& host) {
  ++crashes_;
  if (host.writing()) ++crashes_in_writes_;
  servers_.Set(host.node(), nullptr);
}

void TrialRun::OnBroken(NodeHost&, std::string property, std::string evidence) {
  findings_.Report(std::move(property), std::move(evidence));
}

// --- Report ---

std::string TrialRun::DescribeClimate() {
  return absl::StrCat(options_.servers, " servers, ", options_.clients, " clients, storm of ",
                      options_.storm.count() / 1000, " us at most, calm of ",
                      options_.calm_max.count() / 1000, " us at most\n",
                      sim::Describe(DrawWorld(options_, RootOf(options_))), "\n",
                      sim::Describe(faults_));
}

RunReport TrialRun::Report() {
  RunReport report;
  report.seed = options_.seed;
  report.hash = world_.timeline().hash().ToString();
  report.events = event();
  report.virtual_time = Duration(world_.timeline().now());
  report.nodes = options_.servers;
  auto& values = report.counters.values;
  values.emplace_back("boots", boots_);
  values.emplace_back("crashes", crashes_);
  values.emplace_back("crashes in writes", crashes_in_writes_);
  AppendWorldCounters(world_, &report.counters);
  report.climate = DescribeClimate();
  report.violation = findings_.first();
  report.violation_event = violation_event_;
  return report;
}

}  // namespace lockstep::sim
