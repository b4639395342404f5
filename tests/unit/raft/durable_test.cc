// Durable against a model that keeps the whole disk: what a completed batch vouches for is exactly
// what is both on the disk and still in the log.
#include "core/raft/durable.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace lockstep::raft {
namespace {

// Every entry has an identity of its own, even where index and term would look the same (ABA).
struct Model {
  struct Batch {
    uint64_t seq;
    std::vector<uint64_t> log_after;  // the disk's log with it; [i] is the entry at index i + 1
  };
  std::vector<uint64_t> log;
  std::vector<uint64_t> disk;
  std::deque<Batch> in_flight;
  uint64_t covered = 0;  // the durable table holds this prefix
  uint64_t identities = 0;
  uint64_t seq = 0;

  void Submit() { in_flight.push_back({++seq, log}); }
  void Complete() {
    disk = in_flight.front().log_after;
    in_flight.pop_front();
  }
  // The longest prefix of the log that is on the disk or in the table.
  uint64_t Durable() const {
    uint64_t common = 0;
    while (common < std::min(log.size(), disk.size()) && log[common] == disk[common]) ++common;
    return std::max(common, std::min<uint64_t>(covered, log.size()));
  }
};

// The model looks at the disk itself; Durable only at what it was told. It may know less (an entry
// that was written, truncated in memory and whose truncation is not yet durable counts for
// nothing), but never more, and it knows all when nothing is in flight and nothing is open.
TEST(Durable, NeverVouchesForMore) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Rng rng(seed);
    Model model;
    Durable durable;
    bool open = false;
    for (int step = 0; step < 200; ++step) {
      const uint64_t what = rng.Below(10);
      if (what < 4) {
        model.log.push_back(++model.identities);
        open = true;
      } else if (what < 6 && model.log.size() > model.covered) {
        const uint64_t keep = model.covered + rng.Below(model.log.size() - model.covered);
        model.log.resize(keep);
        durable.Truncated(Index(keep + 1));
        open = true;
      } else if (what < 8) {
        model.Submit();
        durable.Submitted(PersistSeq(model.seq), Index(model.log.size()));
        open = false;
      } else if (what < 9 && !model.in_flight.empty()) {
        const uint64_t through = model.in_flight.front().seq;
        model.Complete();
        durable.Completed(PersistSeq(through));
        ASSERT_EQ(durable.completed(), PersistSeq(through));
      } else if (!model.log.empty()) {
        model.covered = std::max(model.covered, rng.Below(model.log.size() + 1));
        durable.Covered(Index(model.covered));
      }
      ASSERT_LE(durable.index().value(), model.Durable()) << "seed " << seed << " step " << step;
      if (!open && model.in_flight.empty()) {
        ASSERT_EQ(durable.index().value(), model.Durable()) << "seed " << seed << " step " << step;
      }
    }
  }
}

// Write 1 carries entry 2 of term 1; before it completes, entry 2 is replaced. Its completion
// vouches for entry 1 alone, and entry 2 waits for write 2.
TEST(Durable, ACompletionOfWhatWasReplaced) {
  Durable durable;
  durable.Submitted(PersistSeq(1), Index(2));
  durable.Truncated(Index(2));
  durable.Submitted(PersistSeq(2), Index(2));
  durable.Completed(PersistSeq(1));
  EXPECT_EQ(durable.index(), Index(1));
  durable.Completed(PersistSeq(2));
  EXPECT_EQ(durable.index(), Index(2));
}

TEST(Durable, AnInstalledSnapshotIsDurableAtOnce) {
  Durable durable(Index(8));
  durable.Submitted(PersistSeq(1), Index(12));
  durable.Replaced(Index(5));
  EXPECT_EQ(durable.index(), Index(5));
  durable.Completed(PersistSeq(1));
  EXPECT_EQ(durable.index(), Index(5));
}

}  // namespace
}  // namespace lockstep::raft
