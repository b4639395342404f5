// RaftLog against a plain vector of terms, and the window of a follower against a plain list.
#include "core/raft/log.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/raft/progress.h"
#include "gtest/gtest.h"

namespace lockstep::raft {
namespace {

// [0] is "before the first"; forgotten entries stay, for comparison.
struct Twin {
  std::vector<Entry> entries{Entry{}};
  size_t base = 0;
  Term base_term;

  size_t last() const { return entries.size() - 1; }
  uint64_t BytesFrom(size_t first) const {
    uint64_t bytes = 0;
    for (size_t i = first; i < entries.size(); ++i) bytes += entries[i].data.size() + 32;
    return bytes;
  }
};

void ExpectEqual(const RaftLog& log, const Twin& twin, Rng& rng) {
  ASSERT_EQ(log.base().index.value(), twin.base);
  ASSERT_EQ(log.last_index().value(), twin.last());
  ASSERT_EQ(log.last_term(), twin.entries.back().term);
  ASSERT_EQ(log.size(), twin.last() - twin.base);
  ASSERT_EQ(log.bytes(), twin.BytesFrom(twin.base + 1));
  for (size_t i = 0; i <= twin.last() + 2; ++i) {
    const bool known = i >= twin.base && i <= twin.last();
    const std::optional<Term> want = known ? std::optional(twin.entries[i].term) : std::nullopt;
    ASSERT_EQ(log.TermAt(Index(i)), want) << i;
    if (i <= twin.last()) {
      ASSERT_EQ(log.BytesAfter(Index(i)), twin.BytesFrom(std::max(i, twin.base) + 1));
    }
  }
  for (size_t i = twin.base + 1; i <= twin.last(); ++i) {
    ASSERT_EQ(log.At(Index(i)).data, twin.entries[i].data);
    size_t first = i;
    while (first > twin.base + 1 && twin.entries[first - 1].term == twin.entries[i].term) --first;
    ASSERT_EQ(log.FirstIndexOfTermAt(Index(i)).value(), first);
  }
  const size_t until = rng.Below(twin.last() + 3);
  for (uint64_t term = 0; term <= twin.entries.back().term.value() + 1; ++term) {
    std::optional<Index> want;
    for (size_t i = twin.base; i <= std::min(until, twin.last()); ++i) {
      if (twin.entries[i].term == Term(term)) want = Index(i);
    }
    ASSERT_EQ(log.LastIndexOfTerm(Term(term), Index(until)), want) << term << " until " << until;
  }
}

void ExpectSlice(const RaftLog& log, const Twin& twin, Rng& rng) {
  if (log.size() == 0) return;
  const size_t first = twin.base + 1 + rng.Below(log.size());
  const uint64_t entries_max = rng.Between(uint64_t{1}, uint64_t{6});
  const uint64_t bytes_max = rng.Below(200);
  const std::vector<Entry> slice =
      log.Slice(Index(first), log.last_index(), entries_max, bytes_max);
  ASSERT_FALSE(slice.empty());  // One entry always fits.
  uint64_t bytes = 0;
  for (size_t i = 0; i < slice.size(); ++i) {
    ASSERT_EQ(slice[i].index.value(), first + i);
    bytes += CostOf(slice[i]);
  }
  ASSERT_LE(slice.size(), entries_max);
  if (slice.size() > 1) {
    ASSERT_LE(bytes, bytes_max);
  }
  const size_t next = first + slice.size();
  if (next > twin.last() || slice.size() == entries_max) return;
  ASSERT_GT(bytes + twin.entries[next].data.size() + 32, bytes_max);  // It took what fits.
}

TEST(RaftLog, DoesAsTheTwin) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    RaftLog log;
    Twin twin;
    for (int step = 0; step < 120; ++step) {
      const uint64_t what = rng.Below(10);
      if (what < 6) {
        const uint64_t raise = rng.Below(3) / 2;
        const uint64_t size = rng.Below(40);
        const Entry entry{Index(twin.last() + 1),
                          Term(std::max<uint64_t>(1, twin.entries.back().term.value()) + raise),
                          EntryKind::kCommand, Bytes::Copy(std::string(size, 'd'))};
        twin.entries.push_back(entry);
        log.Append(entry);
      } else if (what < 8) {
        const size_t from = twin.base + 1 + rng.Below(log.size() + 1);
        twin.entries.resize(std::min(from, twin.entries.size()));
        log.TruncateFrom(Index(from));
      } else if (what < 9) {
        twin.base += rng.Below(log.size() + 1);
        log.CompactThrough(Index(twin.base));
      } else {
        ExpectSlice(log, twin, rng);
      }
      ExpectEqual(log, twin, rng);
      if (HasFatalFailure()) FAIL() << "seed " << seed << " step " << step;
    }
  }
}

TEST(RaftLog, ResetBeginsAfterTheSnapshot) {
  RaftLog log;
  log.Append({Index(1), Term(1), EntryKind::kCommand, Bytes::Copy("a")});
  log.Reset({Index(9), Term(4)});
  EXPECT_EQ(log.last(), (LogPosition{Index(9), Term(4)}));
  EXPECT_EQ(log.bytes(), 0u);
  EXPECT_TRUE(log.Matches({Index(9), Term(4)}));
  EXPECT_FALSE(log.Matches({Index(1), Term(1)}));
}

// Raft §5.4.1: "If the logs have last entries with different terms, then the log with the later
// term is more up-to-date. If the logs end with the same term, then whichever log is longer."
TEST(RaftLog, UpToDate) {
  RaftLog log;
  log.Append({Index(1), Term(1), EntryKind::kCommand, Bytes()});
  log.Append({Index(2), Term(3), EntryKind::kCommand, Bytes()});
  const struct {
    const char* name;
    uint64_t term, index;
    bool want;
  } rows[] = {{"equal", 3, 2, true},
              {"longer", 3, 3, true},
              {"shorter", 3, 1, false},
              {"later term, shorter", 4, 1, true},
              {"earlier, longer", 2, 9, false},
              {"empty", 0, 0, false}};
  for (const auto& row : rows) {
    EXPECT_EQ(log.IsAtLeastAsUpToDate({Index(row.index), Term(row.term)}), row.want) << row.name;
  }
}

TEST(InflightWindow, DoesAsAList) {
  Rng rng(7);
  InflightWindow window;
  std::vector<std::pair<Index, uint64_t>> twin;
  Index last;
  for (int step = 0; step < 5000; ++step) {
    const uint64_t what = rng.Below(20);
    if (what < 10) {
      last = last.Plus(rng.Between(uint64_t{1}, uint64_t{4}));
      const uint64_t bytes = rng.Below(1000);
      window.Add(last, bytes);
      twin.push_back({last, bytes});
    } else if (what < 19) {
      const Index match(rng.Below(last.value() + 3));
      window.FreeThrough(match);
      std::erase_if(twin, [&](const auto& sent) { return sent.first <= match; });
    } else {
      window.Clear();
      twin.clear();
    }
    uint64_t bytes = 0;
    for (const auto& sent : twin) bytes += sent.second;
    ASSERT_EQ(window.messages(), twin.size());
    ASSERT_EQ(window.bytes(), bytes);
    ASSERT_EQ(window.empty(), twin.empty());
  }
}

}  // namespace
}  // namespace lockstep::raft
