#include "sim/world/membership_administrator.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/faults/targets.h"
#include "sim/network/latency.h"

namespace lockstep::sim {
namespace {

Bytes Encode(const proto::ClientRequest& request) {
  return Bytes::Make(request.ByteSizeLong(), [&](char* to) {
    request.SerializeToArray(to, static_cast<int>(request.ByteSizeLong()));
  });
}

uint64_t Bit(uint64_t node) { return One(static_cast<uint16_t>(node)); }

uint64_t Voters(const lockstep::v1::ReplicaStatus& now, bool with_joining) {
  uint64_t voters = 0;
  for (const lockstep::v1::GroupMemberStatus& member : now.group_members()) {
    const bool before = member.voter() && !member.joins();
    if (before || (with_joining && member.joins())) voters |= Bit(member.node());
  }
  return voters;
}

uint64_t Learners(const lockstep::v1::ReplicaStatus& now) {
  uint64_t learners = 0;
  for (const lockstep::v1::GroupMemberStatus& member : now.group_members()) {
    if (!member.voter() && !member.joins()) learners |= Bit(member.node());
  }
  return learners;
}

}  // namespace

void MembershipAdministrator::Sleep() {
  if (Done()) return port_->WakeAt(kNever);
  const Duration gap = final_.has_value()
                           ? options_.retry
                           : Duration(ExponentialTail(rng_, options_.gap_mean.count()) + 1);
  port_->WakeAt(port_->Now() + gap);
}

void MembershipAdministrator::OnWake() {
  Look();
  Sleep();
}

// Everybody is asked: who leads is not for the administrator to know.
void MembershipAdministrator::Look() {
  proto::ClientRequest request;
  request.set_group(group_.value());
  request.mutable_get_node_status();
  look_ = ++attempts_;
  for (uint16_t server = 1; server <= servers_; ++server) {
    port_->SendRequest(NodeId(server), look_, Encode(request));
  }
}

void MembershipAdministrator::BeginFinalRound(uint64_t core, uint64_t lost) {
  const auto count = static_cast<uint64_t>(std::popcount(core));
  const uint64_t least = std::min<uint64_t>(count, 2);
  const uint64_t size = rng_.Between(least, count);
  final_ = DrawSome(core, size);
  // Who has lost data gets it back from the others, as a member. But nobody makes it one that
  // decides.
  const uint64_t sound = *final_ & ~lost;
  if (2 * std::popcount(sound) > std::popcount(*final_)) return Sleep();
  final_ = sound != 0 ? sound : core & ~lost;
  Check(*final_ != 0, "a group that has lost its data");
  Sleep();
}

std::vector<uint64_t> MembershipAdministrator::OpenWishes(Index committed) const {
  std::vector<uint64_t> open;
  for (const Wish& wish : wishes_) {
    if (wish.expected >= committed.value()) open.push_back(wish.voters);
  }
  return open;
}

void MembershipAdministrator::OnReply(uint64_t attempt, const Bytes& reply) {
  proto::ClientReply decoded;
  if (!decoded.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) return;
  if (decoded.has_membership()) {
    const proto::MembershipAnswer::Refusal refusal = decoded.membership().refusal();
    if (refusal == proto::MembershipAnswer::NONE) ++begun_;
    if (refusal != proto::MembershipAnswer::NONE) ++refused_;
    if (refusal == proto::MembershipAnswer::CHANGE_PENDING) ++refused_pending_;
    if (refusal == proto::MembershipAnswer::CONFIGURATION_MOVED) ++refused_moved_;
    return;
  }
  // What was seen before the last request tells of the past. Any later look will do: where looks
  // come faster than answers, the newest one never has any (simulation seed 9780).
  if (attempt <= asked_after_) return;
  for (const lockstep::v1::ReplicaStatus& replica : decoded.node_status().replicas()) {
    if (GroupId(replica.group()) == group_ && replica.role() == lockstep::v1::LEADER) {
      OnStatus(NodeId(decoded.node_status().node()), replica);
    }
  }
}

void MembershipAdministrator::OnStatus(NodeId node, const lockstep::v1::ReplicaStatus& replica) {
  seen_ = absl::StrCat("node ", node.value(), " leads with configuration ", replica.membership_id(),
                       " in phase ", lockstep::v1::ChangePhase_Name(replica.change_phase()),
                       replica.membership_committed() ? "" : ", not committed");
  const std::optional<Wish> wish = Choose(replica);
  if (!wish.has_value()) return;
  asked_after_ = look_;
  Ask(node, *wish);
}

// None: there is nothing to ask for.
std::optional<MembershipAdministrator::Wish> MembershipAdministrator::Choose(
    const lockstep::v1::ReplicaStatus& now) {
  if (!final_.has_value()) return DrawWish(now);
  const uint64_t before = Voters(now, /*with_joining=*/false);
  const bool settled = now.change_phase() == lockstep::v1::SETTLED;
  if (settled && now.membership_committed() && before == *final_ && Learners(now) == 0) {
    granted_ = true;
    return std::nullopt;
  }
  if (settled) return Wish{now.membership_id(), *final_, 0};
  if (now.change_phase() == lockstep::v1::JOINT) return std::nullopt;  // It ends by itself.
  // Somebody may be waited for who never comes: the change is called off, unless it is ours.
  uint64_t after = 0;
  for (const lockstep::v1::GroupMemberStatus& member : now.group_members()) {
    const bool stays = member.voter() && !member.leaves();
    if (stays || member.joins()) after |= Bit(member.node());
  }
  if (after == *final_) return std::nullopt;
  return Wish{now.membership_id(), before, Learners(now)};
}

MembershipAdministrator::Wish MembershipAdministrator::DrawWish(
    const lockstep::v1::ReplicaStatus& now) {
  const uint64_t usable = usable_();
  const uint64_t voters = Voters(now, /*with_joining=*/true) & usable;
  Wish wish{now.membership_id(), voters, Learners(now) & usable};
  const uint64_t what = rng_.Below(16);
  const bool off = now.change_phase() == lockstep::v1::CATCHING_UP && what < 6;
  if (off) {  // Call it off.
    wish.voters = Voters(now, /*with_joining=*/false);
  } else if (what < 5) {  // One more.
    wish.voters |= DrawSome(usable & ~voters, 1);
  } else if (what < 9) {  // One less: perhaps the leader.
    wish.voters &= ~DrawSome(voters, 1);
  } else if (what < 12) {  // One for another.
    const uint64_t gone = DrawSome(voters, 1);
    const uint64_t come = DrawSome(usable & ~voters, 1);
    wish.voters = (voters & ~gone) | come;
  } else if (what < 14) {  // All new.
    const uint64_t count = rng_.Between(uint64_t{1}, uint64_t{servers_});
    wish.voters = DrawSome(usable, count);
  } else {  // A learner that stays one.
    wish.learners |= DrawSome(usable & ~voters, 1);
  }
  if (wish.voters == 0) wish.voters = voters != 0 ? voters : usable;
  wish.learners &= ~wish.voters;
  const bool late = rng_.Chance({1, 12});
  if (late && wish.expected > 0) --wish.expected;
  return wish;
}

// Fewer where there are fewer.
uint64_t MembershipAdministrator::DrawSome(uint64_t from, uint64_t count) {
  uint64_t some = 0;
  while (count > 0 && from != 0) {
    uint64_t skip = rng_.Below(static_cast<uint64_t>(std::popcount(from)));
    uint64_t left = from;
    for (; skip > 0; --skip) left &= left - 1;
    const uint64_t one = left & ~(left - 1);
    some |= one;
    from &= ~one;
    --count;
  }
  return some;
}

void MembershipAdministrator::Ask(NodeId leader, const Wish& wish) {
  Check(wish.voters != 0);
  proto::ClientRequest request;
  request.set_group(group_.value());
  proto::ChangeMembership& change = *request.mutable_change_membership();
  change.set_expected(wish.expected);
  for (uint16_t server = 1; server <= servers_; ++server) {
    if (!Contains(wish.voters | wish.learners, server)) continue;
    proto::WantedMember& member = *change.add_members();
    member.set_node(server);
    member.set_learner(Contains(wish.learners, server));
  }
  wishes_.push_back(wish);
  port_->SendRequest(leader, ++attempts_, Encode(request));
}

std::string MembershipAdministrator::WaitingFor() const {
  if (Done()) return "";
  std::string text = "the administrator waits for the group to become nodes";
  for (uint16_t server = 1; server <= servers_; ++server) {
    if (Contains(final_.value_or(0), server)) absl::StrAppend(&text, " ", server);
  }
  return absl::StrCat(text, ": ", seen_);
}

void MembershipAdministrator::AddTo(MembershipCounters* counters) const {
  counters->asked += wishes_.size();
  counters->begun += begun_;
  counters->refused += refused_;
  counters->refused_pending += refused_pending_;
  counters->refused_moved += refused_moved_;
}

void AppendCounters(const MembershipCounters& changes, Counters* counters) {
  auto& values = counters->values;
  values.emplace_back("membership changes asked", changes.asked);
  values.emplace_back("membership changes begun", changes.begun);
  values.emplace_back("membership changes refused", changes.refused);
  values.emplace_back("membership changes refused as pending", changes.refused_pending);
  values.emplace_back("membership changes refused as moved", changes.refused_moved);
}

}  // namespace lockstep::sim
