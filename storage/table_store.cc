// Opening, closing, applying, reading and flushing. Snapshots are in table_store_snapshots.cc.
#include "storage/table_store.h"

#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "storage/directories.h"
#include "storage/table_store_reader.h"
#include "storage/verify_parts.h"

namespace lockstep::storage {
namespace {

// A batch that held more is given back, so that one large value does not stay in memory.
constexpr size_t kBatchKeptBytesMax = 1 << 20;
constexpr int kBloomBitsPerKey = 10;

absl::Status BadRecord(GroupId group, const char* what) {
  return absl::DataLossError(absl::StrCat("group ", group.value(), ": malformed ", what));
}

}  // namespace

TableStore::TableStore(FileSystem& files, const TableStoreOptions& options,
                       const MachineFactory& machines)
    : files_(files),
      machines_(machines),
      directory_(options.directory),
      write_buffer_bytes_(options.write_buffer_bytes),
      background_(options.background == nullptr ? inline_work_ : *options.background),
      env_(std::make_unique<LevelDbEnv>(files, background_)),
      block_cache_(leveldb::NewLRUCache(options.block_cache_bytes)),
      filter_(leveldb::NewBloomFilterPolicy(kBloomBitsPerKey)),
      recent_(options.recent_bytes),
      overlay_(recent_) {
  read_options_.verify_checksums = true;
  scan_options_.verify_checksums = true;
  scan_options_.fill_cache = false;
}

absl::StatusOr<std::unique_ptr<TableStore>> TableStore::Open(FileSystem& files,
                                                             const TableStoreOptions& options,
                                                             const MachineFactory& machines) {
  if (absl::Status made = MakeDurableDirectory(files, options.directory); !made.ok()) return made;
  std::unique_ptr<TableStore> store(new TableStore(files, options, machines));
  if (absl::Status opened = store->OpenDatabase(options.directory); !opened.ok()) return opened;
  for (GroupId group : options.groups) {
    if (absl::Status loaded = store->LoadGroup(group); !loaded.ok()) return loaded;
  }
  if (options.more_groups) {
    if (absl::Status found = store->FindMoreGroups(); !found.ok()) return found;
  }
  if (absl::Status settled = store->Settle(); !settled.ok()) return settled;
  return store;
}

TableStore::~TableStore() {
  tables_.clear();  // The iterators of open snapshots end before their database.
  // Work that LevelDB still wants to do must be run, or it would wait for it for ever; with writes
  // refused it ends at once, also on a disk that is dead.
  env_->RefuseWrites();
  env_->DrainScheduled();
  db_.reset();
}

absl::Status TableStore::OpenDatabase(const std::string& directory) {
  if (absl::Status there = CheckNotBeheaded(directory); !there.ok()) return error_ = there;
  leveldb::Logger* logger = nullptr;
  env_->NewLogger("", &logger);
  logger_.reset(logger);

  leveldb::Options options;
  options.env = env_.get();
  options.info_log = logger_.get();
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.compression = leveldb::kNoCompression;
  options.write_buffer_size = write_buffer_bytes_;
  options.block_cache = block_cache_.get();
  options.filter_policy = filter_.get();
  // A new MANIFEST at each opening: the torn end of the old one is left behind.
  options.reuse_logs = false;
  leveldb::DB* db = nullptr;
  const leveldb::Status opened = leveldb::DB::Open(options, directory, &db);
  db_.reset(db);
  return opened.ok() ? Settle() : Failed(opened);
}

absl::Status TableStore::CheckNotBeheaded(const std::string& directory) const {
  const std::string current = directory + "/CURRENT";
  if (files_.Exists(current)) return absl::OkStatus();
  const absl::StatusOr<std::vector<std::string>> names = files_.List(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, ".ldb")) continue;
    return absl::DataLossError(
        absl::StrCat("corrupt tables: ", current, ": byte 0: the file is missing"));
  }
  return absl::OkStatus();
}

absl::Status TableStore::Host(GroupId group) {
  return tables_.contains(group) ? absl::OkStatus() : LoadGroup(group);
}

