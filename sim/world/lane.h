// One storage lane of one server: jobs wait in order, one is under way. It is executed when its
// time is over, so that a crash before that loses it wholly.
#ifndef LOCKSTEP_SIM_WORLD_LANE_H_
#define LOCKSTEP_SIM_WORLD_LANE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/types.h"
#include "core/runtime/storage_job.h"

namespace lockstep::sim {

class StorageLane {
 public:
  Ticket Push(StorageJob job) {
    jobs_.push_back(std::move(job));
    last_ = last_.Next();
    return last_;
  }
  bool empty() const { return jobs_.empty(); }
  size_t size() const { return jobs_.size(); }
  // Whether a job of the group waits or is under way.
  bool Holds(GroupId group) const {
    return std::any_of(jobs_.begin(), jobs_.end(),
                       [group](const StorageJob& job) { return IsOf(job, group); });
  }
  // Whether it has anything to do but to read.
  bool Writes() const {
    return std::any_of(jobs_.begin(), jobs_.end(), [](const StorageJob& job) {
      return !std::holds_alternative<QueryTable>(job);
    });
  }
  // REQUIRES: !empty(), for all three.
  const StorageJob& first() const { return jobs_.front(); }
  const StorageJob& last() const { return jobs_.back(); }
  Ticket first_ticket() const { return Ticket(last_.value() - jobs_.size() + 1); }
  void Pop() {
    Check(!jobs_.empty());
    jobs_.pop_front();
  }
  // The process is gone, and all that it had asked for.
  void Clear() {
    jobs_.clear();
    last_ = Ticket();
    completes_at = 0;
    bytes_read = 0;
  }

  // By the job before: who reads much keeps the next one waiting.
  uint64_t bytes_read = 0;
  int64_t completes_at = 0;  // ns: when the first job is done; meaningless when empty

 private:
  static bool IsOf(const StorageJob& job, GroupId group) {
    if (const CommitLog* log = std::get_if<CommitLog>(&job)) {
      return std::any_of(log->batches.begin(), log->batches.end(),
                         [group](const LogBatch& batch) { return batch.group == group; });
    }
    return std::visit(
        [group](const auto& one) {
          if constexpr (requires { one.group; }) return one.group == group;
          return false;
        },
        job);
  }

  std::deque<StorageJob> jobs_;
  Ticket last_;  // numbers begin at 1 in every life
};

// What a job writes, and what a result has read; without what is small.
uint64_t BytesOf(const StorageJob& job);
uint64_t BytesOf(const StorageResult& result);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_LANE_H_
