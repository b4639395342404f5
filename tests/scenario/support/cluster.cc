#include "tests/scenario/support/cluster.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "core/client/client.h"

namespace lockstep::scenario {
namespace {

StageOptions StageOptionsOf(node::NodeOptions node, storage::EngineOptions engine,
                            const ClusterOptions& options) {
  node.raft.append_entries_max = options.append_entries_max;
  node.log_entries_max = options.log_entries_max;
  node.log_bytes_max = options.log_bytes_max;
  node.log_entries_kept = options.log_entries_kept;
  engine.wal_segment_bytes_max = options.wal_segment_bytes_max;
  StageOptions stage;
  stage.seed = options.seed;
  stage.servers = options.servers;
  stage.hosts = static_cast<uint16_t>(options.clients + 1);  // and the proposer
  stage.weather = options.weather;
  stage.crash = options.crash;
  stage.node = std::move(node);
  stage.engine = std::move(engine);
  stage.groups = {sim::StoreOnAll(kOnlyGroup, options.servers)};
  return stage;
}

client::ClientOptions ClientOptionsOf(const Side& servers) {
  client::ClientOptions client;
  client.nodes = servers;
  client.group = kOnlyGroup;
  client.attempt_timeout = kAttemptTimeout;
  client.backoff_max = kBackoffMax;
  return client;
}

}  // namespace

Cluster::Cluster(const ClusterOptions& options)
    : Stage(StageOptionsOf(LabNode(), SmallEngine(), options), /*controller=*/nullptr),
      proposer_(kOnlyGroup, recorder_) {
  watch_.on_note = [this](NodeId node, const Note& note) { proposer_.OnNote(node, note); };
  for (uint16_t i = 0; i < options.clients; ++i) {
    AddClient(
        std::make_unique<client::Client>(ClientOptionsOf(Servers()), root_.Split("client", i)),
        /*shards=*/0);
  }
  proposer_.Bind(world_.client(options.clients));
  world_.client(options.clients).Attach(proposer_);
  links_.Shelter(options.clients);
  Begin();
}

Cluster::~Cluster() { Finish(); }

// --- Verdict ---

// All healthy servers are up and at rest, and have executed all that anybody has in its log.
bool Cluster::HasConverged() {
  const NodeId leader = LeaderAmong(Servers());
  if (!leader) return false;
  for (const NodeId server : Servers()) {
    if (IsLost(server)) continue;
    if (!IsUp(server) || !IsAtRest(HostOf(server))) return false;
    if (AppliedOf(server) != ReplicaOn(leader).last) return false;
  }
  return true;
}

void Cluster::Finish() {
  if (!BeginEnd()) return;
  Heal();
  LetClientsFinish();
  proposer_.AbandonAll();
  ReadEveryKey();
  if (broken()) return;
  const bool converged = RunUntil([&] { return HasConverged(); }, kHealPatience);
  EXPECT_TRUE(converged || broken()) << "healed, but the servers do not come to agree";
  if (!converged) return;
  for (const NodeId server : Servers()) {
    if (!IsLost(server)) JudgeTable(server, kOnlyGroup);
  }
  watch_.checkers().AtEnd();
  LookForFindings();
  JudgeHistory(kOnlyGroup);
}

}  // namespace lockstep::scenario
