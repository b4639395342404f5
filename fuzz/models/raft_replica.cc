#include "fuzz/models/raft_replica.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "fuzz/models/raft_limits.h"
#include "fuzz/models/raft_noise.h"
#include "fuzz/models/raft_settings.h"

namespace lockstep::fuzz {
namespace {

constexpr NodeId kSelf(1);
constexpr size_t kMailMax = 64;  // remembered, of each kind
constexpr size_t kPartBytes = 40;

raft::Config ConfigOfSelf(const RaftSettings& settings) {
  raft::Config config = ConfigOf(settings);
  std::vector<NodeId> voters;
  for (uint64_t i = 1; i <= NodesOf(settings); ++i) voters.push_back(NodeId(i));
  config.self = kSelf;
  config.membership = raft::Membership(voters);
  return config;
}

template <class T>
void Remember(T one, std::deque<T>* all) {
  all->push_back(std::move(one));
  if (all->size() > kMailMax) all->pop_front();
}

template <class T>
const T& Ago(const std::deque<T>& all, uint64_t ago) {
  return all[all.size() - 1 - ago % all.size()];
}

// `back` before the end, and never before the beginning.
Index Back(Index end, uint64_t back) { return Index(end.value() - back % (end.value() + 1)); }

}  // namespace

RaftReplica::RaftReplica(const RaftSettings& settings)
    : member_(ConfigOfSelf(settings), ReplicaImage{}, settings.seed(), now_),
      rest_(NodesOf(settings), ConfigOf(settings).log_bytes_max) {}

void RaftReplica::Do(const MessagesStep& step) {
  now_ += std::chrono::milliseconds(step.after_ms() % 256);
  if (!member_.up() && step.own().has_boot()) member_.Boot(now_);
  if (step.has_new_leader()) rest_.Elect(step.new_leader(), member_.up() ? &raft() : nullptr);
  if (step.has_leader_writes()) rest_.Write(step.leader_writes());
  if (step.has_leader_commits()) rest_.Commit(step.leader_commits());
  if (!member_.up()) return;
  if (step.has_own()) return DoOwn(step.own());
  if (step.has_leader_says()) return Do(step.leader_says());
  if (step.has_ask_vote()) return Do(step.ask_vote());
  if (step.has_answer()) return Do(step.answer());
  if (step.has_noise()) return Do(step.noise());
  if (step.what_case() != MessagesStep::kAgain || received_.empty()) return;
  const Mail mail = Ago(received_, step.again());
  Turn(raft::Received{mail.from, mail.message});
}

// --- Its own host

void RaftReplica::DoOwn(const RaftStep& step) {
  const auto node = [&](uint32_t number) { return NodeId(1 + number % rest_.nodes()); };
  if (step.has_timer()) {
    Turn(raft::TimerFired{.disk_stalled = step.timer().disk_stalled()});
    return CheckLt(now_.time_since_epoch().count(), raft().wake_at().time_since_epoch().count());
  }
  if (step.has_start_write()) {
    const test::Member::Write* write = member_.StartWrite();
    if (write != nullptr) taken_ = write->seq;
  }
  if (step.has_finish_write() && !member_.writes().empty()) After(member_.FinishWrite(now_));
  if (step.has_propose()) return Propose(step.propose());
  if (step.has_read()) {
    return Turn(raft::ReadBarrier{.id = RequestId(++requests_), .forward = step.read().forward()});
  }
  if (step.has_compact()) return Compact(step.compact());
  if (step.has_table_job() && !member_.table_jobs().empty()) After(member_.RunTableJob(now_));
  if (step.has_transfer()) return Turn(raft::TransferLeadership{node(step.transfer().to())});
  if (step.has_unreachable()) return Turn(raft::PeerUnreachable{node(step.unreachable().peer())});
  if (step.has_forget_snapshots()) member_.ForgetSnapshots();
  if (step.has_room()) {
    return Turn(raft::RoomChanged{static_cast<raft::Room>(step.room().room() % 3)});
  }
  if (!step.has_crash()) return;
  member_.Crash(step.crash().kept_writes() % (member_.writes().size() + 1));
  taken_ = PersistSeq();
  sent_.clear();
}

void RaftReplica::Propose(const lockstep::fuzz::Propose& propose) {
  std::string command = absl::StrCat("r", ++requests_);
  command.append(propose.bytes() % 200, 'x');
  Turn(raft::Propose{.id = RequestId(requests_),
                     .command = Bytes::Copy(command),
                     .adds_data = propose.adds_data()});
}

void RaftReplica::Compact(const lockstep::fuzz::Compact& compact) {
  const Index through = Back(member_.table().applied.index, compact.kept() % 4);
  if (through > raft().log().base().index) After(member_.Compact(now_, through));
}

// --- The others, of their own accord

void RaftReplica::Do(const LeaderSays& says) {
  RaftRest::Leader* leader = rest_.LeaderAgo(says.ago());
  if (leader == nullptr) return;
  Receive(leader->node, leader->term, Says(*leader, says));
}

raft::Body RaftReplica::Says(const RaftRest::Leader& leader, const LeaderSays& says) const {
  const Index end = leader.End().index;
  switch (says.what()) {
    case LeaderSays::HEARTBEAT: {
      const Index most = std::min(leader.commit, leader.matched);
      return raft::Heartbeat{.commit = Back(most, says.less()), .read_seq = ReadSeq(says.count())};
    }
    case LeaderSays::SNAPSHOT:
      if (leader.commit != Index()) return Part(leader, says);
      break;
    case LeaderSays::TIMEOUT_NOW:
      return raft::TimeoutNow{};
    case LeaderSays::READ_ANSWER:
      return raft::ReadIndexReply{.seq = ReadSeq(says.count()),
                                  .index = std::max(leader.commit, Index(1))};
    default:
      break;
  }
  const Index prev = Back(end, says.from_end());
  raft::AppendRequest request;
  request.prev = leader.At(prev);
  request.commit = Back(leader.commit, says.less());
  request.read_seq = ReadSeq(says.count());
  for (Index i = prev.Next(); i <= end && i.Since(prev) <= says.count() % 16; i = i.Next()) {
    request.entries.push_back(leader.log[i.value() - 1]);
  }
  return request;
}

raft::SnapshotChunk RaftReplica::Part(const RaftRest::Leader& leader,
                                      const LeaderSays& says) const {
  const Index index = std::max(Back(leader.commit, says.from_end()), Index(1));
  test::TextTable table;
  for (Index i(1); i <= index; i = i.Next()) table.Apply(leader.log[i.value() - 1]);
  const size_t parts = table.text.size() / kPartBytes + 1;
  const size_t offset = says.count() % parts * kPartBytes;
  return {.snapshot = leader.At(index),
          .offset = offset,
          .data = Bytes::Copy(absl::string_view(table.text).substr(offset, kPartBytes)),
          .last = offset + kPartBytes >= table.text.size()};
}

void RaftReplica::Do(const AskVote& ask) {
  const NodeId node(2 + ask.node() % (rest_.nodes() - 1));
  const RaftRest::Leader* leader = rest_.newest();
  LogPosition last;
  if (leader != nullptr) last = leader->At(Back(leader->End().index, ask.from_end()));
  if (ask.pre_vote()) {
    const Term term = std::max(last.term, Term(1));
    return Receive(node, term,
                   raft::PreVoteRequest{.next_term = Term(term.value() + 1 + ask.further() % 8),
                                        .last = last});
  }
  const Term term = rest_.TermOfCandidate(ask.further(), raft().term());
  Receive(node, term, raft::VoteRequest{.last = last, .transfer = ask.transfer()});
}

void RaftReplica::Do(const Noise& noise) {
  const NodeId from(1 + noise.from() % (2 * rest_.nodes()));
  const bool member = from.value() <= rest_.nodes();
  std::optional<raft::Message> message = MessageOf(noise, raft().term(), member);
  if (message.has_value()) Turn(raft::Received{from, *std::move(message)});
}

// --- The others, when they are asked

void RaftReplica::Do(const Answer& answer) {
  const NodeId from(2 + answer.node() % (rest_.nodes() - 1));
  const std::deque<raft::Message>& asked = sent_[from];
  if (!asked.empty()) AnswerTo(from, raft::Message(Ago(asked, answer.ago())), answer);
}

void RaftReplica::AnswerTo(NodeId from, const raft::Message& asked, const Answer& answer) {
  const uint64_t number = answer.number();
  if (const auto* pre_vote = std::get_if<raft::PreVoteRequest>(&asked.body)) {
    return Receive(
        from, asked.term,
        raft::PreVoteReply{.next_term = pre_vote->next_term, .granted = !answer.refuse()});
  }
  if (std::holds_alternative<raft::VoteRequest>(asked.body)) {
    if (asked.term != raft().term()) return;
    const bool granted = !answer.refuse() && rest_.WouldElect(raft());
    return Receive(from, asked.term, raft::VoteReply{.granted = granted});
  }
  // The rest is for the leader of a term in which nobody has voted for a later one.
  if (!raft().is_leader() || asked.term != raft().term() || !rest_.IsNewestTerm(asked.term)) return;
  if (const auto* append = std::get_if<raft::AppendRequest>(&asked.body)) {
    if (answer.refuse() && append->prev.index != Index()) {
      const Index hint = std::max(Back(append->prev.index, number), Index(1));
      return Receive(
          from, asked.term,
          raft::AppendRejected{.rejected = append->prev.index,
                               .hint = {hint, Term(number % 2 * append->prev.term.value())},
                               .read_seq = append->read_seq});
    }
    const Index match =
        append->prev.index.Plus(append->entries.size() - number % (append->entries.size() + 1));
    rest_.Takes(raft(), from, match);
    return Receive(from, asked.term,
                   raft::AppendAccepted{.match = match, .read_seq = append->read_seq});
  }
  if (const auto* heartbeat = std::get_if<raft::Heartbeat>(&asked.body)) {
    return Receive(from, asked.term,
                   raft::HeartbeatReply{.read_seq = heartbeat->read_seq,
                                        .room = static_cast<raft::Room>(number % 3),
                                        .promise = Duration(0)});
  }
  const auto* chunk = std::get_if<raft::SnapshotChunk>(&asked.body);
  if (chunk == nullptr) return;
  const uint64_t end = chunk->offset + chunk->data.size();
  const bool complete = chunk->last && !answer.refuse();
  if (complete) rest_.Takes(raft(), from, chunk->snapshot.index);
  Receive(from, asked.term,
          raft::SnapshotReply{.snapshot = chunk->snapshot,
                              .next_offset = answer.refuse() ? number % (end + 1) : end,
                              .complete = complete});
}

// --- Turns

void RaftReplica::Receive(NodeId from, Term term, raft::Body body) {
  raft::Message message{.term = term, .body = std::move(body), .incarnation = {}};
  Remember(Mail{from, OverTheWire(message)}, &received_);
  Turn(raft::Received{from, std::move(message)});
}

void RaftReplica::Turn(raft::Input input) {
  std::vector<raft::Input> inputs;
  inputs.push_back(std::move(input));
  After(member_.Turn(now_, std::move(inputs)));
}

void RaftReplica::After(const test::TurnEffects& effects) {
  for (const raft::Outgoing& outgoing : effects.released) Leaves(outgoing);
  for (const raft::Outgoing& outgoing : effects.output.send) {
    if (outgoing.after <= raft().completed()) Leaves(outgoing);
  }
  CheckOutput(raft().config(), effects.output, raft().HasBatch() ? taken_.Next() : taken_);
  CheckMemory(raft());
  const HardState now = raft().hard_state();
  CheckLe(seen_.term, member_.disk().hard_state.term);
  CheckLe(member_.disk().hard_state.term, now.term);
  if (seen_.term == member_.disk().hard_state.term && seen_.vote) {
    CheckEq(member_.disk().hard_state.vote, seen_.vote);
  }
  seen_ = member_.disk().hard_state;
  rest_.Learn(raft());
}

void RaftReplica::Leaves(const raft::Outgoing& outgoing) {
  CheckLe(outgoing.message.term, member_.disk().hard_state.term);
  const auto* accepted = std::get_if<raft::AppendAccepted>(&outgoing.message.body);
  RaftRest::Leader* leader = rest_.LeaderOf(outgoing.message.term);
  if (accepted != nullptr && leader != nullptr) {
    CheckLe(accepted->match, leader->End().index);
    leader->matched = std::max(leader->matched, accepted->match);
  }
  Remember(raft::Message(outgoing.message), &sent_[outgoing.to]);
}

}  // namespace lockstep::fuzz
