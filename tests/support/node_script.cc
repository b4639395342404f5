#include "tests/support/node_script.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/kv/command.h"
#include "core/node/describe.h"
#include "core/raft/codec.h"
#include "tests/support/node_messages.h"
#include "tests/support/node_text.h"
#include "tests/support/raft_text.h"

namespace lockstep::test {

const std::map<std::string, NodeScript::Handler>& NodeScript::Handlers() {
  static const std::map<std::string, Handler> handlers = {
      {"node", &NodeScript::RunNode},       {"journal", &NodeScript::RunJournal},
      {"message", &NodeScript::RunMessage}, {"bytes", &NodeScript::RunBytes},
      {"request", &NodeScript::RunRequest}, {"link", &NodeScript::RunLink},
      {"pass", &NodeScript::RunPass},       {"wake", &NodeScript::RunWake},
      {"turn", &NodeScript::RunTurn},       {"done", &NodeScript::RunDone},
      {"fail", &NodeScript::RunFail},       {"jobs", &NodeScript::RunJobs},
      {"lead", &NodeScript::RunLead},       {"run", &NodeScript::RunRun},
      {"peer", &NodeScript::RunPeer},       {"space", &NodeScript::RunSpace},
  };
  return handlers;
}

std::string NodeScript::Run(Command& command) {
  output_.clear();
  const auto found = Handlers().find(command.name());
  if (found == Handlers().end()) {
    command.Fail("unknown command");
  } else if (node_ == nullptr && command.name() != "node" && command.name() != "journal") {
    command.Fail("there is no node yet");
  } else {
    (this->*found->second)(command);
  }
  return output_;
}

// The host.

void NodeScript::WakeAt(Instant when) {
  alarm_ = when;
  JobLine(absl::StrCat("alarm at ", Ago(when)));
}

void NodeScript::Send(NodeId to, Bytes message) {
  Line(absl::StrCat("-> ", to.value(), ": ", node::DescribeMessage(message)));
}

Ticket NodeScript::Submit(StorageJob job) {
  const bool log = LaneOf(job) == Lane::kLog;
  JobLine(absl::StrCat(log ? "log: " : "table: ", Describe(job)));
  Ticket& ticket = log ? log_ticket_ : table_ticket_;
  ticket = ticket.Next();
  (log ? log_jobs_ : table_jobs_).push_back({ticket, std::move(job)});
  return ticket;
}

void NodeScript::Reply(RequestId id, Bytes reply) {
  Line(absl::StrCat("reply r", id.value(), ": ", DescribeReply(reply)));
}

void NodeScript::Record(const Note& note) {
  const std::string text = Describe(note);
  if (!text.empty()) Line(absl::StrCat("note: ", text));
}

void NodeScript::Line(const std::string& text) {
  if (!quiet_) absl::StrAppend(&output_, text, "\n");
}

void NodeScript::JobLine(const std::string& text) {
  if (!quiet_jobs_) Line(text);
}

std::string NodeScript::Ago(Instant when) const {
  if (when == kNever) return "never";
  const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(when - start_);
  return absl::StrCat(span.count(), "ms");
}

// node [self=1] [nodes=3] [groups=1,2] [controllers=1+2] [limits of NodeOptions by name]
// A group may have a role, and members of its own: groups=0:controller,5:shards:1+2.
// takes_replicas=1: also of groups that are not named.
// Boots an empty node. Chance is out of it: the election timeout is 1000ms, the heartbeat 100ms.
void NodeScript::RunNode(Command& command) {
  options_ = node::NodeOptions{};
  options_.self = NodeId(command.Number("self", 1));
  std::vector<NodeId> voters;
  for (uint64_t i = 1; i <= command.Number("nodes", 3); ++i) voters.push_back(NodeId(i));
  options_.raft.self = options_.self;
  options_.raft.membership = raft::Membership(voters);
  options_.raft.election_max = options_.raft.election_min;
  std::vector<ReplicaImage> images;
  for (absl::string_view group : absl::StrSplit(command.Text("groups").value_or("1"), ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(group, ':');
    node::HostedGroup& hosted = options_.groups.emplace_back();
    hosted.id = GroupId(command.ParseNumber(parts[0]));
    if (parts.size() > 1 && parts[1] == "controller") hosted.role = node::GroupRole::kController;
    if (parts.size() > 1 && parts[1] == "shards") hosted.role = node::GroupRole::kShards;
    if (parts.size() > 2) {
      std::vector<NodeId> members;
      for (absl::string_view member : absl::StrSplit(parts[2], '+')) {
        members.push_back(NodeId(command.ParseNumber(member)));
      }
      hosted.membership = raft::Membership(members);
    }
    images.emplace_back().group = hosted.id;
  }
  const std::string controllers = command.Text("controllers").value_or("");
  for (absl::string_view node : absl::StrSplit(controllers, '+', absl::SkipEmpty())) {
    options_.controllers.push_back(NodeId(command.ParseNumber(node)));
  }
  options_.takes_replicas = command.Number("takes_replicas", 0) != 0;
  ReadLimits(command);
  tables_ = std::make_unique<MapTables>(node::MakeMachines(options_));
  node_ =
      node::MakeNode(options_, std::move(images), Rng(1), Host{*this, *this, *this, *this, *this});
  EndTurn(command);
}

void NodeScript::ReadLimits(Command& command) {
  const auto limit = [&](absl::string_view key, auto& value) {
    value = static_cast<std::remove_reference_t<decltype(value)>>(command.Number(key, value));
  };
  limit("apply_entries_max", options_.apply_entries_max);
  limit("requests_max", options_.requests_max);
  limit("log_entries_max", options_.log_entries_max);
  limit("log_entries_kept", options_.log_entries_kept);
  limit("snapshot_chunk_bytes_max", options_.raft.snapshot_chunk_bytes_max);
  limit("uncommitted_bytes_max", options_.raft.uncommitted_bytes_max);
  limit("raft_log_bytes_max", options_.raft.log_bytes_max);
  limit("space_soft_bytes", options_.space.soft_bytes);
  limit("space_hard_bytes", options_.space.hard_bytes);
  limit("shards", options_.shards);
  limit("sweep_records_max", options_.shard_groups.sweep_records_max);
  limit("configurations_kept", options_.configurations_kept);
  limit("bulk_bytes_per_second_max", options_.bulk_bytes_per_second_max);
  options_.leader_spread_every = command.Span("leader_spread_every", options_.leader_spread_every);
  options_.prune_every = command.Span("prune_every", options_.prune_every);
}

// journal: from here on the node's notes are printed.
void NodeScript::RunJournal(Command&) { listening_ = true; }

void NodeScript::EndTurn(Command& command) {
  if (!command.Flag("hold")) node_->OnTurnEnd();
}

// message from=2 [group=1] MESSAGE [hold]: a peer's message arrives as bytes.
void NodeScript::RunMessage(Command& command) {
  const NodeId from = command.Node("from");
  const GroupId group(command.Number("group", 1));
  const bool hold = command.Flag("hold");
  node_->OnMessage(from, raft::EncodePeerMessage(group, ParseMessage(command)));
  if (!hold) node_->OnTurnEnd();
}

// peer from=2 MESSAGE [hold]: another node's message, of those that are not Raft's
// (node_messages.h).
void NodeScript::RunPeer(Command& command) {
  const NodeId from = command.Node("from");
  const bool hold = command.Flag("hold");
  node_->OnMessage(from, kv::Encode(ParseNodeMessage(command)));
  if (!hold) node_->OnTurnEnd();
}

// bytes from=2 "anything", or bytes from=2 hex=f20100: bytes arrive that no node sends.
void NodeScript::RunBytes(Command& command) {
  const NodeId from = command.Node("from");
  const std::optional<std::string> hex = command.Text("hex");
  const std::string bytes =
      hex.has_value() ? absl::HexStringToBytes(*hex) : command.NextWord().value_or("");
  node_->OnMessage(from, Bytes::Copy(absl::string_view(bytes)));
  EndTurn(command);
}

// request 7 REQUEST [hold], or request 7 bytes "anything": a client calls.
void NodeScript::RunRequest(Command& command) {
  const RequestId id(command.ParseNumber(command.NextWord().value_or("")));
  const bool hold = command.Flag("hold");
  const Bytes bytes =
      command.Flag("bytes") ? Bytes::Copy(command.NextWord().value_or("")) : ParseRequest(command);
  node_->OnRequest(id, bytes);
  if (!hold) node_->OnTurnEnd();
}

// link 2 up|down: the transport's hint.
void NodeScript::RunLink(Command& command) {
  const NodeId peer = command.NextNode();
  const bool up = command.Flag("up");
  if (!up && !command.Flag("down")) command.Fail("up or down?");
  node_->OnPeerLink(peer, up);
  EndTurn(command);
}

// pass 100ms: time passes, and the alarm does not ring.
void NodeScript::RunPass(Command& command) {
  now_ += command.ParseSpan(command.NextWord().value_or(""));
}

// space 1000 [hold]: the host has measured that so many bytes are free on the disk.
void NodeScript::RunSpace(Command& command) {
  const uint64_t free_bytes = command.ParseNumber(command.NextWord().value_or(""));
  node_->OnSpace({.free_bytes = free_bytes});
  EndTurn(command);
}

// wake: time passes to the alarm, and it rings.
void NodeScript::RunWake(Command& command) {
  if (alarm_ == kNever) return command.Fail("no alarm is set");
  now_ = std::max(now_, alarm_);
  alarm_ = kNever;
  node_->OnWake();
  EndTurn(command);
}

// turn: ends the turn that `hold` left open.
void NodeScript::RunTurn(Command&) { node_->OnTurnEnd(); }

std::deque<NodeScript::Job>* NodeScript::LaneNamed(Command& command) {
  const bool log = command.Flag("log");
  if (!log && !command.Flag("table")) command.Fail("log or table?");
  std::deque<Job>* jobs = log ? &log_jobs_ : &table_jobs_;
  if (!jobs->empty()) return jobs;
  command.Fail("that lane has nothing to do");
  return nullptr;
}

void NodeScript::Complete(Lane lane) {
  std::deque<Job>& jobs = lane == Lane::kLog ? log_jobs_ : table_jobs_;
  const Job job = std::move(jobs.front());
  jobs.pop_front();
  if (lane == Lane::kLog) {
    node_->OnStorage(lane, job.ticket, StorageResult(std::monostate()));
  } else {
    node_->OnStorage(lane, job.ticket, tables_->Run(job.job));
  }
}

// done log|table [hold]: the oldest job of the lane is done.
void NodeScript::RunDone(Command& command) {
  const std::deque<Job>* jobs = LaneNamed(command);
  if (jobs == nullptr) return;
  Complete(jobs == &log_jobs_ ? Lane::kLog : Lane::kTable);
  EndTurn(command);
}

// fail log|table: the oldest job of the lane fails.
void NodeScript::RunFail(Command& command) {
  std::deque<Job>* jobs = LaneNamed(command);
  if (jobs == nullptr) return;
  const Ticket ticket = jobs->front().ticket;
  const Lane lane = jobs == &log_jobs_ ? Lane::kLog : Lane::kTable;
  jobs->pop_front();
  node_->OnStorage(lane, ticket, absl::DataLossError("fsync failed"));
  EndTurn(command);
}

// jobs: what the lanes have to do.
void NodeScript::RunJobs(Command&) {
  for (const Job& job : log_jobs_) Line(absl::StrCat("log: ", Describe(job.job)));
  for (const Job& job : table_jobs_) Line(absl::StrCat("table: ", Describe(job.job)));
}

void NodeScript::FinishAll(Lane lane) {
  while (!(lane == Lane::kLog ? log_jobs_ : table_jobs_).empty()) {
    Complete(lane);
    node_->OnTurnEnd();
  }
}

// run 2s: time passes; every job is done at once, and the alarm rings whenever it is due. Prints
// what leaves the node.
void NodeScript::RunRun(Command& command) {
  const Instant until = now_ + command.ParseSpan(command.NextWord().value_or(""));
  quiet_jobs_ = true;
  while (true) {
    FinishAll(Lane::kLog);
    FinishAll(Lane::kTable);
    if (!log_jobs_.empty()) continue;
    if (alarm_ > until) break;
    now_ = std::max(now_, alarm_);
    alarm_ = kNever;
    node_->OnWake();
    node_->OnTurnEnd();
  }
  now_ = until;
  quiet_jobs_ = false;
}

// lead [group=1] [vote=2]: makes the node the group's leader, with its no-op committed and applied,
// by the votes and acknowledgements of node `vote`. Prints nothing.
void NodeScript::RunLead(Command& command) {
  const GroupId group(command.Number("group", 1));
  const NodeId voter(command.Number("vote", 2));
  const auto receive = [&](raft::Message message) {
    node_->OnMessage(voter, raft::EncodePeerMessage(group, message));
    node_->OnTurnEnd();
  };
  quiet_ = true;
  now_ = std::max(now_, alarm_);
  node_->OnWake();
  node_->OnTurnEnd();
  receive({Term(), raft::PreVoteReply{.next_term = Term(1), .granted = true}});
  FinishAll(Lane::kLog);
  receive({Term(1), raft::VoteReply{.granted = true}});
  FinishAll(Lane::kLog);
  receive({Term(1), raft::AppendAccepted{.match = Index(1), .read_seq = ReadSeq()}});
  FinishAll(Lane::kTable);
  quiet_ = false;
}

}  // namespace lockstep::test
