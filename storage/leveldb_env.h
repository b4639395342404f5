// LevelDB on our disk seam, in both worlds: no clock, and no file but through FileSystem.
//
// Three things differ from an ordinary leveldb::Env:
// - LevelDB's own log files do not exist: what is written to *.log is discarded. The replicated log
//   is the truth; a table is durable up to its last memtable flush, always a prefix of its writes
//   (docs/decisions/0002).
// - Where background work runs is the owner's choice (BackgroundWork). Without a thread it is
//   queued, and the owner of the database runs it: DrainScheduled() after each call. Then LevelDB
//   never finds a reason to wait for a thread that does not exist: at each write the previous
//   memtable is flushed and level 0 is compacted. CompactRange is the one call that waits by itself
//   and must not be used; DB::Write(options, nullptr) starts a flush without waiting.
// - After the first failure nothing is written any more. LevelDB deletes files when an edit of its
//   MANIFEST fails; if in truth it had reached the disk, they are still needed.
//
// Used by its owner's thread and by the one that runs background work.
#ifndef LOCKSTEP_STORAGE_LEVELDB_ENV_H_
#define LOCKSTEP_STORAGE_LEVELDB_ENV_H_

#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "leveldb/env.h"
#include "storage/background_work.h"
#include "storage/file_system.h"

namespace lockstep::storage {

class LevelDbEnv final : public leveldb::Env {
 public:
  // Both outlive the environment.
  LevelDbEnv(FileSystem& files, BackgroundWork& background)
      : files_(files), background_(background) {}

  // Runs the background work that LevelDB has asked for, and the work that this work asks for.
  // REQUIRES: not called from within a call of LevelDB.
  void DrainScheduled() { background_.Drain(); }
  // From here on every write fails, and so pending compactions end at once. For the time before the
  // database is closed.
  void RefuseWrites();
  // The first failure of the disk, as the file system reported it. A missing file is none.
  absl::Status error() const;

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** result) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** result) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** result) override;
  bool FileExists(const std::string& path) override;
  leveldb::Status GetChildren(const std::string& directory,
                              std::vector<std::string>* result) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status CreateDir(const std::string& path) override;
  // Not supported: LevelDB needs it for DestroyDB alone.
  leveldb::Status RemoveDir(const std::string& path) override;
  leveldb::Status GetFileSize(const std::string& path, uint64_t* size) override;
  // Durable when it returns.
  leveldb::Status RenameFile(const std::string& source, const std::string& target) override;
  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  void Schedule(void (*function)(void*), void* argument) override {
    background_.Schedule(function, argument);
  }
  // LevelDB itself starts none.
  void StartThread(void (*function)(void*), void* argument) override;
  leveldb::Status GetTestDirectory(std::string* path) override;
  leveldb::Status NewLogger(const std::string& path, leveldb::Logger** result) override;
  // Constant: only LevelDB's statistics ask.
  uint64_t NowMicros() override { return 0; }
  void SleepForMicroseconds(int time) override {
    background_.SlowDown(std::chrono::microseconds(time));
  }

 private:
  class MemoryFile;
  class TableFile;
  class OutputFile;
  class DiscardedFile;
  class HeldLock;
  class NullLogger;

  // Why nothing may be written, or OK.
  absl::Status Writable() const { return error(); }
  // Remembers the first failure, and says it in LevelDB's words.
  leveldb::Status Report(const std::string& path, const absl::Status& status);

  // Makes the directory's names durable if they have changed.
  absl::Status SyncNames(const std::string& directory);

  FileSystem& files_;
  BackgroundWork& background_;
  mutable std::mutex mutex_;
  absl::Status error_;          // guarded by mutex_
  bool names_changed_ = false;  // since the directory was last synced; likewise
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_LEVELDB_ENV_H_
