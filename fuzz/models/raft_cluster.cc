#include "fuzz/models/raft_cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "fuzz/models/raft_limits.h"
#include "fuzz/models/raft_noise.h"
#include "fuzz/models/raft_settings.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kMailMax = 200;  // under way to one node; beyond, the oldest are lost
constexpr uint32_t kRoundsMax = 64;
constexpr Duration kRound = std::chrono::milliseconds(10);

[[noreturn]] void Fail(const std::string& what) {
  Check(false, what);
  std::abort();
}

}  // namespace

RaftCluster::RaftCluster(const RaftSettings& settings)
    : nodes_(lockstep::fuzz::NodesOf(settings)), figure_three_(members_, Fail) {
  raft::Config config = ConfigOf(settings);
  const raft::Membership group(NodesOf(settings.members()));
  for (const NodeId id : NodesOf(0)) {
    config.self = id;
    config.membership = group.IsMember(id) ? group : raft::Membership();
    members_.emplace(
        id, test::Member(config, ReplicaImage{}, Mix64(settings.seed() + id.value()), now_));
  }
}

std::vector<NodeId> RaftCluster::NodesOf(uint32_t bits) const {
  std::vector<NodeId> nodes;
  for (uint64_t i = 0; i < nodes_; ++i) {
    if ((bits >> i) & 1) nodes.push_back(NodeId(i + 1));
  }
  if (!nodes.empty()) return nodes;
  for (uint64_t i = 0; i < nodes_; ++i) nodes.push_back(NodeId(i + 1));
  return nodes;
}

void RaftCluster::Do(const RaftStep& step) {
  now_ += std::chrono::milliseconds(step.after_ms() % 256);
  if (step.has_run()) return Do(step.run());
  test::Member& member = members_.at(NodeOf(step.node()));
  if (member.up()) return DoToMember(member, step);
  if (step.has_boot()) member.Boot(now_);
  if (step.has_deliver()) Do(member, step.deliver());  // It is lost.
}

void RaftCluster::DoToMember(test::Member& member, const RaftStep& step) {
  switch (step.what_case()) {
    case RaftStep::kDeliver:
      return Do(member, step.deliver());
    case RaftStep::kTimer:
      return Turn(member, raft::TimerFired{.disk_stalled = step.timer().disk_stalled()});
    case RaftStep::kStartWrite:
      return StartWrite(member);
    case RaftStep::kFinishWrite:
      return FinishWrite(member);
    case RaftStep::kPropose:
      return Do(member, step.propose());
    case RaftStep::kRead:
      return Do(member, step.read());
    case RaftStep::kCompact:
      return Do(member, step.compact());
    case RaftStep::kTableJob:
      return RunTableJob(member);
    case RaftStep::kTransfer:
      return Turn(member, raft::TransferLeadership{NodeOf(step.transfer().to())});
    case RaftStep::kUnreachable:
      return Turn(member, raft::PeerUnreachable{NodeOf(step.unreachable().peer())});
    case RaftStep::kForgetSnapshots:
      return member.ForgetSnapshots();
    case RaftStep::kCrash:
      member.Crash(step.crash().kept_writes() % (member.writes().size() + 1));
      taken_.erase(member.id());
      return figure_three_.Crashed(member);
    case RaftStep::kChangeMembers:
      return Do(member, step.change_members());
    case RaftStep::kRoom:
      return Turn(member, raft::RoomChanged{static_cast<raft::Room>(step.room().room() % 3)});
    case RaftStep::kNoise:
      return Do(member, step.noise());
    case RaftStep::kBoot:
    case RaftStep::kRun:
    case RaftStep::WHAT_NOT_SET:
      return;
  }
}

void RaftCluster::Do(test::Member& member, const Deliver& deliver) {
  std::deque<Mail>& mail = mail_[member.id()];
  if (mail.empty()) return;
  const auto at = mail.begin() + static_cast<std::ptrdiff_t>(deliver.nth() % mail.size());
  const Mail one = *at;
  if (!deliver.keep()) mail.erase(at);
  if (!deliver.lose() && member.up()) Turn(member, raft::Received{one.from, one.message});
}

void RaftCluster::Do(test::Member& member, const Propose& propose) {
  std::string command = absl::StrCat("c", ++requests_);
  command.append(propose.bytes() % 200, 'x');
  Turn(member, raft::Propose{.id = RequestId(requests_),
                             .command = Bytes::Copy(command),
                             .adds_data = propose.adds_data()});
}

void RaftCluster::Do(test::Member& member, const Read& read) {
  const RequestId id(++requests_);
  figure_three_.Asked(id);
  Turn(member, raft::ReadBarrier{.id = id, .forward = read.forward()});
}

