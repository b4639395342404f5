// Changes of membership (thesis §4): who decides, and that it changes one safe step at a time.
//
// What is in force at a replica is told by its log alone: the newest configuration in it, committed
// or not; where it has none, the newest that is committed up to where its log begins.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/check/evidence.h"
#include "sim/check/group_checker.h"

namespace lockstep::sim {
namespace {

bool Shares(const std::vector<NodeId>& voters, const raft::Membership& members) {
  return voters == members.incoming() ||
         (!members.outgoing().empty() && voters == members.outgoing());
}

// Whether any majority of the one meets any majority of the other, as far as sets of voters tell.
bool Meet(const raft::Membership& before, const raft::Membership& after) {
  return Shares(before.incoming(), after) ||
         (!before.outgoing().empty() && Shares(before.outgoing(), after));
}

}  // namespace

const HeldConfiguration* GroupChecker::CommittedAt(Index index) const {
  const auto after = committed_configurations_.upper_bound(index);
  return after == committed_configurations_.begin() ? nullptr : &std::prev(after)->second;
}

const raft::Membership& GroupChecker::InForce(const ReplicaView& view) const {
  if (!view.configurations.empty()) return view.configurations.back().membership;
  const HeldConfiguration* committed = CommittedAt(view.log.base());
  if (committed != nullptr) return committed->membership;
  return beginning_.has_value() ? *beginning_ : booted_members_;
}

Index GroupChecker::InForceId(const ReplicaView& view) const {
  if (!view.configurations.empty()) return view.configurations.back().configuration.id;
  const HeldConfiguration* committed = CommittedAt(view.log.base());
  return committed == nullptr ? Index() : committed->configuration.id;
}

std::vector<raft::GroupConfiguration> GroupChecker::Deciding() const {
  std::vector<raft::GroupConfiguration> deciding;
  const HeldConfiguration* committed = CommittedAt(chain_.last());
  deciding.push_back(committed != nullptr
                         ? committed->configuration
                         : raft::InitialConfiguration(beginning_.value_or(booted_members_)));
  for (const ReplicaView& view : views_) {
    for (const HeldConfiguration& held : view.configurations) {
      if (held.configuration.id > deciding.front().id) deciding.push_back(held.configuration);
    }
  }
  return deciding;
}

std::optional<std::vector<NodeId>> GroupChecker::MembersCommittedAs(Index id) const {
  if (id == Index()) return beginning_.value_or(booted_members_).members();
  const auto found = committed_configurations_.find(id);
  if (found == committed_configurations_.end()) return std::nullopt;
  return found->second.membership.members();
}

// The entry is the last of the view's log.
void GroupChecker::HoldConfiguration(ReplicaView& view, const Entry& entry) {
  if (entry.kind != EntryKind::kConfiguration) return;
  absl::StatusOr<raft::GroupConfiguration> read = raft::DecodeConfiguration(entry.data.view());
  if (!read.ok() || read->id != entry.index) {
    return Report("Membership", absl::StrCat("node ", view.node.value(), " holds ",
                                             DescribeEntry(entry), ", which are unreadable"));
  }
  const bool begins = view.phase == ReplicaPhase::kLeader;
  if (begins) CheckChange(view, *read);
  raft::Membership membership = raft::MembershipOf(*read);
  view.configurations.push_back({*std::move(read), std::move(membership)});
}

void GroupChecker::DropConfigurations(ReplicaView& view, Index from) {
  std::vector<HeldConfiguration>& held = view.configurations;
  while (!held.empty() && held.back().configuration.id >= from) {
    held.pop_back();
    ++counters_.changes_taken_back;
  }
}

// A leader begins a step: the one before is committed, so is an entry of its own term (Ongaro
// 2015), and no majority of the old misses one of the new.
void GroupChecker::CheckChange(const ReplicaView& leader, const raft::GroupConfiguration& next) {
  const std::string who =
      absl::StrCat("node ", leader.node.value(), ", leader of term ", leader.term.value(),
                   ", appended configuration ", raft::Describe(next));
  if (InForceId(leader) > leader.commit) {
    return Report("Membership", absl::StrCat(who, "\nbefore it knew configuration ",
                                             InForceId(leader).value(), " to be committed"));
  }
  const bool own_term =
      leader.log.Holds(leader.commit) && leader.log.At(leader.commit).term == leader.term;
  if (!own_term) {
    return Report("Membership", absl::StrCat(who, "\nbefore an entry of its term was committed"));
  }
  const raft::Membership after = raft::MembershipOf(next);
  if (!Meet(InForce(leader), after)) {
    return Report("Membership",
                  absl::StrCat(who, "\nafter one in which ", DescribeVoters(InForce(leader)),
                               " decide: their majorities need not meet"));
  }
  ++counters_.changes_begun;
  if (next.phase == raft::ChangePhase::kJoint) ++counters_.changes_joint;
}

// Who leads votes in a configuration whose end is not known to it to be committed.
void GroupChecker::CheckMayLead(const ReplicaView& leader) {
  if (InForce(leader).IsVoter(leader.node)) return;
  for (const HeldConfiguration& held : leader.configurations) {
    if (held.membership.IsVoter(leader.node)) return;
  }
  const HeldConfiguration* committed = CommittedAt(leader.log.base());
  const raft::Membership& before = committed != nullptr
                                       ? committed->membership
                                       : (beginning_.has_value() ? *beginning_ : booted_members_);
  if (before.IsVoter(leader.node)) return;
  Report("Membership",
         absl::StrCat("node ", leader.node.value(), " became leader of term ", leader.term.value(),
                      ", but it votes nowhere: ", DescribeVoters(InForce(leader)), " decide"));
}

// A replica must itself know what its log says.
void GroupChecker::CheckInForce(const ReplicaView& view, uint64_t id, absl::string_view doing) {
  if (Index(id) == InForceId(view)) return;
  Report("Membership",
         absl::StrCat("node ", view.node.value(), " ", doing, " with configuration ", id,
                      " in force, but by its log that is configuration ", InForceId(view).value()));
}

void GroupChecker::NoteConfigurationsCommitted(const ReplicaView& view, Index through) {
  for (const HeldConfiguration& held : view.configurations) {
    const Index id = held.configuration.id;
    const HeldConfiguration* before = CommittedAt(id);
    const bool news = before == nullptr || before->configuration.id < id;
    if (id > through || !news) continue;
    ++counters_.changes_committed;
    if (held.configuration.phase == raft::ChangePhase::kSettled) {
      if (!held.membership.IsMember(view.node)) ++counters_.leaders_removed;
      for (const NodeId voter : held.membership.voters()) {
        const bool joined = before != nullptr && before->membership.IsVoter(voter) &&
                            !std::binary_search(before->membership.outgoing().begin(),
                                                before->membership.outgoing().end(), voter);
        if (joined && !before->membership.outgoing().empty()) ++counters_.promotions;
      }
    }
    committed_configurations_.emplace(id, held);
  }
}

}  // namespace lockstep::sim