absl::Status TableStore::FindMoreGroups() {
  std::vector<GroupId> found;
  const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(scan_options_));
  for (at->SeekToFirst(); at->Valid();) {
    const std::optional<GroupId> group = GroupOf({at->key().data(), at->key().size()});
    if (!group.has_value()) return absl::DataLossError("a key of no group");
    found.push_back(*group);
    if (group->value() == std::numeric_limits<uint64_t>::max()) break;
    at->Seek(GenerationStart(GroupId(group->value() + 1), 0));
  }
  if (!at->status().ok()) return Failed(at->status());
  for (const GroupId group : found) {
    if (absl::Status hosted = Host(group); !hosted.ok()) return hosted;
  }
  return absl::OkStatus();
}

absl::Status TableStore::LoadGroup(GroupId group) {
  Check(!tables_.contains(group), "each group once");
  Table& table = tables_[group];
  table.applied_key = AppliedKey(group);
  if (absl::Status read = ReadRecords(group, table); !read.ok()) return read;
  table.prefix = TablePrefix(group, table.generation);
  table.durable = table.applied;  // Without a log of its own LevelDB recovers what is synced.
  table.machine = machines_.Make(group);
  Check(table.machine != nullptr);
  if (absl::Status loaded = LoadMachine(table); !loaded.ok()) return loaded;
  return FindGarbage(group, table);
}

absl::Status TableStore::ReadRecords(GroupId group, Table& table) {
  std::string text;
  leveldb::Status got = db_->Get(read_options_, table.applied_key, &text);
  if (!got.ok() && !got.IsNotFound()) return Failed(got);
  if (got.ok()) {
    const std::optional<AppliedRecord> record = DecodeApplied(text);
    if (!record.has_value()) return BadRecord(group, "applied record");
    table.generation = record->generation;
    table.applied = record->applied;
    table.configuration = record->configuration;
  }
  got = db_->Get(read_options_, StagingKey(group), &text);
  if (!got.ok() && !got.IsNotFound()) return Failed(got);
  if (got.ok()) {
    const std::optional<StagingRecord> record = DecodeStaging(text);
    if (!record.has_value()) return BadRecord(group, "staging record");
    table.staging = *record;
    if (record->snapshot.index) table.decoder.emplace(record->next_offset);
  }
  return absl::OkStatus();
}

absl::Status TableStore::LoadMachine(Table& table) {
  const GroupReader reader(*db_, read_options_, table.prefix);
  table.machine->Load(reader);
  return reader.status().ok() ? absl::OkStatus() : Failed(reader.status());
}

TableStore::Table& TableStore::TableOf(GroupId group) {
  const auto found = tables_.find(group);
  Check(found != tables_.end(), "a job is for a group of this node");
  return found->second;
}

LogPosition TableStore::applied(GroupId group) const {
  const auto found = tables_.find(group);
  return found == tables_.end() ? LogPosition{} : found->second.applied;
}

Bytes TableStore::configuration(GroupId group) const {
  const auto found = tables_.find(group);
  return found == tables_.end() ? Bytes() : Bytes::Copy(found->second.configuration);
}

absl::Status TableStore::Failed(const leveldb::Status& status) {
  if (!error_.ok()) return error_;
  // The file system's own words say more than what LevelDB made of them.
  if (absl::Status told = env_->error(); !told.ok()) {
    error_ = told;
  } else if (status.IsCorruption()) {
    error_ = verify::LocateTableDamage(files_, directory_, status.ToString());
  } else {
    error_ = absl::InternalError(status.ToString());
  }
  return error_;
}

absl::Status TableStore::Settle() {
  env_->DrainScheduled();
  if (error_.ok()) error_ = env_->error();
  return error_;
}

absl::StatusOr<StorageResult> TableStore::Finish(absl::StatusOr<StorageResult> result) {
  if (!result.ok()) {
    if (error_.ok()) error_ = result.status();
    env_->DrainScheduled();
    return error_;
  }
  if (!garbage_.empty()) {
    if (absl::Status cleaned = CleanSome(); !cleaned.ok()) return cleaned;
  }
  if (absl::Status settled = Settle(); !settled.ok()) return settled;
  return result;
}

absl::Status TableStore::WriteBatch() {
  const leveldb::Status written = db_->Write(leveldb::WriteOptions(), &batch_);
  if (batch_.ApproximateSize() > kBatchKeptBytesMax) {
    batch_ = leveldb::WriteBatch();
  } else {
    batch_.Clear();
  }
  dirty_ = true;
  if (!written.ok()) return Failed(written);
  return Settle();
}

