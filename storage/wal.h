// The write-ahead log: one per process, shared by all its replicas, so that however many groups
// commit together they pay for one write and one fsync. wal_format.h says what the bytes are,
// wal_recovery.h how a log is read back and repaired.
//
// Invariants:
// - Batch n + 1 is written only after the sync of batch n returned. So whatever stands behind a
//   damaged frame proves that the damage is not the torn end of the last write.
// - Term and vote are kept a second time (storage/promises.h), written after the log: what they say
//   and the log does not know, the log has lost.
// - A segment is used only after it, its statement of every group and its name are durable.
// - A segment is deleted only when it is the oldest, holds no live entry, and all that made its
//   entries dead is durable. The segments on disk are therefore always consecutive.
#ifndef LOCKSTEP_STORAGE_WAL_H_
#define LOCKSTEP_STORAGE_WAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "core/runtime/storage_job.h"
#include "storage/file_system.h"
#include "storage/promises.h"
#include "storage/wal_cleaner.h"
#include "storage/wal_format.h"
#include "storage/wal_recovery.h"
#include "storage/wal_state.h"

namespace lockstep::storage {

struct WalOptions {
  std::vector<GroupId> groups;  // the replicas whose log this is; each once
  bool more_groups = false;     // and whatever others its batches are of
  // A segment that has grown to this many bytes is closed before the next commit. From 1 byte to
  // 1 GiB.
  uint64_t segment_bytes_max = uint64_t{64} << 20;
  // Space is taken so many bytes ahead of what is written: a sync that changes no file size is
  // about a third faster. 0: none.
  uint64_t reserve_bytes = 0;
  // Keeps a command's bytes from passing for frames of this log when a torn end is examined. Any
  // number; better one that clients do not know. May differ from one Open to the next.
  uint64_t salt = 0;
};

// What a log weighs; for metrics and tests.
struct WalSize {
  uint64_t segments = 0;
  uint64_t bytes = 0;       // of all segments
  uint64_t live_bytes = 0;  // of the records of entries that recovery would return
  uint64_t torn_bytes = 0;  // cut off the end by Open: the remains of a write that was in flight
};

// Used by one thread at a time.
class Wal {
 public:
  // Opens the log in `directory`, or creates it, and repairs a torn end. `*images` receives what
  // each replica finds, in the order of WalOptions::groups, others behind them; `applied` is left
  // empty.
  //
  // Errors: DataLoss for damage that is no torn end (file and offset are named, nothing on disk is
  // changed but a torn end); FailedPrecondition for a group that the options do not know or a
  // format of a newer version; InvalidArgument for bad options; what the file system reports.
  static absl::StatusOr<std::unique_ptr<Wal>> Open(FileSystem& files, const std::string& directory,
                                                   const WalOptions& options,
                                                   std::vector<ReplicaImage>* images);
  Wal(const Wal&) = delete;
  Wal& operator=(const Wal&) = delete;

  // Makes the batches durable, all of them or none, with one write and one sync. An error is final:
  // every later call returns it again and touches nothing, for nobody knows what the disk holds and
  // a failed fsync must never be retried.
  // REQUIRES: each batch is for a known group and continues its log as LogBatch says.
  absl::Status Commit(const CommitLog& job);

  WalSize size() const;

 private:
  Wal(FileSystem& files, const std::string& directory, const WalOptions& options,
      wal::Recovered recovered, Promises promises);

  absl::Status CommitOrFail(const CommitLog& job);
  // Brings together what the log and the promises say of term and vote.
  void AddGroupsOfPromises(std::vector<ReplicaImage>* images);
  absl::Status ReconcilePromises(std::vector<ReplicaImage>* images);
  absl::Status LostItsEnd() const;
  absl::Status WritePromises(const CommitLog& job);
  // Puts one group's batch into the frame and into state_.
  absl::Status Encode(const LogBatch& batch);
  absl::Status WriteFrame();
  absl::Status ReserveFor(uint64_t end);
  // Makes the next segment, durable from its name to its first frame, and only then uses it.
  absl::Status StartSegment();
  absl::Status DeleteDeadSegments();

  FileSystem& files_;
  const std::string directory_;
  const WalOptions options_;
  const uint64_t torn_bytes_;
  wal::WalState state_;
  std::unique_ptr<File> file_;  // the newest segment
  uint64_t reserved_ = 0;       // of it: how far its space is taken
  uint32_t salt_ = 0;           // of the newest segment
  uint32_t last_frame_crc_ = 0;
  uint64_t next_batch_ = 1;
  wal::FrameBuilder frame_;
  wal::Cleaner cleaner_;
  Promises promises_;
  absl::Status error_;  // sticky
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_WAL_H_
