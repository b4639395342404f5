// The dispatch, and what the notes say about a replica's own log.
#include "sim/check/group_checker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/check/evidence.h"

namespace lockstep::sim {

ReplicaView& GroupChecker::ViewOf(NodeId node) {
  CheckLe(uint64_t{1}, node.value());
  if (views_.size() <= node.value()) views_.resize(node.value() + 1);
  ReplicaView& view = views_[node.value()];
  view.node = node;
  return view;
}

void GroupChecker::Report(absl::string_view property, std::string evidence) {
  if (findings_.first().has_value()) return;
  findings_.Report(std::string(property), absl::StrCat(evidence, "\n(group ", group_.value(),
                                                       ", at ", Seconds(now_), ")"));
}

void GroupChecker::OnNote(Instant now, NodeId node, const Note& note) {
  if (findings_.first().has_value()) return;  // What follows a violation is its consequence.
  now_ = now;
  ReplicaView& view = ViewOf(node);
  if (view.phase == ReplicaPhase::kBooting && note.kind != NoteKind::kBootEntry) FinishBoot(view);
  // The dead do not decide: notes that a crash overtook within its event describe lost memory.
  if (view.phase == ReplicaPhase::kDown && note.kind != NoteKind::kBooted) return;
  Dispatch(view, note);
}

void GroupChecker::Dispatch(ReplicaView& view, const Note& note) {
  switch (note.kind) {
    case NoteKind::kBooted:
      return OnBooted(view, note);
    case NoteKind::kBootEntry:
      return OnBootEntry(view, note);
    case NoteKind::kHardState:
      return OnHardState(view, note);
    case NoteKind::kAppended:
      return OnAppended(view, note);
    case NoteKind::kTruncated:
      return OnTruncated(view, note);
    case NoteKind::kBaseMoved:
      return OnBaseMoved(view, note);
    case NoteKind::kBecameLeader:
      return OnBecameLeader(view, note);
    case NoteKind::kBecameFollower:
    case NoteKind::kBecameCandidate:
    case NoteKind::kBecamePreCandidate:
      return OnBecameOther(view, note);
    case NoteKind::kCommitted:
      return OnCommitted(view, note);
    case NoteKind::kVoteGranted:
      return OnVoteGranted(view, note);
    case NoteKind::kAppendAcked:
      return OnAppendAcked(view, note);
    case NoteKind::kTrusted:
      return OnTrusted(view);
    case NoteKind::kApplied:
      return OnApplied(view, note);
    case NoteKind::kSnapshotInstalled:
      return OnSnapshotInstalled(view, note);
    case NoteKind::kReplied:
      return OnReplied(view, note);
    case NoteKind::kSnapshotSent:
      ++counters_.snapshots_sent;
      return;
    case NoteKind::kSnapshotResumed:
      ++counters_.snapshots_resumed;
      return;
    case NoteKind::kTransferStarted:
      ++counters_.transfers;
      return;
    case NoteKind::kLease:
      return OnLease(view, note);
    case NoteKind::kMalformed:
      return;
  }
}

void GroupChecker::OnCrash(NodeId node) {
  if (findings_.first().has_value()) return;
  ReplicaView& view = ViewOf(node);
  if (view.phase == ReplicaPhase::kBooting) FinishBoot(view);
  view.phase = ReplicaPhase::kDown;
  view.asked.clear();
}

void GroupChecker::OnRequest(NodeId node, RequestId id) {
  if (!findings_.first().has_value()) ViewOf(node).asked.emplace(id, chain_.last());
}

void GroupChecker::AtEnd() {
  if (findings_.first().has_value()) return;
  Index highest;
  bool running = false;
  for (ReplicaView& view : views_) {
    if (view.phase == ReplicaPhase::kBooting) FinishBoot(view);
    if (!view.running()) continue;
    running = true;
    highest = std::max(highest, view.commit);
    CheckNoGap(view);
  }
  if (!running || highest >= chain_.last()) return;
  Report("Durability",
         absl::StrCat("everybody has come to rest, but of the entries up to index ",
                      chain_.last().value(), " that had been committed, nobody commits more than ",
                      highest.value(), "\nnode ", chain_.At(chain_.last()).node.value(),
                      " was the first to commit index ", chain_.last().value()));
}

void GroupChecker::OnTableDigest(NodeId node, LogPosition applied, uint64_t digest) {
  const auto [found, fresh] = digests_.try_emplace(applied.index, node, digest);
  if (fresh || found->second.second == digest) return;
  Report("State Machine Safety",
         absl::StrCat("nodes ", found->second.first.value(), " and ", node.value(),
                      " have both applied the log up to index ", applied.index.value(),
                      ", but their tables differ"));
}

void GroupChecker::OnHardState(ReplicaView& view, const Note& note) {
  if (note.term < view.term) {
    return Report("Election Safety",
                  absl::StrCat("node ", view.node.value(), " went back from term ",
                               view.term.value(), " to term ", note.term.value()));
  }
  if (note.term == view.term && view.vote && note.peer != view.vote) {
    return Report(
        "Election Safety",
        absl::StrCat("node ", view.node.value(), " changed its vote in term ", note.term.value(),
                     " from node ", view.vote.value(), " to node ", note.peer.value()));
  }
  if (note.term > view.term && view.phase == ReplicaPhase::kLeader) {
    view.phase = ReplicaPhase::kFollower;
  }
  view.term = note.term;
  view.vote = note.peer;
}

// Appends to the mirror and holds the entry against everybody else's.
bool GroupChecker::Adopt(ReplicaView& view, const Entry& entry) {
  if (entry.index != view.log.last().Next()) {
    Report("Log Matching",
           absl::StrCat("node ", view.node.value(), " appended index ", entry.index.value(),
                        " after index ", view.log.last().value()));
    return false;
  }
  if (entry.index <= registry_.floor()) {
    // Everybody else has long forgotten it: taken on trust.
    view.log.Append(chain_.Holds(entry.index) ? chain_.At(entry.index).link
                                              : ChainLink{entry.term, 0});
    HoldConfiguration(view, entry);
    return true;
  }
  const ChainLink before = view.log.Last();
  const ChainLink link{entry.term, HashChain(before.chain, EntryHash(entry))};
  if (entry.term < before.term || !entry.term) {
    Report("Log Matching", absl::StrCat("node ", view.node.value(), " holds an entry of term ",
                                        entry.term.value(), " at index ", entry.index.value(),
                                        " after one of term ", before.term.value()));
    return false;
  }
  const EntryRegistry::Record& known = registry_.Meet(entry, link, view.node);
  if (known.link.chain != link.chain) {
    Report("Log Matching",
           absl::StrCat("nodes ", known.node.value(), " and ", view.node.value(),
                        " both held an entry of term ", entry.term.value(), " at index ",
                        entry.index.value(), ", but their logs up to there differ\nnode ",
                        view.node.value(), " holds ", DescribeEntry(entry), " after ",
                        DescribeAt(view.log.last(), before)));
    return false;
  }
  view.log.Append(link);
  HoldConfiguration(view, entry);
  return true;
}

void GroupChecker::OnAppended(ReplicaView& view, const Note& note) {
  Check(note.entry != nullptr);
  const Entry& entry = *note.entry;
  if (entry.term > view.term) {
    return Report("Log Matching",
                  absl::StrCat("node ", view.node.value(), " in term ", view.term.value(),
                               " appended ", DescribeEntry(entry), " of a later term"));
  }
  if (view.phase == ReplicaPhase::kLeader && entry.term != view.term) {
    return Report("Leader Append-Only",
                  absl::StrCat("node ", view.node.value(), ", leader of term ", view.term.value(),
                               ", appended ", DescribeEntry(entry), " of another term"));
  }
  Adopt(view, entry);
}

void GroupChecker::OnTruncated(ReplicaView& view, const Note& note) {
  const Index from = note.position.index;
  const std::string deed = absl::StrCat("node ", view.node.value(), " in term ", view.term.value(),
                                        " dropped index ", from.value(), " and all after it");
  if (view.phase == ReplicaPhase::kLeader) return Report("Leader Append-Only", deed);
  if (from <= view.log.base()) {
    return Report("Durability",
                  absl::StrCat(deed, ", below its log's base ", view.log.base().value()));
  }
  if (from > view.log.last()) {
    return Report("Log Matching",
                  absl::StrCat(deed, ", past its last index ", view.log.last().value()));
  }
  if (from <= view.commit) {
    return Report("State Machine Safety", absl::StrCat(deed, ", though it knew index ",
                                                       view.commit.value(), " to be committed"));
  }
  if (chain_.Holds(from) && chain_.At(from).link == view.log.At(from)) {
    return Report("Durability", absl::StrCat(deed, ", an entry that node ",
                                             chain_.At(from).node.value(), " had committed"));
  }
  view.replacements.Add(view.term, from);
  Promises& promises = view.promises;
  if (promises.match_term == view.term && from <= promises.match) {
    return Report("Durability", absl::StrCat(deed, ", after it had acknowledged index ",
                                             promises.match.value(), " to the same leader"));
  }
  ++counters_.truncations;
  view.log.TruncateFrom(from);
  DropConfigurations(view, from);
  if (promises.held >= from) {
    promises.held = view.log.last();
    promises.held_link = view.log.Last();
  }
}

// A compaction drops entries that are applied; an installed snapshot also replaces a log that does
// not hold its position (Raft §7).
void GroupChecker::OnBaseMoved(ReplicaView& view, const Note& note) {
  const Index base = note.position.index;
  if (base < view.log.base()) {
    return Report("Log Matching",
                  absl::StrCat("node ", view.node.value(), " moved its log's base back from ",
                               view.log.base().value(), " to ", base.value()));
  }
  const bool compaction = note.number == 0;
  if (!compaction && base < view.commit) {
    return Report("State Machine Safety",
                  absl::StrCat("node ", view.node.value(), " moved its commit index back from ",
                               view.commit.value(), " to that of a snapshot, ", base.value()));
  }
  if (compaction && !CheckAgreesWithChain(view, base, "compacted its log up to")) return;
  if (!CheckIsCommitted(view, note.position, "began its log after")) return;
  const ChainLink link = chain_.At(base).link;
  if (view.log.Holds(base) && view.log.At(base) == link) {
    if (compaction) ++counters_.compactions;
    view.log.MoveBase(base);
  } else if (compaction) {
    return Report("Durability",
                  absl::StrCat("node ", view.node.value(), " compacted its log up to ",
                               base.value(), ", but it ends at index ", view.log.last().value()));
  } else {
    view.log.Reset(base, link);
    view.configurations.clear();
    if (view.promises.held > base) {
      view.promises.held = base;
      view.promises.held_link = link;
    }
  }
  view.commit = std::max(view.commit, base);
}

}  // namespace lockstep::sim
