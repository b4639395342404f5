// Records whose checksums are right and whose meaning is not: a bug wrote them, or frames are
// missing. None is believed.
#include "storage/wal_replay.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lockstep::storage::wal {
namespace {

constexpr GroupId kGroup(4);

Record EntryAt(RecordType type, uint64_t index, uint64_t term, const char* data) {
  Record record;
  record.type = type;
  record.group = kGroup;
  record.position = {Index(index), Term(term)};
  record.kind = EntryKind::kCommand;
  record.data = data;
  return record;
}

Record Reset(uint64_t index) {
  Record record;
  record.type = RecordType::kReset;
  record.group = kGroup;
  record.position = {Index(index), Term(1)};
  return record;
}

absl::Status Commit(Replay& replay, const std::vector<Record>& records) {
  Frame frame;
  frame.records = records;
  return replay.ApplyCommit(frame, /*segment=*/1);
}

TEST(WalReplay, ARewrittenEntryIsTheSameEntry) {
  const Record written = EntryAt(RecordType::kAppend, 1, 1, "a");
  const Record again = EntryAt(RecordType::kRewrite, 1, 1, "a");
  Record other_kind = again;
  other_kind.kind = EntryKind::kInternal;
  for (const Record& other : {EntryAt(RecordType::kRewrite, 1, 2, "a"),
                              EntryAt(RecordType::kRewrite, 1, 1, "b"), other_kind}) {
    Replay replay({kGroup});
    EXPECT_TRUE(Commit(replay, {written, again}).ok());
    EXPECT_TRUE(absl::IsDataLoss(Commit(replay, {other})));
  }
}

// Those before it may be gone when it is read again.
TEST(WalReplay, ALaterSegmentStatesAllGroups) {
  Replay replay({kGroup, GroupId(5)});
  EXPECT_TRUE(Commit(replay, {EntryAt(RecordType::kAppend, 1, 1, "a")}).ok());
  Record statement;
  statement.type = RecordType::kGroup;
  statement.group = kGroup;
  statement.last = Index(1);
  Frame frame;
  EXPECT_TRUE(absl::IsDataLoss(replay.ApplyStatement(frame, /*oldest=*/false)));
  frame.records = {statement};
  EXPECT_TRUE(replay.ApplyStatement(frame, /*oldest=*/false).ok());
}

// Behind the largest number there is no next one.
TEST(WalReplay, NoLogReachesTheEndOfAllNumbers) {
  Replay replay({kGroup});
  EXPECT_TRUE(absl::IsDataLoss(Commit(replay, {Reset(UINT64_MAX)})));
  Record statement;
  statement.type = RecordType::kGroup;
  statement.group = kGroup;
  statement.last = Index(UINT64_MAX);
  Frame frame;
  frame.records = {statement};
  EXPECT_TRUE(absl::IsDataLoss(Replay({kGroup}).ApplyStatement(frame, /*oldest=*/true)));
}

}  // namespace
}  // namespace lockstep::storage::wal
