// The durability oracle: what a replica promised to others is on its disk after any crash, and what
// is committed is held by a majority.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/check/evidence.h"
#include "sim/check/group_checker.h"

namespace lockstep::sim {

void GroupChecker::OnBooted(ReplicaView& view, const Note& note) {
  if (view.boots++ == 0 && !beginning_.has_value()) {
    booted_.push_back(view.node);
    booted_members_ = raft::Membership(booted_);
  }
  view.configurations.clear();
  if (view.promises.term) ++counters_.recoveries;
  view.phase = ReplicaPhase::kBooting;
  view.replacements.Clear();
  view.commit = Index();
  view.applied = Index(note.number);
  view.gap_first = view.gap_final = Index();
  const Promises& promises = view.promises;
  const bool forgot_vote = note.term == promises.voted && note.peer != promises.vote;
  if (note.term < promises.term || forgot_vote) {
    Report("Durability",
           absl::StrCat("node ", view.node.value(), " found term ", note.term.value(),
                        " with a vote for node ", note.peer.value(), " (0: nobody) on its disk",
                        "\nbefore the crash it had spoken in term ", promises.term.value(),
                        forgot_vote ? absl::StrCat(" and voted for node ", promises.vote.value())
                                    : std::string()));
  }
  view.term = note.term;
  view.vote = note.peer;
  if (note.doubt) NoteLoss(view, note.doubt);
  view.doubt = note.doubt;
  const Index base = note.position.index;
  if (base > chain_.last() || view.applied > chain_.last()) {
    Report("State Machine Safety",
           absl::StrCat("node ", view.node.value(), " found a log after index ", base.value(),
                        " and a table at index ", view.applied.value(),
                        " on its disk, but nobody has committed more than index ",
                        chain_.last().value()));
    return view.log.Reset(base, {note.position.term, 0});
  }
  if (view.applied < base || (base < view.boot_base && !view.doubt)) {
    Report("Durability",
           absl::StrCat("node ", view.node.value(), " found a log after index ", base.value(),
                        " (earlier: ", view.boot_base.value(), ") and a table at index ",
                        view.applied.value(), " on its disk: entries between them are lost"));
  }
  view.boot_base = base;
  const ChainLink link =
      chain_.Holds(base) ? chain_.At(base).link : ChainLink{note.position.term, 0};
  if (link.term != note.position.term) {
    Report("State Machine Safety",
           absl::StrCat("node ", view.node.value(), " found a log after index ", base.value(),
                        " of term ", note.position.term.value(), " on its disk, but ",
                        DescribeAt(base, link), " was committed"));
  }
  view.log.Reset(base, link);
}

void GroupChecker::OnBootEntry(ReplicaView& view, const Note& note) {
  Check(note.entry != nullptr);
  const Entry& entry = *note.entry;
  if (entry.index > registry_.floor() && registry_.Find(entry.index, entry.term) == nullptr) {
    return Report("Durability",
                  absl::StrCat("node ", view.node.value(), " found ", DescribeEntry(entry),
                               " on its disk, which nobody has ever appended"));
  }
  Adopt(view, entry);
}

// All that the disk held is known now.
void GroupChecker::FinishBoot(ReplicaView& view) {
  view.phase = ReplicaPhase::kFollower;
  if (findings_.first().has_value()) return;
  Promises& promises = view.promises;
  const Index held = promises.held;
  // A table that has applied past the promise holds what was promised, in its own way.
  const bool kept = held <= view.log.base() || held <= view.applied ||
                    (view.log.Holds(held) && view.log.At(held) == promises.held_link);
  if (!kept && view.doubt) {
    // What it had acknowledged lies in `losses`; to the leaders of these terms it speaks no more.
    promises.held = view.log.last();
    promises.held_link = view.log.Last();
    promises.match_term = Term();
    promises.match = Index();
  } else if (!kept) {
    Report("Durability",
           absl::StrCat("node ", view.node.value(), " had promised to hold the log up to ",
                        DescribeAt(held, promises.held_link),
                        "\nafter the crash its disk holds index ", view.log.base().Next().value(),
                        " to ", view.log.last().value(), ", with ",
                        view.log.Holds(held) ? DescribeAt(held, view.log.At(held)) : "nothing",
                        " there, and a table at index ", view.applied.value()));
    return;
  }
  // A table ahead of the log, or beside it, is durable and committed: the log gives way to it.
  if (!chain_.Holds(view.applied)) return;
  const ChainLink table = chain_.At(view.applied).link;
  const bool matches = view.log.Holds(view.applied) && view.log.At(view.applied) == table;
  if (view.applied > view.log.base() && !matches) {
    view.log.Reset(view.applied, table);
    view.configurations.clear();
  }
  view.term = std::max(view.term, view.log.Last().term);
  view.commit = view.applied;
}

// A replica says at boot that it has lost something. That must be so by no fault of its own.
void GroupChecker::NoteLoss(ReplicaView& view, Term doubt) {
  if (!view.losses.empty() && view.losses.back().doubt == doubt) return;  // Not over it yet.
  if (view.losses.size() >= view.damages) {
    return Report(
        "Durability",
        absl::StrCat("node ", view.node.value(), " found its log damaged ", view.losses.size() + 1,
                     " times, but its disk was damaged ", view.damages, " times"));
  }
  ++counters_.losses;
  view.losses.push_back({doubt, view.promises, view.log});
}

// The end of what was committed of what it had promised: what other leaders committed in place of
// the rest it had never promised (raft seed 836).
Index GroupChecker::CommittedOf(const Loss& loss) const {
  Index index = std::min(loss.promises.held, chain_.last());
  const auto committed = [&] {
    return loss.log.Holds(index) && loss.log.At(index) == chain_.At(index).link;
  };
  while (index > loss.log.base() && chain_.Holds(index) && !committed()) index = index.Previous();
  return index;
}

// It says that it has got everything back: what is committed of what it had promised must be there.
void GroupChecker::OnTrusted(ReplicaView& view) {
  ++counters_.repairs;
  view.doubt = Term();
  for (const Loss& loss : view.losses) {
    const Index index = CommittedOf(loss);
    if (index <= view.log.base() || !chain_.Holds(index)) continue;
    const ChainLink link = chain_.At(index).link;
    if (view.log.Holds(index) && view.log.At(index) == link) continue;
    return Report("Durability",
                  absl::StrCat("node ", view.node.value(),
                               " votes again, but of what it had promised before its disk was "
                               "damaged it lacks ",
                               DescribeAt(index, link), ", which was committed"));
  }
}

// Whether it had acknowledged this to a leader of the term, before damage took it.
bool GroupChecker::HadPromised(const ReplicaView& view, Term leader_term, Index index,
                               ChainLink link) const {
  return std::any_of(view.losses.begin(), view.losses.end(), [&](const Loss& loss) {
    if (leader_term > loss.doubt || loss.promises.held < index) return false;
    return loss.log.base() >= index || (loss.log.Holds(index) && loss.log.At(index) == link);
  });
}

// Whether the log up to `match` is what the leader of `term` has, as far as that is still known.
bool GroupChecker::AckIsTrue(const ReplicaView& view, Term term, Index match) {
  const auto election = elections_.find(term);
  if (election == elections_.end() || !election->second.leader) return true;
  const ReplicaView& leader = ViewOf(election->second.leader);
  if (!leader.leads(term) || match < leader.log.base() || match < view.log.base()) return true;
  return leader.log.Holds(match) && view.log.Holds(match) &&
         leader.log.At(match) == view.log.At(match);
}

void GroupChecker::OnAppendAcked(ReplicaView& view, const Note& note) {
  CheckNoGap(view);
  const Index match = note.position.index;
  if (note.term > view.term) {
    return Report("Log Matching",
                  absl::StrCat("node ", view.node.value(), " in term ", view.term.value(),
                               " acknowledged in term ", note.term.value()));
  }
  Promises& promises = view.promises;
  promises.term = std::max(promises.term, note.term);
  const bool is_true = AckIsTrue(view, note.term, match);
  if (note.term == view.term && (!is_true || match > view.log.last())) {
    return Report("Log Matching",
                  absl::StrCat("node ", view.node.value(), " acknowledged the log up to index ",
                               match.value(), " to node ", note.peer.value(), ", leader of term ",
                               note.term.value(), ", but the two logs differ before there"));
  }
  // An answer that left after its term was over says nothing about what has been replaced since.
  if (!is_true || view.replacements.Replaced(note.term, match) || !view.log.Holds(match)) return;
  if (note.term > promises.match_term) {
    promises.match_term = note.term;
    promises.match = Index();
  }
  if (note.term == promises.match_term) promises.match = std::max(promises.match, match);
  if (match <= promises.held) return;
  promises.held = match;
  promises.held_link = view.log.At(match);
}

void GroupChecker::OnSnapshotInstalled(ReplicaView& view, const Note& note) {
  const Index index = note.position.index;
  ++counters_.snapshots_installed;
  CheckInForce(view, note.number, "installed a snapshot");
  if (!CheckIsCommitted(view, note.position, "installed a snapshot of")) return;
  if (view.gap_first && index == view.gap_final) view.gap_first = view.gap_final = Index();
  view.applied = std::max(view.applied, index);
  Promises& promises = view.promises;
  if (index <= promises.held) return;
  promises.held = index;
  promises.held_link = chain_.At(index).link;
}

// The replicas that acknowledged, and the leader if it is one of them, must be a majority of those
// who decide, of both sets in a joint configuration. Where the others do not suffice, the leader
// has counted its own copy: from now on its disk must hold it.
void GroupChecker::CheckMajorityHolds(ReplicaView& leader, Index through) {
  const ChainLink link = chain_.At(through).link;
  const auto holds = [&](NodeId node) {
    if (node.value() >= views_.size()) return false;  // It has never booted.
    const ReplicaView& view = views_[node.value()];
    if (HadPromised(view, leader.term, through, link)) return true;
    if (view.promises.held < through) return false;
    return view.log.base() >= through || (view.log.Holds(through) && view.log.At(through) == link);
  };
  const raft::Membership& members = InForce(leader);
  std::vector<NodeId> holders;
  for (const NodeId voter : members.voters()) {
    if (voter != leader.node && holds(voter)) holders.push_back(voter);
  }
  const auto suffice = [&](bool with_own) {
    return members.Tally([&](NodeId voter) {
      const bool has = voter == leader.node
                           ? with_own
                           : std::find(holders.begin(), holders.end(), voter) != holders.end();
      return has ? raft::Vote::kGranted : raft::Vote::kRefused;
    }) == raft::VoteOutcome::kWon;
  };
  if (!suffice(/*with_own=*/true)) {
    return Report(
        "Durability",
        absl::StrCat("node ", leader.node.value(), ", leader of term ", leader.term.value(),
                     ", committed ", DescribeAt(through, link), ", which only ", holders.size(),
                     " others have acknowledged, where ", DescribeVoters(members), " decide"));
  }
  Promises& promises = leader.promises;
  if (suffice(/*with_own=*/false) || through <= promises.held) return;
  promises.held = through;
  promises.held_link = link;
}

// Nobody asks for entries below the lowest base that a disk has held: bases on disk never go back.
void GroupChecker::Prune() {
  if (chain_.last() < prune_at_) return;
  prune_at_ = chain_.last().Plus(kPruneEvery);
  Index lowest = chain_.last();
  for (const ReplicaView& view : views_) {
    if (view.boots > 0) lowest = std::min(lowest, view.boot_base);
  }
  if (!chain_.Holds(lowest)) return;
  chain_.PruneBefore(lowest);
  registry_.PruneThrough(lowest);
}

}  // namespace lockstep::sim
