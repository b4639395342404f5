#include "tests/scenario/support/stage.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "core/base/check.h"
#include "core/kv/options.h"
#include "sim/testing/trial.h"

namespace lockstep::scenario {
namespace {

sim::WorldOptions WorldOptionsOf(const StageOptions& options) {
  sim::WorldOptions world;
  world.servers = options.servers;
  world.clients = options.hosts;
  world.host.crash = options.crash;
  return world;
}

std::unique_ptr<sim::TraceSink> TraceIfWanted() {
  if (std::getenv("LOCKSTEP_TRACE") == nullptr) return nullptr;
  return std::make_unique<testing::internal::StderrTrace>();
}

}  // namespace

node::NodeOptions Stage::LabNode() {
  node::NodeOptions node;
  node.raft.election_min = kElectionTimeout / 2;
  node.raft.election_max = kElectionTimeout;
  node.raft.heartbeat = kHeartbeat;
  return node;
}

storage::EngineOptions Stage::SmallEngine() {
  storage::EngineOptions engine;
  engine.directory = "/data";
  engine.wal_segment_bytes_max = uint64_t{64} << 10;
  engine.table_write_buffer_bytes = uint64_t{128} << 10;
  return engine;
}

Stage::Stage(const StageOptions& options, const controller::ControllerOptions* controller)
    : options_(options),
      root_(options.seed),
      rng_(root_.Split("scenario")),
      trace_(TraceIfWanted()),
      watch_(kv::KvOptions().sessions_max, controller),
      software_(options.node, options.engine, options.groups),
      world_(WorldOptionsOf(options), software_, watch_, root_, trace_.get()),
      links_(world_),
      recorder_(keys_) {
  watch_.now = [this] { return now(); };
}

void Stage::AddClient(std::unique_ptr<client::Caller> caller, uint32_t shards) {
  sim::ClientHost& host = world_.client(clients());
  clients_.push_back(
      std::make_unique<Client>(std::move(caller), shards, keys_, recorder_, Waits()));
  clients_.back()->Bind(host);
  host.Attach(*clients_.back());
}

Wait Stage::Waits() {
  return [this](const auto& condition, Duration within) { return RunUntil(condition, within); };
}

void Stage::Begin() {
  links_.SetWeather(options_.weather);
  RestartAll();
}

// --- Time ---

void Stage::RunFor(Duration span) {
  RunUntil([] { return false; }, span);
}

bool Stage::RunUntil(const std::function<bool()>& condition, Duration within) {
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

void Stage::LookForFindings() {
  if (broken_ || !watch_.findings().first().has_value()) return;
  broken_ = true;
  const sim::Violation& violation = *watch_.findings().first();
  ADD_FAILURE() << violation.property << ": " << violation.evidence << "\n(seed " << options_.seed
                << ", " << static_cast<double>(world_.timeline().now()) / 1e9 << " s)";
}

// --- Servers ---

Side Stage::Servers() const {
  Side servers;
  for (uint16_t id = 1; id <= options_.servers; ++id) servers.emplace_back(id);
  return servers;
}

Side Stage::RunningServers() {
  Side servers;
  for (const NodeId server : Servers()) {
    if (IsUp(server)) servers.push_back(server);
  }
  return servers;
}

void Stage::Crash(NodeId server) {
  HostOf(server).Crash(sim::CrashKind::kPower, sim::kNoTime);
  LookForFindings();
}

void Stage::Kill(NodeId server) {
  HostOf(server).Crash(sim::CrashKind::kKill, sim::kNoTime);
  LookForFindings();
}

void Stage::BreakConnections(NodeId server) {
  for (const NodeId other : RunningServers()) {
    if (other != server) BreakConnection(other, server);
  }
}

void Stage::BreakConnection(NodeId server, NodeId peer) {
  world_.Hint(static_cast<uint16_t>(server.value()), static_cast<uint16_t>(peer.value()),
              /*up=*/false, /*delay=*/1);
}

// A server is up when its boot has happened, a moment later.
void Stage::Restart(NodeId server) {
  HostOf(server).BootAt(world_.timeline().now());
  RunUntil([&] { return IsUp(server); }, std::chrono::milliseconds(1));
}

void Stage::CrashAll() {
  for (const NodeId server : Servers()) Crash(server);
}

void Stage::RestartAll() {
  for (const NodeId server : Servers()) {
    if (!IsLost(server)) Restart(server);
  }
}

void Stage::Pause(NodeId server, Duration span) {
  HostOf(server).PauseUntil(world_.timeline().now() + span.count(), sim::kNoFault);
}

NodeId Stage::LeaderAmong(const Side& servers, GroupId group) {
  NodeId leader;
  for (const NodeId server : servers) {
    const ReplicaState& replica = ReplicaOn(server, group);
    if (!IsUp(server) || replica.role != raft::Role::kLeader) continue;
    if (!leader || replica.term > ReplicaOn(leader, group).term) leader = server;
  }
  return leader;
}

}  // namespace lockstep::scenario
