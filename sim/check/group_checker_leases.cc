// Leases: as long as one lasts, by the world's time, nobody is elected in a later term. Everything
// else follows from that: nobody commits anything that its holder does not know of.
#include "absl/strings/str_cat.h"
#include "sim/check/evidence.h"
#include "sim/check/group_checker.h"

namespace lockstep::sim {

// `note.number`: when it ends, as the world's time (sim/world/node_host.cc).
void GroupChecker::OnLease(ReplicaView& view, const Note& note) {
  if (!view.leads(note.term)) {
    return Report("Lease", absl::StrCat("node ", view.node.value(), " holds a lease of term ",
                                        note.term.value(), ", but does not lead in it"));
  }
  const Instant until(Duration(static_cast<int64_t>(note.number)));
  if (until > now_ && view.lease_until <= now_) ++counters_.leases;
  view.lease_until = until;
  if (until <= now_) return;
  for (auto later = elections_.upper_bound(note.term); later != elections_.end(); ++later) {
    const Election& election = later->second;
    if (election.leader) return ReportLease(view, election.leader, later->first, election.since);
  }
}

// `leader` has just been elected.
void GroupChecker::CheckLeasesAreOver(const ReplicaView& leader) {
  for (const ReplicaView& view : views_) {
    const bool holds = view.phase == ReplicaPhase::kLeader && view.lease_until > now_;
    if (holds && view.term < leader.term) {
      return ReportLease(view, leader.node, leader.term, now_);
    }
  }
}

void GroupChecker::ReportLease(const ReplicaView& holder, NodeId leader, Term term, Instant since) {
  Report("Lease", absl::StrCat("node ", holder.node.value(), " leads in term ", holder.term.value(),
                               " with a lease until ", Seconds(holder.lease_until), "\nnode ",
                               leader.value(), " was elected in term ", term.value(), " at ",
                               Seconds(since)));
}

}  // namespace lockstep::sim
