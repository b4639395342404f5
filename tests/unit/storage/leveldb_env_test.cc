// LevelDB on our disk seam: no logs of its own, no waiting for a thread, and durable exactly when a
// flush says so.
#include "storage/leveldb_env.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "leveldb/db.h"
#include "leveldb/write_batch.h"
#include "sim/disk/sim_file_system.h"
#include "storage/leveldb_manifest.h"

namespace lockstep::storage {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;

// A database and its environment, drained after each call as its owner must.
class Database {
 public:
  explicit Database(SimFileSystem& disk) : env_(std::make_unique<LevelDbEnv>(disk, background_)) {
    env_->NewLogger("", &logger_);
    leveldb::Options options;
    options.env = env_.get();
    options.info_log = logger_;
    options.create_if_missing = true;
    options.paranoid_checks = true;
    options.write_buffer_size = 64 << 10;
    options.compression = leveldb::kNoCompression;
    leveldb::DB* db = nullptr;
    status_ = leveldb::DB::Open(options, "db", &db);
    db_.reset(db);
    env_->DrainScheduled();
  }
  ~Database() {
    env_->RefuseWrites();
    env_->DrainScheduled();
    db_.reset();
    delete logger_;
  }

  leveldb::Status status() const { return status_; }
  leveldb::DB& db() { return *db_; }
  LevelDbEnv& env() { return *env_; }
  leveldb::Status Put(const std::string& key, const std::string& value) {
    const leveldb::Status status = db_->Put(leveldb::WriteOptions(), key, value);
    env_->DrainScheduled();
    return status;
  }
  std::string Get(const std::string& key) {
    std::string value;
    const leveldb::Status status = db_->Get(leveldb::ReadOptions(), key, &value);
    env_->DrainScheduled();
    return status.ok() ? value : status.IsNotFound() ? "(missing)" : status.ToString();
  }
  leveldb::Status Flush() {
    const leveldb::Status status = db_->Write(leveldb::WriteOptions(), nullptr);
    env_->DrainScheduled();
    return status;
  }

