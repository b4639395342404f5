// State Machine Safety: one sequence of committed entries, applied in order, with equal answers.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "sim/check/evidence.h"
#include "sim/check/group_checker.h"

namespace lockstep::sim {
namespace {

// The first index at which the log departs from the committed entries. REQUIRES: they differ at
// `index`, which both hold.
Index FirstDifference(const LogMirror& log, const CommitChain& chain, Index index) {
  while (log.Holds(index.Previous()) && chain.Holds(index.Previous()) &&
         log.At(index.Previous()) != chain.At(index.Previous()).link) {
    index = index.Previous();
  }
  return index;
}

}  // namespace

// False: `index` is not committed, or the replica holds something else there; reported.
bool GroupChecker::CheckAgreesWithChain(const ReplicaView& view, Index index,
                                        absl::string_view doing) {
  if (index > chain_.last()) {
    Report("State Machine Safety",
           absl::StrCat("node ", view.node.value(), " ", doing, " index ", index.value(),
                        ", but nobody has committed more than index ", chain_.last().value()));
    return false;
  }
  if (!view.log.Holds(index) || !chain_.Holds(index)) return true;
  if (view.log.At(index) == chain_.At(index).link) return true;
  const Index first = FirstDifference(view.log, chain_, index);
  const CommitChain::Record& record = chain_.At(first);
  Report("State Machine Safety",
         absl::StrCat("node ", view.node.value(), " ", doing, " index ", index.value(),
                      ", but its log is not what was committed\nnode ", record.node.value(),
                      " committed ", DescribeAt(first, record.link), "; node ", view.node.value(),
                      " holds ", DescribeAt(first, view.log.At(first)),
                      record.link.term == view.log.At(first).term ? " with other contents" : ""));
  return false;
}

// False: `position` is not that of a committed entry; reported.
bool GroupChecker::CheckIsCommitted(const ReplicaView& view, LogPosition position,
                                    absl::string_view doing) {
  const Index index = position.index;
  const bool known = chain_.Holds(index);
  if (known && chain_.At(index).link.term == position.term) return true;
  Report("State Machine Safety",
         absl::StrCat(
             "node ", view.node.value(), " ", doing, " index ", index.value(), " of term ",
             position.term.value(), "\n",
             known ? absl::StrCat("committed was ", DescribeAt(index, chain_.At(index).link))
                   : absl::StrCat("committed is only what ends at index ", chain_.last().value())));
  return false;
}

void GroupChecker::CheckNoGap(const ReplicaView& view) {
  if (!view.gap_first) return;
  Report("State Machine Safety",
         absl::StrCat("node ", view.node.value(), " went on applying after index ",
                      view.gap_final.value(), " without having applied index ",
                      view.gap_first.value()));
}

void GroupChecker::OnCommitted(ReplicaView& view, const Note& note) {
  const Index index = note.position.index;
  if (index < view.commit) {
    return Report("State Machine Safety",
                  absl::StrCat("node ", view.node.value(), " moved its commit index back from ",
                               view.commit.value(), " to ", index.value()));
  }
  if (index > view.log.last()) {
    return Report("State Machine Safety",
                  absl::StrCat("node ", view.node.value(), " committed index ", index.value(),
                               ", but its log ends at ", view.log.last().value()));
  }
  if (index > chain_.last()) {
    ExtendChain(view, index);
  } else if (!CheckAgreesWithChain(view, index, "committed")) {
    return;
  }
  view.commit = index;
}

void GroupChecker::ExtendChain(ReplicaView& view, Index through) {
  if (!CheckAgreesWithChain(view, chain_.last(), "committed entries after")) return;
  CheckCommitRule(view, through);
  for (Index index = chain_.last().Next(); index <= through; index = index.Next()) {
    const ChainLink link = view.log.At(index);
    chain_.Extend(link, view.node);
    const EntryRegistry::Record* record = registry_.Find(index, link.term);
    Check(record != nullptr);
    sessions_.OnCommitted(record->command);
    if (listener_ != nullptr) listener_->OnCommitted(group_, record->entry);
    ++counters_.commits;
  }
  NoteConfigurationsCommitted(view, through);
  chain_.NoteCommittedIn(view.term);
  CheckMajorityHolds(view, through);
  for (const ReplicaView& other : views_) {
    if (other.phase == ReplicaPhase::kLeader && other.term > view.term) {
      CheckCompleteness(other, other.term);
    }
  }
  Prune();
}

// Only a leader knows first, and it may count replicas for entries of its own term only: the figure
// 8 of Raft §5.4.2 shows what happens otherwise.
void GroupChecker::CheckCommitRule(ReplicaView& view, Index through) {
  if (view.phase != ReplicaPhase::kLeader) {
    return Report(
        "State Machine Safety",
        absl::StrCat("node ", view.node.value(), ", which does not lead, committed index ",
                     through.value(), "; no leader has committed more than index ",
                     chain_.last().value()));
  }
  const Term term = view.log.At(through).term;
  if (term == view.term) return;
  Report("Leader Completeness",
         absl::StrCat("node ", view.node.value(), ", leader of term ", view.term.value(),
                      ", committed ", DescribeAt(through, view.log.At(through)),
                      " by counting replicas: an entry of an earlier term may still be replaced"));
}

void GroupChecker::OnApplied(ReplicaView& view, const Note& note) {
  Check(note.entry != nullptr);
  const Index index = note.position.index;
  if (index <= view.applied) {
    return Report("State Machine Safety",
                  absl::StrCat("node ", view.node.value(), " applied index ", index.value(),
                               " after index ", view.applied.value()));
  }
  if (index != view.applied.Next()) {
    CheckNoGap(view);
    view.gap_first = view.applied.Next();
    view.gap_final = index.Previous();
  }
  if (index > chain_.last() || index > view.commit) {
    return Report("State Machine Safety",
                  absl::StrCat("node ", view.node.value(), " applied ", DescribeEntry(*note.entry),
                               ", but knows only index ", view.commit.value(),
                               " to be committed (anybody: ", chain_.last().value(), ")"));
  }
  view.applied = index;
  ++counters_.applied;
  if (!chain_.Holds(index.Previous())) return;
  CommitChain::Record& record = chain_.At(index);
  const uint64_t chain = HashChain(chain_.At(index.Previous()).link.chain, EntryHash(*note.entry));
  if (chain != record.link.chain) {
    return Report("State Machine Safety",
                  absl::StrCat("node ", view.node.value(), " applied ", DescribeEntry(*note.entry),
                               "\nnode ", record.node.value(), " committed ",
                               DescribeAt(index, record.link), ", which is another entry"));
  }
  if (!record.applied_by) {
    record.applied_by = view.node;
    record.reply_hash = note.number;
  } else if (record.reply_hash != note.number) {
    Report(
        "State Machine Safety",
        absl::StrCat("nodes ", record.applied_by.value(), " and ", view.node.value(), " applied ",
                     DescribeEntry(*note.entry), " and answered differently: their tables differ"));
  }
}

void GroupChecker::OnReplied(ReplicaView& view, const Note& note) {
  CheckNoGap(view);
  const Index index = note.position.index;
  const auto asked = view.asked.find(RequestId(note.number));
  const Index committed = asked != view.asked.end() ? asked->second : Index();
  if (asked != view.asked.end()) view.asked.erase(asked);
  // A leader that is confirmed after the question knows all that was committed before it.
  if (index != Index() && index < committed) {
    return Report("Freshness",
                  absl::StrCat("node ", view.node.value(), " answered request ", note.number,
                               " as of index ", index.value(), ", but index ", committed.value(),
                               " had been committed when it was asked, by node ",
                               chain_.Holds(committed) ? chain_.At(committed).node.value() : 0));
  }
  if (index <= view.applied && index <= chain_.last()) return;
  Report("Durability",
         absl::StrCat("node ", view.node.value(), " answered request ", note.number,
                      " as of index ", index.value(), ", but has applied only index ",
                      view.applied.value(), " (committed: ", chain_.last().value(), ")"));
}

}  // namespace lockstep::sim
