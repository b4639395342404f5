// The dumbest possible replicated logs, as the comments of LogBatch say word for word, and commits
// made of a fuzz input that continue them.
#ifndef LOCKSTEP_FUZZ_SUPPORT_LOG_MODEL_H_
#define LOCKSTEP_FUZZ_SUPPORT_LOG_MODEL_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/runtime/log.h"
#include "core/runtime/storage_job.h"
#include "fuzz/support/input.h"

namespace lockstep::fuzz {

// One group's log.
struct GroupModel {
  HardState hard_state;
  LogPosition base;
  std::map<Index, Entry> entries;

  Index last() const { return entries.empty() ? base.index : entries.rbegin()->first; }
  Term last_term() const { return entries.empty() ? base.term : entries.rbegin()->second.term; }

  void Apply(const LogBatch& batch) {
    if (batch.hard_state.has_value()) hard_state = *batch.hard_state;
    if (batch.base.has_value()) MoveBase(*batch.base);
    if (batch.truncate_from.has_value()) {
      entries.erase(entries.lower_bound(*batch.truncate_from), entries.end());
    }
    for (const Entry& entry : batch.append) entries[entry.index] = entry;
  }

 private:
  void MoveBase(LogPosition next) {
    const auto at = entries.find(next.index);
    const bool held = next == base || (at != entries.end() && at->second.term == next.term);
    entries.erase(entries.begin(), held ? entries.upper_bound(next.index) : entries.end());
    base = next;
  }
};

using LogModel = std::map<GroupId, GroupModel>;

inline void Apply(const CommitLog& commit, LogModel* model) {
  for (const LogBatch& batch : commit.batches) (*model)[batch.group].Apply(batch);
}

inline bool SameEntry(const Entry& a, const Entry& b) {
  return a.index == b.index && a.term == b.term && a.kind == b.kind &&
         a.data.view() == b.data.view();
}

// Whether the log of the image, without its hard state, is that of the model.
inline bool SameLog(const ReplicaImage& image, const GroupModel& model) {
  return image.base == model.base &&
         std::equal(image.entries.begin(), image.entries.end(), model.entries.begin(),
                    model.entries.end(), [](const Entry& found, const auto& expected) {
                      return SameEntry(found, expected.second);
                    });
}

inline bool Same(const ReplicaImage& image, const GroupModel& model) {
  return image.hard_state == model.hard_state && SameLog(image, model);
}

// A group of which the images say nothing must be an empty one.
inline bool Same(const std::vector<ReplicaImage>& images, const LogModel& model) {
  LogModel left = model;
  for (const ReplicaImage& image : images) {
    if (!Same(image, left[image.group])) return false;
    left.erase(image.group);
  }
  return std::all_of(left.begin(), left.end(), [](const auto& group) {
    ReplicaImage nothing;
    return Same(nothing, group.second);
  });
}

// Mostly short; now and then longer than a sector or a page.
inline Bytes MakeData(Input& input) {
  constexpr uint64_t kShortMax = 24;
  const uint64_t bytes = input.Byte();
  if (bytes <= kShortMax) return Bytes::Copy(input.Take(bytes));
  const auto letter = static_cast<char>('a' + bytes % 26);
  return Bytes::Copy(std::string(bytes < 250 ? bytes : bytes * 5, letter));
}

inline void MakeEntries(Input& input, const GroupModel& log, uint64_t count, LogBatch* batch) {
  Term term = std::max({Term(1), log.hard_state.term, log.last_term()});
  for (uint64_t i = 0; i < count; ++i) {
    Entry entry{.index = log.last().Plus(i + 1), .term = term, .data = Bytes()};
    entry.kind = static_cast<EntryKind>(1 + input.Below(4));
    if (entry.kind != EntryKind::kNoop) entry.data = MakeData(input);
    batch->append.push_back(std::move(entry));
  }
}

// `log`: as it is. Perhaps nothing changes.
inline LogBatch MakeBatch(Input& input, GroupId group, GroupModel log) {
  constexpr uint64_t kEntriesMax = 4;
  LogBatch batch;
  batch.group = group;
  const uint8_t what = input.Byte();
  if ((what & 1) != 0) {
    const Term term = std::max(log.hard_state.term.Plus(input.Below(3)), log.last_term());
    batch.hard_state = HardState{term, NodeId(input.Below(4))};
  }
  if ((what & 0x0E) == 0x02 && !log.entries.empty()) {
    auto at = log.entries.begin();
    std::advance(at, static_cast<ptrdiff_t>(input.Below(log.entries.size())));
    batch.base = LogPosition{at->first, at->second.term};
  } else if ((what & 0x0E) == 0x04) {
    batch.base = LogPosition{log.base.index.Plus(input.Below(20)), log.last_term().Next()};
  }
  log.Apply(batch);
  if ((what & 0x30) == 0x10) {
    const uint64_t entries = log.last().Since(log.base.index);
    batch.truncate_from = log.base.index.Plus(1 + input.Below(entries + 1));
    GroupModel cut;
    cut.base = log.base;
    log.entries.erase(log.entries.lower_bound(*batch.truncate_from), log.entries.end());
  }
  MakeEntries(input, log, (what >> 6) % kEntriesMax, &batch);
  return batch;
}

inline CommitLog MakeCommit(Input& input, const std::vector<GroupId>& groups,
                            const LogModel& model) {
  CommitLog commit;
  const uint8_t who = input.Byte();
  for (size_t i = 0; i < groups.size(); ++i) {
    if ((who >> i & 1) == 0) continue;
    const auto known = model.find(groups[i]);
    LogBatch batch =
        MakeBatch(input, groups[i], known == model.end() ? GroupModel() : known->second);
    if (!batch.empty()) commit.batches.push_back(std::move(batch));
  }
  return commit;
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_LOG_MODEL_H_
