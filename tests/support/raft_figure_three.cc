#include "tests/support/raft_figure_three.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace lockstep::test {
namespace {

bool HoldsDurably(const Member& member, Index index, Term term) {
  const ReplicaImage& disk = member.disk();
  const uint64_t offset = index.value() - std::min(index.value(), disk.base.index.value());
  const bool in_log =
      offset > 0 && offset <= disk.entries.size() && disk.entries[offset - 1].term == term;
  const bool in_table = member.durable_applied().index >= index;
  return in_log || in_table || disk.base.index >= index;
}

}  // namespace

void FigureThree::Before(const Member& member) {
  const raft::Raft& raft = member.raft();
  decides_ = raft.membership();
  commit_before_ = raft.commit();
  leads_before_ = raft.is_leader() ? raft.term() : Term();
}

void FigureThree::After(const Member& member, const TurnEffects& effects) {
  CheckReads(effects);
  for (const raft::LoggedNote& note : effects.output.notes) {
    if (note.note.kind == NoteKind::kTruncated) ++truncations_;
    if (note.note.kind == NoteKind::kSnapshotInstalled) ++installs_;
    if (note.note.kind == NoteKind::kBecameLeader) CheckElection(member);
    if (note.note.kind == NoteKind::kAppended) NoteMembers(member, *note.entry);
  }
  CheckCommittedByCounting(member, effects);
  CheckSafety(member);
}

void FigureThree::Crashed(const Member& member) {
  leader_logs_.erase(member.id());
  CheckDurable();
  CheckTerms(member);
}

void FigureThree::Leaves(const Member& member, const raft::Outgoing& outgoing) const {
  // A term leaves a node only after it is durable (DESIGN, Raft Fig. 2: "before responding").
  if (outgoing.message.term > member.disk().hard_state.term) fail_("an undurable term left");
}

// Each sees everything that was committed when it was asked for.
void FigureThree::CheckReads(const TurnEffects& effects) {
  for (const raft::ReadReady& read : effects.output.reads) {
    ++reads_done_;
    if (read.at < reads_.at(read.id))
      fail_(absl::StrCat("stale read: ", read.at.value(), " < ", reads_[read.id].value()));
  }
}

// A change of members is never begun before the one before is committed.
void FigureThree::NoteMembers(const Member& member, const Entry& entry) {
  if (entry.kind != EntryKind::kConfiguration || !member.raft().is_leader()) return;
  const raft::GroupConfiguration members = *raft::DecodeConfiguration(entry.data.view());
  ++changes_;
  joints_ += members.phase == raft::ChangePhase::kJoint ? 1 : 0;
  const raft::RaftLog& log = member.raft().log();
  for (Index i = log.first_index(); i < entry.index; i = i.Next()) {
    if (log.At(i).kind == EntryKind::kConfiguration && i > member.raft().commit())
      fail_(absl::StrCat("two changes under way: ", i.value(), " and ", entry.index.value()));
  }
  if (members.phase != raft::ChangePhase::kSettled) return;
  if (members.Find(member.id()) == nullptr) ++removals_;
}

// "Election Safety" and "Leader Completeness".
void FigureThree::CheckElection(const Member& member) {
  const raft::Raft& raft = member.raft();
  const auto [leader, fresh] = leaders_.emplace(raft.term(), member.id());
  if (!fresh && leader->second != member.id())
    fail_(absl::StrCat("two leaders in term ", raft.term().value()));
  for (size_t i = 0; i < committed_.size(); ++i) {
    const Index index(i + 1);
    if (index < raft.log().base().index) continue;
    if (raft.log().TermAt(index) != committed_[i].first)
      fail_(absl::StrCat("leader ", member.id().value(), " lacks committed ", i + 1));
  }
}

void FigureThree::CheckSafety(const Member& member) {
  CheckLeaderAppendOnly(member);
  for (const auto& [id, other] : members_) {
    if (id != member.id() && other.up()) CheckMatching(member.raft().log(), other.raft().log());
  }
  CheckCommitted(member);
  CheckDurable();
  CheckTable(member);
  CheckTerms(member);
}