 private:
  InlineWork background_;
  std::unique_ptr<LevelDbEnv> env_;
  leveldb::Logger* logger_ = nullptr;
  std::unique_ptr<leveldb::DB> db_;
  leveldb::Status status_;
};

std::vector<std::string> FilesOf(SimFileSystem& disk) { return disk.List("db").value(); }

std::string Manifest(SimFileSystem& disk) {
  for (const std::string& name : FilesOf(disk)) {
    if (absl::StartsWith(name, "MANIFEST")) return "db/" + name;
  }
  return "";
}

TEST(LevelDbEnv, AFlushSurvivesThatEverythingUnsyncedIsLost) {
  SimFileSystem disk;
  Rng rng(1);
  ASSERT_TRUE(disk.CreateDirectory("db").ok());
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  {
    Database database(disk);
    ASSERT_TRUE(database.Put("a", "flushed").ok());
    ASSERT_TRUE(database.Flush().ok());
    ASSERT_TRUE(database.Put("b", "not flushed").ok());
    disk.PowerCutAfter(0);
  }
  disk.Crash(rng, CrashOptions::DropAll());
  bool table = false;
  for (const std::string& name : FilesOf(disk)) table |= absl::EndsWith(name, ".ldb");
  EXPECT_TRUE(table) << "the flush wrote no table file";
  Database database(disk);
  ASSERT_TRUE(database.status().ok()) << database.status().ToString();
  EXPECT_EQ(database.Get("a"), "flushed");
  EXPECT_EQ(database.Get("b"), "(missing)");
}

TEST(LevelDbEnv, LogsAreNotKept) {
  SimFileSystem disk;
  {
    Database database(disk);
    ASSERT_TRUE(database.Put("a", "1").ok());
    for (const std::string& name : FilesOf(disk)) EXPECT_FALSE(absl::EndsWith(name, ".log"));
  }
  Database database(disk);  // Closing flushed nothing.
  EXPECT_EQ(database.Get("a"), "(missing)");
}

// Memtable switches, level-0 compactions and compactions asked for by reads: all the places in
// which LevelDB might wait for its background thread.
TEST(LevelDbEnv, NeverWaits) {
  SimFileSystem disk;
  Rng rng(1);
  std::vector<std::string> values(200, "(missing)");
  Database database(disk);
  for (int i = 0; i < 3000; ++i) {
    const uint64_t key = rng.Below(values.size());
    values[key] = absl::StrCat(i, std::string(1000, 'v'));
    ASSERT_TRUE(database.Put(absl::StrCat("key", key), values[key]).ok());
    if (i % 100 == 0) {
      ASSERT_TRUE(database.Flush().ok());
    }
    ASSERT_EQ(database.Get(absl::StrCat("key", i % 200)), values[static_cast<size_t>(i % 200)]);
  }
  std::string files;
  ASSERT_TRUE(database.db().GetProperty("leveldb.num-files-at-level0", &files));
  EXPECT_LT(std::stoi(files), 4);
}

TEST(LevelDbEnv, ClosingOnADeadDiskIsQuick) {
  SimFileSystem disk;
  Rng rng(1);
  for (uint64_t cut = 1; cut < 60; ++cut) {
    {
      Database database(disk);
      ASSERT_TRUE(database.status().ok()) << database.status().ToString();
      disk.PowerCutAfter(cut);
      for (int i = 0; i < 200; ++i) {
        if (!database.Put(absl::StrCat(i), std::string(1000, 'v')).ok()) break;
      }
    }
    disk.Crash(rng, CrashOptions{});
  }
}

TEST(LevelDbEnv, NothingIsWrittenAfterAFailure) {
  SimFileSystem disk;
  Database database(disk);
  ASSERT_TRUE(database.Put("a", "1").ok());
  disk.SetSyncsFail(true);
  EXPECT_TRUE(database.Flush().ok());  // Its failure is told to the next write.
  EXPECT_FALSE(database.Put("b", "2").ok());
  EXPECT_EQ(database.env().error().code(), absl::StatusCode::kInternal);
  disk.SetSyncsFail(false);
  const uint64_t operations = disk.counters().operations;
  EXPECT_FALSE(database.Put("b", "2").ok());
  EXPECT_FALSE(database.Flush().ok());
  EXPECT_TRUE(database.env().RemoveFile("db/CURRENT").IsIOError());
  EXPECT_EQ(disk.counters().operations, operations);
}

// The torn end of a MANIFEST, cut and scrambled at every place, is no reason not to open.
TEST(LevelDbManifest, ATornEndIsLeftOut) {
  SimFileSystem disk;
  std::string before;
  std::string after;
  {
    Database database(disk);
    const std::string path = Manifest(disk);
    const auto read = [&](std::string* text) {
      auto file = disk.Open(path, OpenMode::kRead);
      ASSERT_TRUE((*file)->Read(0, 1 << 20, text).ok());
    };
    ASSERT_TRUE(database.Put("key", "1").ok());
    ASSERT_TRUE(database.Flush().ok());
    read(&before);
    ASSERT_TRUE(database.Put("another key", "2").ok());
    ASSERT_TRUE(database.Flush().ok());
    read(&after);
  }
  ASSERT_TRUE(absl::StartsWith(after, before));
  EXPECT_EQ(ManifestBytesToRead(after), after.size());
  for (size_t cut = before.size(); cut < after.size(); ++cut) {
    EXPECT_EQ(ManifestBytesToRead(after.substr(0, cut)), before.size());
    std::string zeros = after.substr(0, cut) + std::string(after.size() - cut, '\0');
    EXPECT_EQ(ManifestBytesToRead(zeros), zeros == after ? after.size() : before.size());
    std::string flipped = after;
    flipped[cut] = static_cast<char>(flipped[cut] ^ 1);
    EXPECT_EQ(ManifestBytesToRead(flipped), before.size());
  }
  // What lies before a sound record had been synced: a fault there is damage, for LevelDB to
  // report.
  for (size_t at = 0; at < before.size(); ++at) {
    std::string damaged = after;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_EQ(ManifestBytesToRead(damaged), after.size()) << at;
  }
}

TEST(LevelDbManifest, DamageIsReported) {
  SimFileSystem disk;
  {
    Database database(disk);
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(database.Put(absl::StrCat(i), "x").ok());
      ASSERT_TRUE(database.Flush().ok());
    }
  }
  ASSERT_TRUE(disk.FlipBits(Manifest(disk), 20, 4));
  Database database(disk);
  EXPECT_TRUE(database.status().IsCorruption()) << database.status().ToString();
}

}  // namespace
}  // namespace lockstep::storage
