// Shorthand for snapshot jobs, on top of table_test_support.h.
#ifndef LOCKSTEP_TESTS_UNIT_STORAGE_SNAPSHOT_TEST_SUPPORT_H_
#define LOCKSTEP_TESTS_UNIT_STORAGE_SNAPSHOT_TEST_SUPPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "storage/table_store.h"
#include "tests/unit/storage/table_test_support.h"

namespace lockstep::storage {

inline constexpr NodeId kPeer(2);

inline ReadSnapshotDone Read(TableStore& store, std::optional<LogPosition> snapshot,
                             uint64_t offset, uint64_t bytes_max) {
  return MustRun<ReadSnapshotDone>(store, ReadSnapshot{kGroup, kPeer, snapshot, offset, bytes_max});
}

inline WriteSnapshotDone Write(TableStore& store, const ReadSnapshotDone& part) {
  return MustRun<WriteSnapshotDone>(store, WriteSnapshot{kGroup, part.snapshot, part.offset,
                                                         part.data, part.last, part.configuration});
}

// The whole stream of the store's present state.
inline std::string Stream(TableStore& store, uint64_t bytes_max) {
  std::string stream;
  std::optional<LogPosition> snapshot;
  while (true) {
    const ReadSnapshotDone part = Read(store, snapshot, stream.size(), bytes_max);
    EXPECT_FALSE(part.gone);
    EXPECT_LE(part.data.size(), bytes_max);
    snapshot = part.snapshot;
    stream.append(part.data.data(), part.data.size());
    if (part.last) return stream;
    EXPECT_EQ(part.data.size(), bytes_max);
  }
}

inline void ApplyAll(TableStore& store, const std::vector<Entry>& log, size_t until) {
  const size_t begin = store.applied(kGroup).index.value();
  if (begin >= until) return;
  ApplyEntries job{kGroup, {}};
  job.entries.assign(log.begin() + static_cast<ptrdiff_t>(begin),
                     log.begin() + static_cast<ptrdiff_t>(until));
  MustRun<ApplyDone>(store, job);
}

}  // namespace lockstep::storage

#endif  // LOCKSTEP_TESTS_UNIT_STORAGE_SNAPSHOT_TEST_SUPPORT_H_
