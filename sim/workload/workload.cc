#include "sim/workload/workload.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/client/client.h"
#include "core/client/router.h"
#include "sim/check/cluster_checkers.h"
#include "sim/check/linearizability/checker.h"
#include "sim/workload/gateway_verdicts.h"
#include "sim/workload/operation_source.h"
#include "sim/workload/recorder.h"
#include "sim/workload/thin_caller.h"
#include "sim/workload/workload_client.h"

namespace lockstep::sim {
namespace {

// Enough to see who is stuck; fifty clients would hide it.
constexpr size_t kWaitingLinesMax = 5;

// A run's history is small; what a search needs beyond this it would not finish either.
constexpr uint64_t kStepsMax = 50'000'000;
constexpr uint64_t kMemoryBytesMax = uint64_t{256} << 20;

client::ClientOptions ClientOptionsOf(const WorkloadOptions& options, std::vector<NodeId> nodes,
                                      GroupId group) {
  client::ClientOptions result;
  result.nodes = std::move(nodes);
  result.group = group;
  result.attempt_timeout = options.attempt_timeout;
  result.backoff_min = options.backoff_min;
  result.backoff_max = options.backoff_max;
  result.outstanding_max = options.outstanding_max;
  const absl::Status valid = client::ValidateClientOptions(result);
  Check(valid.ok(), valid.message());
  return result;
}

client::RouterOptions RouterOptionsOf(const WorkloadOptions& options,
                                      std::vector<NodeId> controller) {
  client::RouterOptions result;
  result.controller_nodes = std::move(controller);
  result.attempt_timeout = options.attempt_timeout;
  result.backoff_min = options.backoff_min;
  result.backoff_max = options.backoff_max;
  result.outstanding_max = options.outstanding_max;
  result.shard_sessions_max = options.shard_sessions_max;
  result.configuration_age_max = options.attempt_timeout;
  const absl::Status valid = client::ValidateRouterOptions(result);
  Check(valid.ok(), valid.message());
  return result;
}

ThinOptions ThinOptionsOf(const WorkloadOptions& options, const Access& access, uint32_t client) {
  ThinOptions result;
  result.nodes = access.servers;
  result.shards = options.shards;
  result.sessions = client + options.thin_in_session > options.clients;
  result.patience_min = options.thin_patience;
  result.grace = options.thin_grace;
  result.pause = options.backoff_max;
  return result;
}

// Each life of a client is near another server.
NodeId DrawNear(const std::vector<NodeId>& servers, const Rng& rng) {
  return servers[Rng(rng).Split("near").Below(servers.size())];
}

MakeCaller CallerFor(const WorkloadOptions& options, const Access& access, uint32_t client) {
  if (options.IsThin(client)) {
    return [thin = ThinOptionsOf(options, access, client)](NodeId, Rng rng) {
      return std::make_unique<ThinCaller>(thin, rng);
    };
  }
  if (access.sharded) {
    return [router = RouterOptionsOf(options, access.nodes), servers = access.servers](
               NodeId near, Rng rng) mutable {
      router.near = near != NodeId() ? near : DrawNear(servers, rng);
      return std::make_unique<client::Router>(router, rng);
    };
  }
  return [client = ClientOptionsOf(options, access.nodes, access.group)](NodeId near,
                                                                         Rng rng) mutable {
    client.near = near != NodeId() ? near : DrawNear(client.nodes, rng);
    return std::make_unique<client::Client>(client, rng);
  };
}

}  // namespace

Workload::Workload(const WorkloadOptions& options, const Access& access, Rng rng)
    : source_(std::make_unique<OperationSource>(options, rng.Split("operations"))),
      recorder_(std::make_unique<Recorder>(source_->keys(), access.sharded ? options.shards : 0)),
      group_(access.group),
      sharded_(access.sharded),
      space_hard_limit_(access.space_hard_limit) {
  recorder_->set_newest_version(access.newest_version);
  for (uint32_t i = 0; i < options.clients; ++i) {
    clients_.push_back(std::make_unique<WorkloadClient>(i + 1, CallerFor(options, access, i + 1),
                                                        options.processes, rng.Split("client", i),
                                                        *source_, *recorder_));
  }
}

Workload::~Workload() = default;

size_t Workload::clients() const { return clients_.size(); }
SimClient& Workload::client(size_t number) { return *clients_[number]; }
void Workload::Bind(size_t number, ClientPort& port) { clients_[number]->Bind(port); }

void Workload::Hurry(Instant until, Duration think_max, const std::vector<NodeId>& cut_off) {
  if (source_->exhausted()) return;
  source_->Hurry(until, think_max);
  for (const std::unique_ptr<WorkloadClient>& client : clients_) client->Hurry(until, cut_off);
}

void Workload::StopIssuing() { source_->Stop(); }

void Workload::BeginFinalRound() {
  StopIssuing();
  for (const std::unique_ptr<WorkloadClient>& client : clients_) client->BeginFinalRound();
}

bool Workload::Done() const {
  return std::all_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client->Done(); });
}

