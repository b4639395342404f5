#include "tests/scenario/support/cluster.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "core/base/check.h"
#include "sim/testing/trial.h"

namespace lockstep::scenario {
namespace {

node::NodeOptions NodeOptionsOf(const ClusterOptions& options) {
  node::NodeOptions node;
  node.raft.election_min = kElectionTimeout / 2;
  node.raft.election_max = kElectionTimeout;
  node.raft.heartbeat = kHeartbeat;
  node.raft.append_entries_max = options.append_entries_max;
  node.log_entries_max = options.log_entries_max;
  node.log_bytes_max = options.log_bytes_max;
  node.log_entries_kept = options.log_entries_kept;
  return node;
}

storage::EngineOptions EngineOptionsOf(const ClusterOptions& options) {
  storage::EngineOptions engine;
  engine.directory = "/data";
  engine.wal_segment_bytes_max = options.wal_segment_bytes_max;
  engine.table_write_buffer_bytes = uint64_t{128} << 10;
  return engine;
}

sim::WorldOptions WorldOptionsOf(const ClusterOptions& options) {
  sim::WorldOptions world;
  world.servers = options.servers;
  world.clients = static_cast<uint16_t>(options.clients + 1);  // and the proposer
  world.host.crash = options.crash;
  return world;
}

client::ClientOptions ClientOptionsOf(const Side& servers) {
  client::ClientOptions client;
  client.nodes = servers;
  client.group = kOnlyGroup;
  // Each attempt without an answer doubles the patience for the next. From the labs' 500 ms on that
  // would be half a minute where messages are lost one after the other, as they never are over TCP.
  client.attempt_timeout = std::chrono::milliseconds(100);
  client.backoff_max = std::chrono::milliseconds(200);
  return client;
}

std::unique_ptr<sim::TraceSink> TraceIfWanted() {
  if (std::getenv("LOCKSTEP_TRACE") == nullptr) return nullptr;
  return std::make_unique<testing::internal::StderrTrace>();
}

}  // namespace

Cluster::Cluster(const ClusterOptions& options)
    : options_(options),
      root_(options.seed),
      rng_(root_.Split("scenario")),
      trace_(TraceIfWanted()),
      watch_(kv::KvOptions().sessions_max),
      software_(NodeOptionsOf(options), EngineOptionsOf(options),
                {sim::StoreOnAll(kOnlyGroup, options.servers)}),
      world_(WorldOptionsOf(options), software_, watch_, root_, trace_.get()),
      links_(world_),
      recorder_(no_keys_),
      proposer_(kOnlyGroup, recorder_) {
  watch_.now = [this] { return now(); };
  watch_.on_note = [this](NodeId node, const Note& note) { proposer_.OnNote(node, note); };
  const Wait wait = [this](const auto& condition, Duration within) {
    return RunUntil(condition, within);
  };
  for (uint16_t i = 0; i < options.clients; ++i) {
    clients_.push_back(std::make_unique<Client>(ClientOptionsOf(Servers()),
                                                root_.Split("client", i), recorder_, wait));
    clients_.back()->Bind(world_.client(i));
    world_.client(i).Attach(*clients_.back());
  }
  proposer_.Bind(world_.client(options.clients));
  world_.client(options.clients).Attach(proposer_);
  links_.Shelter(options.clients);
  links_.SetWeather(options.weather);
  RestartAll();
}

Cluster::~Cluster() { Finish(); }

// --- Time ---

void Cluster::RunFor(Duration span) {
  RunUntil([] { return false; }, span);
}

bool Cluster::RunUntil(const std::function<bool()>& condition, Duration within) {
  if (condition()) return true;
  const int64_t until = world_.timeline().now() + within.count();
  // Something has to happen at the end, or the wait would last until the next event.
  world_.timeline().Schedule(until, sim::EventKind::kPhase, /*actor=*/0, /*payload=*/0);
  while (!broken_ && world_.timeline().now() < until) {
    const sim::World::Stepped stepped = world_.Step();
    if (stepped == sim::World::Stepped::kVoid) continue;
    LookForFindings();
    if (condition()) return true;
  }
  return false;
}

void Cluster::LookForFindings() {
  if (broken_ || !watch_.findings().first().has_value()) return;
  broken_ = true;
  const sim::Violation& violation = *watch_.findings().first();
  ADD_FAILURE() << violation.property << ": " << violation.evidence << "\n(seed " << options_.seed
                << ", " << static_cast<double>(world_.timeline().now()) / 1e9 << " s)";
}

// --- Servers ---

Side Cluster::Servers() const {
  Side servers;
  for (uint16_t id = 1; id <= options_.servers; ++id) servers.emplace_back(id);
  return servers;
}

Side Cluster::RunningServers() {
  Side servers;
  for (const NodeId server : Servers()) {
    if (IsUp(server)) servers.push_back(server);
  }
  return servers;
}

void Cluster::Crash(NodeId server) {
  HostOf(server).Crash(sim::CrashKind::kPower, sim::kNoTime);
  LookForFindings();
}

void Cluster::Kill(NodeId server) {
  HostOf(server).Crash(sim::CrashKind::kKill, sim::kNoTime);
  LookForFindings();
}

// A server is up when its boot has happened, a moment later.
void Cluster::Restart(NodeId server) {
  HostOf(server).BootAt(world_.timeline().now());
  RunUntil([&] { return IsUp(server); }, std::chrono::milliseconds(1));
}

void Cluster::CrashAll() {
  for (const NodeId server : Servers()) Crash(server);
}

void Cluster::RestartAll() {
  for (const NodeId server : Servers()) {
    if (!lost_.contains(server)) Restart(server);
  }
}

void Cluster::Pause(NodeId server, Duration span) {
  HostOf(server).PauseUntil(world_.timeline().now() + span.count(), sim::kNoFault);
}

}  // namespace lockstep::scenario
