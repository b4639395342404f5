// The commands that make nodes, feed them and move their disks.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/raft_script.h"
#include "tests/support/raft_text.h"

namespace lockstep::test {
namespace {

std::vector<NodeId> ParseNodes(Command& command, absl::string_view key) {
  std::vector<NodeId> nodes;
  const std::optional<std::string> text = command.Text(key);
  if (!text.has_value()) return nodes;
  for (absl::string_view part : absl::StrSplit(*text, ','))
    nodes.push_back(NodeId(command.ParseNumber(part)));
  return nodes;
}

}  // namespace

// cluster nodes=3 [election=1000ms] [heartbeat=100ms] [voters=1,2] [outgoing=2,3] [learners=4]
//         [spare=5] [incarnations] [lease] [clock_drift_max=10] [limits of raft::Config by name]
// Makes nodes 1 to N, empty and booted. Chance is out of it: node i waits election + (i - 1) *
// 50ms. Those who are spare are in no group and know of none. Incarnations: node i has number 100 +
// i.
void RaftScript::RunCluster(Command& command) {
  const uint64_t nodes = command.Number("nodes", 3);
  std::vector<NodeId> voters = ParseNodes(command, "voters");
  for (uint64_t i = 1; voters.size() < nodes && !command.Has("voters"); ++i)
    voters.push_back(NodeId(i));
  raft::Config config;
  const std::vector<NodeId> spare = ParseNodes(command, "spare");
  std::erase_if(voters, [&](NodeId one) {
    return std::find(spare.begin(), spare.end(), one) != spare.end();
  });
  const raft::Membership group(voters, ParseNodes(command, "outgoing"),
                               ParseNodes(command, "learners"));
  const bool incarnations = command.Flag("incarnations");
  const Duration election = command.Span("election", std::chrono::milliseconds(1000));
  config.heartbeat = command.Span("heartbeat", std::chrono::milliseconds(100));
  const auto limit = [&](absl::string_view key, uint64_t& value) {
    value = command.Number(key, value);
  };
  config.lease = command.Flag("lease");
  config.clock_drift_max =
      static_cast<uint32_t>(command.Number("clock_drift_max", config.clock_drift_max));
  limit("append_bytes_max", config.append_bytes_max);
  limit("append_entries_max", config.append_entries_max);
  limit("inflight_messages_max", config.inflight_messages_max);
  limit("inflight_bytes_max", config.inflight_bytes_max);
  limit("uncommitted_bytes_max", config.uncommitted_bytes_max);
  limit("pending_reads_max", config.pending_reads_max);
  limit("log_bytes_max", config.log_bytes_max);
  limit("snapshot_chunk_bytes_max", config.snapshot_chunk_bytes_max);
  limit("snapshot_chunks_max", config.snapshot_chunks_max);
  for (uint64_t i = 1; i <= nodes; ++i) {
    config.self = NodeId(i);
    config.membership = group.IsMember(config.self) ? group : raft::Membership();
    if (incarnations) config.incarnation = IncarnationId(100 + i);
    config.election_min = election + std::chrono::milliseconds(50 * (i - 1));
    config.election_max = config.election_min;
    configs_[config.self] = config;
    members_.emplace(config.self, Member(config, ReplicaImage{}, i, now_));
  }
}

// boot NODE [term=2] [vote=1] [doubt=1] [base=(t,i)] [log=1,1,2] [applied=(t,i)]
// Boots the node with this on its disk; `log` gives the terms of the entries after base.
void RaftScript::RunBoot(Command& command) {
  const NodeId id = command.NextNode();
  if (!configs_.contains(id)) return command.Fail("no such node: declare the cluster first");
  ReplicaImage image;
  image.base = command.Position("base", {});
  image.entries = ParseTerms(command, command.Text("log").value_or(""), image.base.index.Next());
  const Term last = image.entries.empty() ? image.base.term : image.entries.back().term;
  image.hard_state = HardState{Term(command.Number("term", last.value())), command.Node("vote"),
                               Term(command.Number("doubt", 0))};
  image.applied = command.Position("applied", image.base);
  members_.erase(id);
  members_.emplace(id, Member(configs_.at(id), std::move(image), id.value(), now_));
}

// crash NODE [keep=1]: power fails and comes back. Of the writes under way the `keep` oldest
// survive; what was not handed to the disk, and all that waited for it, is gone.
void RaftScript::RunCrash(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  member->Crash(command.Number("keep", 0));
  member->Boot(now_);
}

// stop NODE [keep=1]: power fails.
void RaftScript::RunStop(Command& command) {
  if (Member* member = Find(command); member != nullptr) member->Crash(command.Number("keep", 0));
}

// start NODE: power comes back.
void RaftScript::RunStart(Command& command) {
  if (Member* member = Find(command); member != nullptr) member->Boot(now_);
}

// timeout NODE [disk-stalled]: time passes to the node's own deadline and only its timer fires.
void RaftScript::RunTimeout(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  now_ = std::max(now_, member->raft().wake_at());
  Turn(*member, raft::TimerFired{.disk_stalled = command.Flag("disk-stalled")});
}

// elapse 500ms [only=NODE]: time passes, and all timers (of this node) that come due fire in order.
void RaftScript::RunElapse(Command& command) {
  const Instant until = now_ + command.ParseSpan(command.NextWord().value_or(""));
  const NodeId only = command.Node("only");
  while (Member* member = NextTimer(until, only)) {
    now_ = std::max(now_, member->raft().wake_at());
    Turn(*member, raft::TimerFired{});
  }
  now_ = until;
}

Member* RaftScript::NextTimer(Instant until, NodeId only) {
  Member* next = nullptr;
  for (auto& [id, member] : members_) {
    if (!member.up() || member.raft().wake_at() > until) continue;
    if (only != NodeId() && id != only) continue;
    if (next == nullptr || member.raft().wake_at() < next->raft().wake_at()) next = &member;
  }
  return next;
}

// pass 500ms: time passes; no timer fires.
void RaftScript::RunPass(Command& command) {
  now_ += command.ParseSpan(command.NextWord().value_or(""));
}

// recv NODE from=2 term=3 MESSAGE: a message made by hand arrives.
void RaftScript::RunRecv(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  const NodeId from = command.Node("from");
  Turn(*member, raft::Received{from, ParseMessage(command)});
}

// propose NODE a b c: clients propose, all in one turn.
void RaftScript::RunPropose(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  std::vector<raft::Input> inputs;
  while (const std::optional<std::string> word = command.NextWord()) {
    const RequestId id(++requests_);
    request_names_[id] = *word;
    inputs.push_back(raft::Propose{id, Bytes::Copy(*word)});
  }
  Finish(*member, member->Turn(now_, std::move(inputs)));
}

// read NODE name... [forward]: clients want linearizable reads, all in one turn; who does not lead
// is to ask its leader.
void RaftScript::RunRead(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  const bool forward = command.Flag("forward");
  std::vector<raft::Input> inputs;
  while (const std::optional<std::string> word = command.NextWord()) {
    const RequestId id(++requests_);
    request_names_[id] = *word;
    inputs.push_back(raft::ReadBarrier{.id = id, .forward = forward});
  }
  Finish(*member, member->Turn(now_, std::move(inputs)));
}

// transfer NODE [to=2]: leadership is to be handed over.
void RaftScript::RunTransfer(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  Turn(*member, raft::TransferLeadership{command.Node("to")});
}

// members NODE NAME after=0 voters=1,2,4 [learners=5] [incarnations=4:77,5:78]: an operator wants
// these members instead of configuration `after`.
void RaftScript::RunMembers(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  const RequestId id(++requests_);
  request_names_[id] = command.NextWord().value_or("members");
  raft::ChangeMembership change{
      .id = id, .expected = Index(command.Number("after", 0)), .members = {}};
  for (const NodeId node : ParseNodes(command, "voters")) change.members.push_back({.node = node});
  for (const NodeId node : ParseNodes(command, "learners")) {
    change.members.push_back({.node = node, .voter = false});
  }
  const std::string incarnations = command.Text("incarnations").value_or("");
  for (const absl::string_view part : absl::StrSplit(incarnations, ',', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(part, ':');
    for (raft::WantedMember& one : change.members) {
      if (one.node != NodeId(command.ParseNumber(pair.first))) continue;
      one.incarnation = IncarnationId(command.ParseNumber(pair.second));
    }
  }
  Turn(*member, std::move(change));
}

// compact NODE through=5: the table is made durable and the log told so.
void RaftScript::RunCompact(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  Finish(*member, member->Compact(now_, Index(command.Number("through", 0))));
}

// unreachable NODE peer=2: the transport says that the connection broke.
void RaftScript::RunUnreachable(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  Turn(*member, raft::PeerUnreachable{command.Node("peer")});
}

// write NODE...: the open batch goes to the disk.
void RaftScript::RunWrite(Command& command) {
  do {
    Member* member = Find(command);
    if (member == nullptr) return;
    const Member::Write* write = member->StartWrite();
    Line(write == nullptr ? absl::StrCat(member->id().value(), ": nothing to write")
                          : absl::StrCat(member->id().value(), ": write ", write->seq.value(), ":",
                                         Describe(write->batch)));
  } while (command.Peek());
}

// done NODE...: the oldest write is durable, and what waited for it leaves.
void RaftScript::RunDone(Command& command) {
  do {
    Member* member = Find(command);
    if (member == nullptr) return;
    if (member->writes().empty()) return command.Fail("no write is under way");
    Finish(*member, member->FinishWrite(now_));
  } while (command.Peek());
}

// tables by-hand|at-once: whether snapshot jobs wait for the command `table`.
void RaftScript::RunTables(Command& command) {
  tables_by_hand_ = command.Flag("by-hand");
  if (tables_by_hand_ || !command.Flag("at-once")) return;
  for (auto& [id, member] : members_) RunTableJobs(member);
}

// table NODE: executes the oldest snapshot job.
void RaftScript::RunTable(Command& command) {
  Member* member = Find(command);
  if (member == nullptr) return;
  if (member->table_jobs().empty()) return command.Fail("the table has nothing to do");
  Finish(*member, member->RunTableJob(now_));
}

// forget NODE: the snapshots that it has open for others are lost.
void RaftScript::RunForget(Command& command) {
  if (Member* member = Find(command); member != nullptr) member->ForgetSnapshots();
}

}  // namespace lockstep::test