void FigureThree::CheckLeaderAppendOnly(const Member& member) {
  const raft::RaftLog& log = member.raft().log();
  if (!member.raft().is_leader()) {
    leader_logs_.erase(member.id());
    return;
  }
  auto& [term, terms] = leader_logs_[member.id()];
  if (term != member.raft().term()) terms.clear();
  term = member.raft().term();
  for (const auto& [index, was] : terms) {
    if (index >= log.base().index && log.TermAt(index) != was)
      fail_(absl::StrCat("leader ", member.id().value(), " changed its entry ", index.value()));
  }
  for (Index index = log.first_index(); index <= log.last_index(); index = index.Next())
    terms[index] = log.At(index).term;
}

// "Log Matching": going down, once two entries match, all before them do.
void FigureThree::CheckMatching(const raft::RaftLog& a, const raft::RaftLog& b) const {
  const Index first = std::max(a.first_index(), b.first_index());
  bool matched = false;
  for (Index i = std::min(a.last_index(), b.last_index()); i >= first; i = i.Previous()) {
    const bool same = a.At(i).term == b.At(i).term;
    if (same && !(a.At(i).data == b.At(i).data)) fail_("log matching: same entry, other data");
    if (matched && !same) fail_(absl::StrCat("log matching: at ", i.value()));
    matched = matched || same;
  }
}

// "State Machine Safety": one sequence of entries, and each is durable on a majority.
void FigureThree::CheckCommitted(const Member& member) {
  const raft::Raft& raft = member.raft();
  const raft::RaftLog& log = raft.log();
  for (Index index(committed_.size() + 1); index <= raft.commit(); index = index.Next()) {
    const Entry& entry = log.At(index);
    committed_.push_back({entry.term, std::string(entry.data.view())});
    deciders_ = decides_;
  }
  const Index first = std::max(log.base().index, Index(1));
  for (Index index = first; index <= raft.commit(); index = index.Next()) {
    if (log.TermAt(index) != committed_[index.value() - 1].first)
      fail_(absl::StrCat("node ", member.id().value(), " committed another ", index.value()));
  }
}

// Raft §5.4.2, Fig. 8: what a leader commits ends with an entry of its own term. A snapshot that
// was being written when it was elected is committed by what it is.
void FigureThree::CheckCommittedByCounting(const Member& member, const TurnEffects& effects) const {
  const raft::Raft& raft = member.raft();
  if (leads_before_ == Term() || raft.commit() <= commit_before_) return;
  for (const raft::LoggedNote& note : effects.output.notes) {
    if (note.note.kind == NoteKind::kSnapshotInstalled) return;
  }
  if (raft.is_leader() && raft.term() == leads_before_ &&
      raft.log().TermAt(raft.commit()) != raft.term())
    fail_(absl::StrCat("leader ", member.id().value(),
                       " counted an old entry: ", raft.commit().value()));
}

// On a majority of those who decided when it was committed, then and ever after: nobody who holds
// what is committed gives it up.
void FigureThree::CheckDurable() const {
  if (committed_.empty()) return;
  const Index index(committed_.size());
  const Term term = committed_.back().first;
  const raft::VoteOutcome outcome = deciders_.Tally([&](NodeId id) {
    return HoldsDurably(members_.at(id), index, term) ? raft::Vote::kGranted : raft::Vote::kRefused;
  });
  if (outcome != raft::VoteOutcome::kWon)
    fail_(absl::StrCat("committed ", index.value(), " is not durable on a majority"));
}

// Every table is a prefix of every longer one.
void FigureThree::CheckTable(const Member& member) {
  const std::string& text = member.table().text;
  const size_t common = std::min(text.size(), longest_table_.size());
  if (text.compare(0, common, longest_table_, 0, common) != 0)
    fail_(absl::StrCat("node ", member.id().value(), " applied another history"));
  if (text.size() > longest_table_.size()) longest_table_ = text;
}

// Hard state moves forward only, through crashes too, and a vote is never changed.
void FigureThree::CheckTerms(const Member& member) {
  const HardState disk = member.disk().hard_state;
  HardState& seen = seen_[member.id()];
  if (disk.term < seen.term) fail_("the term on disk went back");
  if (disk.term == seen.term && seen.vote != NodeId() && disk.vote != seen.vote)
    fail_("a vote was changed");
  seen = disk;
}

}  // namespace lockstep::test