std::string Workload::WaitingFor() const {
  std::string text;
  size_t waiting = 0;
  for (const std::unique_ptr<WorkloadClient>& client : clients_) {
    if (client->Done()) continue;
    if (++waiting <= kWaitingLinesMax) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", client->WaitingFor());
    }
  }
  if (waiting > kWaitingLinesMax) {
    absl::StrAppend(&text, "\nand ", waiting - kWaitingLinesMax, " other clients");
  }
  return text;
}

uint64_t Workload::issued() const { return source_->issued(); }

void Workload::Check(ClusterCheckers& checkers, Judges judges, Findings& findings) const {
  const auto first_of = [&](const CommandIdentity& command) {
    return checkers.FirstOf(group_, command);
  };
  if (judges != Judges::kHistory) CheckExactlyOnce(first_of, findings);
  const ShardModel* shards = checkers.shard_model();
  if (judges != Judges::kHistory && shards != nullptr) {
    CheckExecutions(*recorder_, *shards, findings);
    CheckStaleReads(*recorder_, *shards, findings);
  }
  if (judges == Judges::kWhiteBox) return;
  const std::string& refused = recorder_->refused_without_data();
  if (!space_hard_limit_ && !refused.empty()) findings.Report("Deletes Go On", refused);
  if (!recorder_->torn_batch().empty()) findings.Report("Atomicity", recorder_->torn_batch());
  const auto executions_of = [&](const CommandIdentity& command) {
    const ContentsModel* contents = shards == nullptr ? nullptr : shards->ContentsOf(command.shard);
    return contents == nullptr ? std::vector<Index>() : contents->ExecutionsOf(command.content);
  };
  CheckLinearizability(first_of, executions_of, findings);
}

// The committed log shows the way to an order in almost every run; when it does not, it is not
// believed either: then the history alone decides.
void Workload::CheckLinearizability(FirstOf first_of, ExecutionsOf executions_of,
                                    Findings& findings) const {
  const linearizability::History& history = recorder_->history();
  const absl::Status valid = linearizability::Validate(history);
  lockstep::Check(valid.ok(), valid.message());
  linearizability::Options quick;
  quick.use = {true, true, false, false};
  const linearizability::History told = recorder_->HistoryByLog(first_of, executions_of);
  const linearizability::Report by_log = linearizability::CheckHistory(told, quick);
  if (by_log.verdict == linearizability::Verdict::kLinearizable) return;
  linearizability::Options options;
  options.steps_max = kStepsMax;
  options.memory_bytes_max = kMemoryBytesMax;
  const linearizability::Report report = linearizability::CheckHistory(history, options);
  if (report.verdict == linearizability::Verdict::kLinearizable) return;
  const bool undecided = report.verdict == linearizability::Verdict::kUndecided;
  std::string evidence = linearizability::Describe(report, history);
  if (undecided && by_log.verdict == linearizability::Verdict::kViolation) {
    absl::StrAppend(&evidence, "\nif what the committed log lacks never took effect:\n",
                    linearizability::Describe(by_log, told));
  }
  findings.Report({.kind = undecided ? ViolationKind::kUndecided : ViolationKind::kSafety,
                   .property = "Linearizability",
                   .evidence = std::move(evidence)});
}

linearizability::History Workload::History() const {
  linearizability::History history = recorder_->history();
  for (const auto& client : clients_) client->AppendOpen(&history);
  return history;
}

void Workload::CheckExactlyOnce(FirstOf first_of, Findings& findings) const {
  for (const Recorder::Executed& executed : recorder_->executed()) {
    const CommandIdentity& command = executed.command;
    if (command.sequence == 0 && command.content != 0) continue;  // CheckExecutions
    const Index first = first_of(command);
    if (first && first == executed.index) continue;
    return findings.Report(
        first ? "Exactly-Once" : "Durability",
        absl::StrCat("process ", executed.process, " was told that its command ", command.sequence,
                     " of session ", command.session.value(), " was executed at index ",
                     executed.index.value(), "\n",
                     first
                         ? absl::StrCat("in the committed log it is first at index ", first.value())
                         : "the committed log does not have it"));
  }
}

void Workload::AppendCounters(Counters* counters) const {
  const OperationCounters& done = recorder_->counters();
  auto& values = counters->values;
  values.emplace_back("reads answered", done.reads);
  values.emplace_back("reads from any replica", done.any_replica_reads);
  values.emplace_back("writes executed", done.writes);
  values.emplace_back("swaps mismatched", done.swaps_failed);
  values.emplace_back("operations not executed", done.not_executed);
  values.emplace_back("refused for want of space", done.no_space);
  values.emplace_back("operations unknown", done.unknown);
  values.emplace_back("replies replayed", done.replayed);
  values.emplace_back("client restarts", done.restarts);
  if (!sharded_) return;
  values.emplace_back("writes through gateways", done.through_gateways);
  values.emplace_back("stale reads", done.stale_reads);
}

}  // namespace lockstep::sim
