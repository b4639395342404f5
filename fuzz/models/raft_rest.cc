#include "fuzz/models/raft_rest.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::fuzz {
namespace {

void Append(Term term, EntryKind kind, uint64_t bytes, std::vector<Entry>* log) {
  const Index index(log->size() + 1);
  std::string data;
  if (kind != EntryKind::kNoop) {
    data = absl::StrCat("c", index.value(), ".", term.value());
    data.append(bytes, 'x');
  }
  log->push_back({index, term, kind, Bytes::Copy(data)});
}

}  // namespace

LogPosition RaftRest::Leader::At(Index index) const {
  if (index == Index()) return {};
  return {index, log[index.value() - 1].term};
}

std::vector<Entry> RaftRest::LogOf(const raft::Raft& replica) const {
  const raft::RaftLog& log = replica.log();
  const auto base = static_cast<std::ptrdiff_t>(log.base().index.value());
  CheckLe(static_cast<size_t>(base), committed_.size());
  std::vector<Entry> entries(committed_.begin(), committed_.begin() + base);
  for (Index i = log.first_index(); i <= log.last_index(); i = i.Next())
    entries.push_back(log.At(i));
  return entries;
}

bool RaftRest::Holds(const std::vector<Entry>& log, const std::vector<Entry>& prefix) const {
  return log.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), log.begin(), [](const Entry& a, const Entry& b) {
           return a.term == b.term && a.data == b.data;
         });
}

void RaftRest::Learn(const raft::Raft& replica) {
  newest_ = std::max(newest_, replica.term());
  const std::vector<Entry> log = LogOf(replica);
  const auto commit = static_cast<size_t>(replica.commit().value());
  CheckLe(commit, log.size());
  std::vector<Entry> its(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(commit));
  if (its.size() <= committed_.size()) {
    const auto until = committed_.begin() + static_cast<std::ptrdiff_t>(commit);
    return Check(Holds(its, std::vector<Entry>(committed_.begin(), until)),
                 "it committed something else");
  }
  Check(replica.is_leader(), "it committed what no leader had");
  Check(Holds(its, committed_), "it committed something else");
  CheckLe(commit, SafeLength(&replica));  // On a majority.
  const bool deposed = !leaders_.empty() && leaders_.back().term > replica.term();
  if (deposed) Check(Holds(leaders_.back().log, its), "a later leader lacks what it committed");
  committed_ = std::move(its);
}

// What a majority holds, or will be thought to hold when its answers arrive.
size_t RaftRest::SafeLength(const raft::Raft* replica) const {
  if (replica == nullptr || !replica->is_leader() || taken_in_ != replica->term()) {
    return committed_.size();
  }
  std::vector<uint64_t> taken;
  for (const auto& [node, match] : taken_) taken.push_back(match.value());
  taken.resize(nodes_ - 1);
  std::sort(taken.begin(), taken.end(), std::greater<>());
  // With the replica itself, which counts as having everything.
  const uint64_t others = nodes_ / 2;
  const uint64_t held = others == 0 ? replica->log().last_index().value() : taken[others - 1];
  return std::max(committed_.size(), static_cast<size_t>(held));
}

void RaftRest::Elect(const NewLeader& how, const raft::Raft* replica) {
  const size_t safe = SafeLength(replica);
  const std::vector<Entry> replicas = replica == nullptr ? committed_ : LogOf(*replica);
  std::vector<Entry> must = committed_;
  if (safe > must.size())
    must.assign(replicas.begin(), replicas.begin() + static_cast<std::ptrdiff_t>(safe));
  std::vector<Entry> log = how.from_replica() || leaders_.empty() ? replicas : leaders_.back().log;
  if (!Holds(log, must)) log = must;
  const size_t spare = log.size() - must.size();
  log.resize(log.size() - how.lacks() % (spare + 1));
  newest_ = Term(newest_.value() + 1 + how.further() % 3);
  Append(newest_, EntryKind::kNoop, 0, &log);
  leaders_.push_back({.node = NodeId(2 + how.node() % (nodes_ - 1)),
                      .term = newest_,
                      .log = std::move(log),
                      .commit = Index(committed_.size()),
                      .matched = Index()});
}

void RaftRest::Write(const LeaderWrites& how) {
  if (leaders_.empty()) return;
  Leader& leader = leaders_.back();
  uint64_t bytes = 0;
  for (const Entry& entry : leader.log) bytes += raft::CostOf(entry);
  for (uint32_t i = 0; i <= how.entries() % 8; ++i) {
    Append(leader.term, EntryKind::kCommand, how.bytes() % 64, &leader.log);
    bytes += raft::CostOf(leader.log.back());
    if (bytes <= log_bytes_max_) continue;
    leader.log.pop_back();
    return;
  }
}

// By the others alone: they are a majority, unless there is but one.
void RaftRest::Commit(const LeaderCommits& how) {
  if (leaders_.empty() || nodes_ < 3) return;
  Leader& leader = leaders_.back();
  if (leader.term != newest_) return;  // It may have been deposed.
  const size_t length = leader.log.size() - how.short_of() % leader.log.size();
  if (length <= committed_.size() || leader.log[length - 1].term != leader.term) return;
  committed_.assign(leader.log.begin(), leader.log.begin() + static_cast<std::ptrdiff_t>(length));
  leader.commit = Index(length);
}

Term RaftRest::TermOfCandidate(uint64_t further, Term replica) {
  newest_ = Term(std::max(newest_, replica).value() + 1 + further % 3);
  return newest_;
}

RaftRest::Leader* RaftRest::LeaderAgo(uint64_t ago) {
  if (leaders_.empty()) return nullptr;
  return &leaders_[leaders_.size() - 1 - ago % leaders_.size()];
}

RaftRest::Leader* RaftRest::LeaderOf(Term term) {
  for (Leader& leader : leaders_) {
    if (leader.term == term) return &leader;
  }
  return nullptr;
}

bool RaftRest::WouldElect(const raft::Raft& candidate) const {
  return candidate.term() == newest_ &&
         (leaders_.empty() || leaders_.back().term < candidate.term()) &&
         Holds(LogOf(candidate), committed_);
}

void RaftRest::Takes(const raft::Raft& leader, NodeId node, Index match) {
  if (taken_in_ != leader.term()) taken_.clear();
  taken_in_ = leader.term();
  taken_[node] = std::max(taken_[node], match);
}

}  // namespace lockstep::fuzz