absl::Status TableStore::Flush() {
  if (!error_.ok()) return error_;
  if (dirty_) {
    // A null batch makes LevelDB set the memtable aside and ask for its flush, without waiting.
    leveldb::Status flushed = db_->Write(leveldb::WriteOptions(), nullptr);
    if (!flushed.ok()) return Failed(flushed);
    if (absl::Status settled = Settle(); !settled.ok()) return settled;
    // A flush that failed is told to the next write. One that is under way on another thread is
    // waited for by the next one, of a memtable that is empty.
    batch_.Clear();
    flushed = db_->Write(leveldb::WriteOptions(), background_.concurrent() ? nullptr : &batch_);
    if (!flushed.ok()) return Failed(flushed);
    dirty_ = false;
  }
  for (auto& [group, table] : tables_) table.durable = table.applied;
  return absl::OkStatus();
}

void TableStore::PutApplied(const std::string& key, const AppliedRecord& applied) {
  EncodeApplied(applied, &record_);
  batch_.Put(key, record_);
}

absl::StatusOr<StorageResult> TableStore::Run(const ApplyEntries& job) {
  if (!error_.ok()) return error_;
  Table& table = TableOf(job.group);
  ApplyDone done{.group = job.group, .results = {}, .applied = table.applied};
  done.results.reserve(job.entries.size());
  std::string configuration = table.configuration;
  overlay_.Begin(*db_, read_options_, table.prefix);
  for (const Entry& entry : job.entries) {
    if (entry.index <= done.applied.index) continue;
    CheckEq(entry.index, done.applied.index.Next());
    Bytes reply;
    if (IsForMachine(entry.kind)) reply = table.machine->Apply(entry, overlay_);
    if (entry.kind == EntryKind::kConfiguration) configuration = std::string(entry.data.view());
    done.results.push_back({entry.index, entry.term, entry.kind, std::move(reply)});
    done.applied = {entry.index, entry.term};
  }
  if (!overlay_.status().ok()) return Finish(Failed(overlay_.status()));
  if (done.applied != table.applied) {
    overlay_.Finish(batch_);
    PutApplied(table.applied_key, {table.generation, done.applied, configuration});
    if (absl::Status written = WriteBatch(); !written.ok()) return Finish(written);
    table.applied = done.applied;
    table.configuration = std::move(configuration);
  }
  return Finish(StorageResult(std::move(done)));
}

absl::StatusOr<StorageResult> TableStore::Run(const QueryTable& job) {
  if (!error_.ok()) return error_;
  Table& table = TableOf(job.group);
  QueryDone done{.group = job.group, .items = {}, .applied = table.applied};
  done.items.reserve(job.items.size());
  const GroupReader reader(*db_, read_options_, table.prefix);
  for (const QueryTable::Item& item : job.items) {
    done.items.push_back({item.id, table.machine->Query(item.query, table.applied, reader)});
  }
  if (!reader.status().ok()) return Finish(Failed(reader.status()));
  return Finish(StorageResult(std::move(done)));
}

absl::StatusOr<StorageResult> TableStore::Run(const Checkpoint& job) {
  if (!error_.ok()) return error_;
  const Table& table = TableOf(job.group);
  if (absl::Status flushed = Flush(); !flushed.ok()) return Finish(flushed);
  return Finish(StorageResult(CheckpointDone{job.group, table.durable}));
}

uint64_t TableStore::Digest(GroupId group) const {
  const LogPosition applied = tables_.at(group).applied;
  uint64_t digest = HashChain(applied.index.value(), applied.term.value());
  const std::string& configuration = tables_.at(group).configuration;
  if (!configuration.empty()) digest = HashChain(digest, StableHash(configuration));
  const bool read = Visit(group, [&](absl::string_view key, absl::string_view value) {
    digest = HashChain(digest, StableHash(key));
    digest = HashChain(digest, StableHash(value));
    return true;
  });
  return read ? digest : 0;
}

bool TableStore::Visit(
    GroupId group,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
  if (db_ == nullptr || !error_.ok()) return false;
  const GroupReader reader(*db_, scan_options_, tables_.at(group).prefix);
  reader.Scan("", visit);
  env_->DrainScheduled();
  return reader.status().ok();
}

}  // namespace lockstep::storage
