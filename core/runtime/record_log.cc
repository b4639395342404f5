#include "core/runtime/record_log.h"

#include <utility>

#include "core/base/check.h"

namespace lockstep {
namespace {

// Of every record: a list without elections has one term.
constexpr Term kTerm{1};

}  // namespace

RecordLog::RecordLog(const ReplicaImage& recovered) : group_(recovered.group) {
  Check(!recovered.base.index, "a record log is never compacted");
  for (const Entry& entry : recovered.entries) records_.push_back(entry.data);
  durable_ = last();
  submitted_ = last();
}

const Bytes& RecordLog::at(Index index) const {
  CheckLt(Index(), index);
  CheckLe(index, last());
  return records_[index.value() - 1];
}

Index RecordLog::Append(Bytes record) {
  records_.push_back(std::move(record));
  return last();
}

void RecordLog::Commit(Disk& disk) {
  const bool writing = submitted_ != durable_;
  if (writing || submitted_ == last()) return;
  LogBatch batch;
  batch.group = group_;
  for (Index index = submitted_.Next(); index <= last(); index = index.Next()) {
    batch.append.push_back({.index = index, .term = kTerm, .data = at(index)});
  }
  submitted_ = last();
  CommitLog job;
  job.batches.push_back(std::move(batch));
  disk.Submit(std::move(job));
}

void RecordLog::OnStored() {
  CheckLt(durable_, submitted_);
  durable_ = submitted_;
}

}  // namespace lockstep
