// Election Safety and Leader Completeness (Raft §5.2, §5.4).
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/check/evidence.h"
#include "sim/check/group_checker.h"

namespace lockstep::sim {

void GroupChecker::OnVoteGranted(ReplicaView& view, const Note& note) {
  Election& election = elections_[note.term];
  const auto earlier = std::find_if(election.votes.begin(), election.votes.end(),
                                    [&](const auto& vote) { return vote.first == view.node; });
  if (earlier != election.votes.end()) {
    if (earlier->second == note.peer) return;  // The same answer again, for a repeated question.
    return Report(
        "Election Safety",
        absl::StrCat("node ", view.node.value(), " voted twice in term ", note.term.value(),
                     ": for node ", earlier->second.value(), " and for node ", note.peer.value()));
  }
  if (view.doubt) {
    return Report("Durability",
                  absl::StrCat("node ", view.node.value(), " voted in term ", note.term.value(),
                               " although it knows that its log has lost what it had promised"));
  }
  // A reply may leave after its term is over in memory; it is still a promise about that term.
  if (note.term > view.term || (note.term == view.term && note.peer != view.vote)) {
    return Report("Election Safety",
                  absl::StrCat("node ", view.node.value(), " granted node ", note.peer.value(),
                               " its vote in term ", note.term.value(), ", but is in term ",
                               view.term.value(), " with its vote for node ", view.vote.value()));
  }
  ++counters_.votes;
  election.votes.push_back({view.node, note.peer});
  Promises& promises = view.promises;
  promises.term = std::max(promises.term, note.term);
  if (note.term <= promises.voted) return;
  promises.voted = note.term;
  promises.vote = note.peer;
}

void GroupChecker::OnBecameLeader(ReplicaView& view, const Note& note) {
  Election& election = elections_[note.term];
  if (election.leader) {
    return Report("Election Safety",
                  absl::StrCat("node ", view.node.value(), " became leader of term ",
                               note.term.value(), "\nnode ", election.leader.value(),
                               " had become leader of that term at ", Seconds(election.since)));
  }
  election.leader = view.node;
  election.since = now_;
  ++counters_.elections;
  if (note.term != view.term) {
    return Report("Election Safety",
                  absl::StrCat("node ", view.node.value(), " became leader of term ",
                               note.term.value(), ", but is in term ", view.term.value()));
  }
  view.phase = ReplicaPhase::kLeader;
  view.lease_until = Instant();
  CheckLeasesAreOver(view);
  CheckInForce(view, note.number, "became leader");
  CheckMayLead(view);
  CheckVotes(view, election);
  CheckCompleteness(view, note.term);
}

// A majority of those who decide must have voted for it, of both sets in a joint configuration.
// Where the others do not suffice it has counted its own vote, which therefore must be durable like
// any other.
void GroupChecker::CheckVotes(ReplicaView& leader, const Election& election) {
  const raft::Membership& members = InForce(leader);
  size_t votes = 0;
  const auto won = [&](bool with_own) {
    votes = 0;
    const raft::VoteOutcome outcome = members.Tally([&](NodeId voter) {
      const bool granted =
          voter == leader.node
              ? with_own
              : std::find(election.votes.begin(), election.votes.end(),
                          std::make_pair(voter, leader.node)) != election.votes.end();
      votes += granted ? 1 : 0;
      return granted ? raft::Vote::kGranted : raft::Vote::kRefused;
    });
    return outcome == raft::VoteOutcome::kWon;
  };
  if (!won(/*with_own=*/true)) {
    return Report("Election Safety",
                  absl::StrCat("node ", leader.node.value(), " became leader of term ",
                               leader.term.value(), " with ", votes, " votes (in a joint ",
                               "configuration some count twice), its own included, where ",
                               DescribeVoters(members), " decide"));
  }
  if (!members.outgoing().empty()) ++counters_.joint_elections;
  Promises& promises = leader.promises;
  promises.term = std::max(promises.term, leader.term);
  if (won(/*with_own=*/false) || promises.voted >= leader.term) return;
  promises.voted = leader.term;
  promises.vote = leader.node;
}

// It must hold what was committed in earlier terms. Not what a leader of a later term has committed
// meanwhile: this one may have been elected by votes that travelled slowly, and will find out.
void GroupChecker::CheckCompleteness(const ReplicaView& leader, Term term) {
  const Index committed = chain_.CommittedBefore(term);
  if (committed <= leader.log.base() || !chain_.Holds(committed)) return;
  const CommitChain::Record& record = chain_.At(committed);
  if (leader.log.Holds(committed) && leader.log.At(committed) == record.link) return;
  const std::string holds =
      leader.log.Holds(committed)
          ? absl::StrCat("an entry of term ", leader.log.At(committed).term.value())
          : absl::StrCat("nothing (its log ends at index ", leader.log.last().value(), ")");
  Report("Leader Completeness",
         absl::StrCat("node ", leader.node.value(), ", leader of term ", term.value(),
                      ", lacks a committed entry\nnode ", record.node.value(), " committed ",
                      DescribeAt(committed, record.link), "; node ", leader.node.value(), " holds ",
                      holds, " there"));
}

void GroupChecker::OnBecameOther(ReplicaView& view, const Note& note) {
  if (note.term < view.term) {
    return Report("Election Safety",
                  absl::StrCat("node ", view.node.value(), " in term ", view.term.value(),
                               " took a role in term ", note.term.value()));
  }
  if (view.doubt && note.kind != NoteKind::kBecameFollower) {
    return Report(
        "Durability",
        absl::StrCat("node ", view.node.value(), " campaigned in term ", note.term.value(),
                     " although it knows that its log has lost what it had promised"));
  }
  view.phase = ReplicaPhase::kFollower;
}

}  // namespace lockstep::sim
