// Changes of membership: thesis §4, by joint consensus (§4.3). Those who join catch up as learners
// first (§4.2.1); a leader that is not in the new group leads until the change is committed, does
// not count itself, and hands over (§4.2.2).
//
// The leader takes each step at the end of a turn, from what the log says alone: whoever leads next
// goes on from there.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

void Raft::OnInput(const ChangeMembership& input, Output& out) {
  if (const std::optional<RefusedWhy> why = WhyNotChange(input); why.has_value()) {
    return out.refused.push_back({input.id, *why});
  }
  const GroupConfiguration& now = configuration();
  GroupConfiguration next =
      now.phase == ChangePhase::kCatchingUp ? Cancelled(now) : FirstStep(now, input.members);
  AppendConfiguration(std::move(next), out);
  out.accepted.push_back({input.id, log_.last()});
}

std::optional<RefusedWhy> Raft::WhyNotChange(const ChangeMembership& input) const {
  Check(Validate(input.members).ok());  // The door has seen it.
  const Leader* leader = leader_state();
  if (leader == nullptr) return RefusedWhy::kNotLeader;
  if (leader->transfer.has_value()) return RefusedWhy::kTransferring;
  // A leader that has committed nothing in its term may hold a configuration that others have
  // replaced: two changes could then be decided by majorities that do not meet (Ongaro 2015).
  if (commit_ < leader->term_start) return RefusedWhy::kNoEntryOfTerm;
  const GroupConfiguration& now = configuration();
  if (input.expected != now.id) return RefusedWhy::kConfigurationMoved;
  if (!configurations_.is_committed()) return RefusedWhy::kChangePending;
  // As long as nobody who joins decides anything a change can be called off: all of it.
  if (now.phase == ChangePhase::kCatchingUp && HasVotersBefore(now, input.members)) {
    return std::nullopt;
  }
  if (now.phase != ChangePhase::kSettled) return RefusedWhy::kChangePending;
  std::vector<NodeId> voters;
  for (const WantedMember& one : input.members) {
    if (one.voter) voters.push_back(one.node);
    const GroupMember* member = now.Find(one.node);
    const bool another = member != nullptr && member->incarnation && one.incarnation &&
                         member->incarnation != one.incarnation;
    if (another) return RefusedWhy::kOtherIncarnation;
  }
  if (IsAsBefore(now, input.members)) return RefusedWhy::kSameMembers;
  if (!HearsMajorityOf(voters)) return RefusedWhy::kUnsafe;
  return std::nullopt;
}

// Who is not written to yet cannot have been heard, and will have to catch up first.
bool Raft::HearsMajorityOf(const std::vector<NodeId>& voters) const {
  const auto silent = std::count_if(voters.begin(), voters.end(), [&](NodeId voter) {
    const Leader::Peer* peer = FindPeer(voter);
    return peer != nullptr && now_ >= peer->progress.contact + config_.election_min;
  });
  return 2 * static_cast<size_t>(silent) < voters.size();
}

// Whoever is to vote has caught up, and with the voters to be the group can go on at once.
bool Raft::JoinersAreReady() const {
  std::vector<NodeId> voters;
  for (const GroupMember& member : configuration().members) {
    if (member.after != Standing::kVoter) continue;
    voters.push_back(member.node);
    if (member.before == Standing::kVoter) continue;
    const Leader::Peer* peer = FindPeer(member.node);
    if (peer == nullptr || !IsCaughtUp(peer->progress)) return false;
  }
  return HearsMajorityOf(voters);
}

void Raft::AppendConfiguration(GroupConfiguration configuration, Output& out) {
  Leader& leader = std::get<Leader>(role_);
  configuration.id = log_.last_index().Next();
  Entry entry{configuration.id, hard_.term, EntryKind::kConfiguration, Encode(configuration)};
  leader.uncommitted_bytes += CostOf(entry);
  AppendEntry(std::move(entry), out);
  AddPeers();
}

// Thesis §4.1: a configuration is in force as soon as it is in the log.
void Raft::TakeConfiguration(const Entry& entry) {
  if (entry.kind != EntryKind::kConfiguration) return;
  absl::StatusOr<GroupConfiguration> configuration = DecodeConfiguration(entry.data.view());
  Check(configuration.ok(), "a configuration in the log cannot be read");  // The door has seen it.
  CheckEq(configuration->id, entry.index);
  configurations_.Append(*std::move(configuration));
}

void Raft::AddPeers() {
  Leader& leader = std::get<Leader>(role_);
  for (const NodeId member : membership().members()) {
    if (member == config_.self || FindPeer(member) != nullptr) continue;
    const auto place = std::find_if(leader.peers.begin(), leader.peers.end(),
                                    [&](const Leader::Peer& peer) { return peer.id > member; });
    Progress& progress = leader.peers.insert(place, Leader::Peer{member, Progress{}})->progress;
    progress.next = log_.last_index().Next();
    progress.contact = now_;
    progress.BeginRound(log_.last_index(), now_);
  }
}

// That they are out is committed. They hear of it first, so that they keep quiet; who is silent is
// not waited for.
void Raft::RetirePeers(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  const auto gone = [&](const Leader::Peer& peer) {
    if (membership().IsMember(peer.id)) return false;
    const bool silent = now_ >= peer.progress.contact + config_.election_min;
    return peer.progress.match >= configuration().id || silent;
  };
  for (Leader::Peer& peer : leader.peers) {
    if (!gone(peer)) continue;
    SendHeartbeat(peer, out);  // with the commit index
    if (peer.progress.state == Progress::State::kSnapshot) out.snapshot_closes.push_back(peer.id);
  }
  std::erase_if(leader.peers, gone);
}

// The next step, where the one before is committed.
void Raft::AdvanceMembership(Output& out) {
  if (!configurations_.is_committed()) return;
  RetirePeers(out);
  const Leader& leader = std::get<Leader>(role_);
  if (commit_ < leader.term_start) return;
  const GroupConfiguration& now = configuration();
  if (!membership().IsVoter(config_.self)) return StepAside(out);
  if (now.phase == ChangePhase::kSettled || leader.transfer.has_value()) return;
  if (now.phase == ChangePhase::kCatchingUp && !JoinersAreReady()) return;
  AppendConfiguration(NextStep(now), out);
}

// Thesis §4.2.2: the group is without this leader, and knows it. Its successor need not wait for an
// election time-out.
void Raft::StepAside(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  for (Leader::Peer& peer : leader.peers) SendHeartbeat(peer, out);
  const NodeId successor = BestSuccessor(NodeId());
  if (successor != NodeId()) Send(successor, TimeoutNow{}, PersistSeq(), out);
  BecomeFollower(hard_.term, NodeId(), out);
}

}  // namespace lockstep::raft
