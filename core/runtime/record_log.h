// The durable state of a simple process: a list of records, written in order through the log lane.
// What a process needs to know after a crash, it appends as a record and reads again at boot.
//
// One write is under way at a time; what is appended meanwhile goes together with the next one.
//
// Invariant: durable() <= last().
#ifndef LOCKSTEP_CORE_RUNTIME_RECORD_LOG_H_
#define LOCKSTEP_CORE_RUNTIME_RECORD_LOG_H_

#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/runtime/host.h"
#include "core/runtime/log.h"
#include "core/runtime/storage_job.h"

namespace lockstep {

class RecordLog {
 public:
  // `recovered`: what the disk held at boot; all of it is durable.
  explicit RecordLog(const ReplicaImage& recovered);

  // Records are numbered from 1 without gaps. Those that are not durable yet count too.
  Index last() const { return Index(records_.size()); }
  // Everything up to here survives a crash: what a process may promise to others.
  Index durable() const { return durable_; }
  // REQUIRES: 1 <= index <= last().
  const Bytes& at(Index index) const;

  // In memory; written by the next Commit.
  Index Append(Bytes record);
  // Call at the end of every turn: hands what was appended to the disk, unless a write is under
  // way. Records that were appended together become durable together or not at all.
  void Commit(Disk& disk);
  // Call from Process::OnStorage for the log lane: durable() moves. REQUIRES: no error.
  void OnStored();

 private:
  GroupId group_;
  std::vector<Bytes> records_;
  Index durable_;
  Index submitted_;  // Invariant: durable_ <= submitted_; a write is under way while they differ
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_RECORD_LOG_H_