void RaftCluster::Do(test::Member& member, const Compact& compact) {
  const Index applied = member.table().applied.index;
  if (applied <= member.raft().log().base().index) return;
  const uint64_t kept = compact.kept() % 4;
  const Index through(applied.value() > kept ? applied.value() - kept : 0);
  figure_three_.Before(member);
  After(member, member.Compact(now_, through));
}

void RaftCluster::Do(test::Member& member, const ChangeMembers& change) {
  raft::ChangeMembership wish;
  wish.id = RequestId(++requests_);
  const uint32_t voters = change.voters() & ((1U << nodes_) - 1);
  for (const NodeId node : NodesOf(voters)) wish.members.push_back({.node = node});
  for (const NodeId node : NodesOf(change.learners())) {
    const bool learns = change.learners() != 0 && ((voters >> (node.value() - 1)) & 1) == 0;
    if (learns && voters != 0) wish.members.push_back({.node = node, .voter = false});
  }
  const Index now = member.raft().configuration().id;
  wish.expected = change.late() && now ? now.Previous() : now;
  Turn(member, std::move(wish));
}

void RaftCluster::Do(test::Member& member, const Noise& noise) {
  const NodeId from(1 + noise.from() % (2 * nodes_));
  std::optional<raft::Message> message =
      MessageOf(noise, member.raft().term(), /*from_member=*/from.value() <= nodes_);
  if (message.has_value()) Turn(member, raft::Received{from, *std::move(message)});
}

void RaftCluster::Do(const Run& run) {
  const uint32_t rounds = 1 + run.rounds() % kRoundsMax;
  for (uint32_t i = 0; i < rounds && !IsTired(); ++i) RunOneRound(NodesOf(run.nodes()));
}

void RaftCluster::RunOneRound(const std::vector<NodeId>& nodes) {
  now_ += kRound;
  for (const NodeId node : nodes) {
    test::Member& member = members_.at(node);
    if (!member.up()) continue;
    if (now_ >= member.raft().wake_at()) Turn(member, raft::TimerFired{});
    StartWrite(member);
    while (!member.writes().empty()) FinishWrite(member);
    while (!member.table_jobs().empty()) RunTableJob(member);
    for (const Mail& mail : std::exchange(mail_[node], {})) {
      const bool among = std::find(nodes.begin(), nodes.end(), mail.from) != nodes.end();
      among ? Turn(member, raft::Received{mail.from, mail.message}) : mail_[node].push_back(mail);
    }
  }
}

void RaftCluster::StartWrite(test::Member& member) {
  const test::Member::Write* write = member.StartWrite();
  if (write != nullptr) taken_[member.id()] = write->seq;
}

void RaftCluster::FinishWrite(test::Member& member) {
  if (member.writes().empty()) return;
  figure_three_.Before(member);
  After(member, member.FinishWrite(now_));
}

void RaftCluster::RunTableJob(test::Member& member) {
  if (member.table_jobs().empty()) return;
  figure_three_.Before(member);
  After(member, member.RunTableJob(now_));
}

void RaftCluster::Turn(test::Member& member, raft::Input input) {
  const bool timer = std::holds_alternative<raft::TimerFired>(input);
  std::vector<raft::Input> inputs;
  inputs.push_back(std::move(input));
  figure_three_.Before(member);
  After(member, member.Turn(now_, std::move(inputs)));
  // Or its host would call it again at once, for ever.
  if (timer)
    CheckLt(now_.time_since_epoch().count(), member.raft().wake_at().time_since_epoch().count());
}

void RaftCluster::After(test::Member& member, const test::TurnEffects& effects) {
  ++turns_;
  for (const raft::Outgoing& outgoing : effects.released) Post(member, outgoing);
  for (const raft::Outgoing& outgoing : effects.output.send) {
    if (outgoing.after <= member.raft().completed()) Post(member, outgoing);
  }
  figure_three_.After(member, effects);
  CheckOutput(member.raft().config(), effects.output, NewestBatch(member));
  CheckMemory(member.raft());
}

PersistSeq RaftCluster::NewestBatch(const test::Member& member) const {
  const auto taken = taken_.find(member.id());
  const PersistSeq newest = taken == taken_.end() ? PersistSeq() : taken->second;
  return member.raft().HasBatch() ? newest.Next() : newest;
}

void RaftCluster::Post(const test::Member& member, const raft::Outgoing& outgoing) {
  figure_three_.Leaves(member, outgoing);
  if (!members_.contains(outgoing.to)) return;  // To a stranger.
  std::deque<Mail>& mail = mail_[outgoing.to];
  if (mail.size() >= kMailMax) mail.pop_front();
  mail.push_back({member.id(), OverTheWire(outgoing.message)});
}

}  // namespace lockstep::fuzz
