// Snapshots of a group's table: read for a peer, staged from a peer, and what they leave behind.
#include <memory>
#include <utility>

#include "core/base/check.h"
#include "storage/table_store.h"

namespace lockstep::storage {
namespace {

// Keys of dead generations that are deleted at the end of one job.
constexpr int kCleanedKeysMax = 256;

leveldb::Slice ToSlice(absl::string_view text) { return leveldb::Slice(text.data(), text.size()); }

absl::string_view View(const leveldb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

}  // namespace

absl::StatusOr<StorageResult> TableStore::Run(const ReadSnapshot& job) {
  if (!error_.ok()) return error_;
  Table& table = TableOf(job.group);
  if (!job.snapshot.has_value()) {
    CheckEq(job.offset, uint64_t{0});
    table.readers.erase(job.peer);
    // The iterator alone keeps its state: the memtable and the files that it reads.
    std::unique_ptr<leveldb::Iterator> iterator(db_->NewIterator(scan_options_));
    table.readers.emplace(job.peer, Table::OpenSnapshot{SnapshotReader(std::move(iterator),
                                                                       table.prefix, table.applied),
                                                        table.configuration});
  }
  return Finish(ReadOpenSnapshot(job, table));
}

absl::StatusOr<StorageResult> TableStore::ReadOpenSnapshot(const ReadSnapshot& job, Table& table) {
  ReadSnapshotDone done{.group = job.group,
                        .peer = job.peer,
                        .snapshot = job.snapshot.value_or(table.applied),
                        .offset = job.offset,
                        .data = Bytes(),
                        .last = false,
                        .gone = false,
                        .tag = job.tag};
  const auto found = table.readers.find(job.peer);
  if (found == table.readers.end() || found->second.reader.position() != done.snapshot) {
    done.gone = true;
    return done;
  }
  const absl::Status read =
      found->second.reader.Read(job.offset, job.bytes_max, &chunk_, &done.last);
  if (absl::IsOutOfRange(read)) {  // The peer speaks of another stream than this one.
    table.readers.erase(found);
    done.gone = true;
    done.last = false;
    return done;
  }
  if (!read.ok()) return Failed(leveldb::Status::Corruption(std::string(read.message())));
  done.data = Bytes::Copy(chunk_);
  done.configuration = Bytes::Copy(found->second.configuration);
  return done;
}

absl::StatusOr<StorageResult> TableStore::Run(const CloseSnapshot& job) {
  if (!error_.ok()) return error_;
  TableOf(job.group).readers.erase(job.peer);
  return Finish(StorageResult(std::monostate()));
}

absl::StatusOr<StorageResult> TableStore::Run(const WriteSnapshot& job) {
  if (!error_.ok()) return error_;
  Table& table = TableOf(job.group);
  if (table.applied.index < job.snapshot.index) return Finish(Stage(job, table));

  if (absl::Status dropped = DropStaging(job.group, table); !dropped.ok()) return Finish(dropped);
  if (table.durable.index < job.snapshot.index) {
    if (absl::Status flushed = Flush(); !flushed.ok()) return Finish(flushed);
  }
  return Finish(
      StorageResult(WriteSnapshotDone{.group = job.group,
                                      .snapshot = job.snapshot,
                                      .next_offset = job.offset + job.data.size(),
                                      .complete = true,
                                      .applied = table.applied,
                                      .configuration = Bytes::Copy(table.configuration)}));
}

absl::StatusOr<StorageResult> TableStore::Stage(const WriteSnapshot& job, Table& table) {
  WriteSnapshotDone done{.group = job.group, .snapshot = job.snapshot, .applied = table.applied};
  const bool continues = table.decoder.has_value() && table.staging.snapshot == job.snapshot;
  if (!continues && job.offset > 0) return done;  // Refused: begin at 0.
  if (!continues) {
    if (absl::Status dropped = DropStaging(job.group, table); !dropped.ok()) return dropped;
    const uint64_t newest = std::max(table.generation, table.staging.generation);
    table.staging = {.generation = newest + 1, .snapshot = job.snapshot, .next_offset = 0};
    table.decoder.emplace(0);
  }

  const uint64_t expected = table.decoder->next_offset();
  done.next_offset = expected;
  if (job.offset > expected) return done;  // Refused: a part is missing.
  const uint64_t known = expected - job.offset;
  // An end before what is staged belongs to another stream.
  bool malformed = job.last && job.data.size() < known;
  if (job.data.size() > known) {
    const std::string prefix = TablePrefix(job.group, table.staging.generation);
    const absl::Status fed = table.decoder->Feed(
        job.data.view().substr(known), [&](absl::string_view key, absl::string_view value) {
          record_.assign(prefix);
          record_.append(key.data(), key.size());
          batch_.Put(record_, ToSlice(value));
        });
    malformed = !fed.ok();
  }
  malformed =
      malformed || (job.last && table.decoder->next_offset() != table.decoder->record_offset());
  if (malformed) {
    batch_.Clear();
    if (absl::Status dropped = DropStaging(job.group, table); !dropped.ok()) return dropped;
    done.next_offset = 0;
    return done;
  }

  done.next_offset = table.decoder->next_offset();
  if (job.last) {
    if (absl::Status installed = Install(job, table); !installed.ok()) return installed;
    done.complete = true;
    done.applied = table.applied;
    done.configuration = Bytes::Copy(table.configuration);
  } else if (table.decoder->record_offset() > table.staging.next_offset) {
    table.staging.next_offset = table.decoder->record_offset();
    PutStaging(job.group, table.staging);
    if (absl::Status written = WriteBatch(); !written.ok()) return written;
  }
  return done;
}

// The last records, the new position and the change of generation are one batch: a crash leaves the
// old table with what was staged, or the new table.
absl::Status TableStore::Install(const WriteSnapshot& job, Table& table) {
  const uint64_t old_generation = table.generation;
  const std::string configuration(job.configuration.view());
  PutApplied(table.applied_key, {table.staging.generation, job.snapshot, configuration});
  const StagingRecord nothing{.generation = table.staging.generation, .snapshot = {}};
  PutStaging(job.group, nothing);
  if (absl::Status written = WriteBatch(); !written.ok()) return written;

  recent_.Clear();
  table.generation = table.staging.generation;
  table.prefix = TablePrefix(job.group, table.generation);
  table.applied = job.snapshot;
  table.configuration = configuration;
  table.staging = nothing;
  table.decoder.reset();
  if (absl::Status flushed = Flush(); !flushed.ok()) return flushed;
  AddGarbage(job.group, old_generation);
  return LoadMachine(table);
}

absl::Status TableStore::DropStaging(GroupId group, Table& table) {
  if (!table.decoder.has_value()) return absl::OkStatus();
  table.decoder.reset();
  AddGarbage(group, table.staging.generation);
  table.staging = {.generation = table.staging.generation, .snapshot = {}};
  PutStaging(group, table.staging);
  return WriteBatch();
}

void TableStore::PutStaging(GroupId group, const StagingRecord& staging) {
  EncodeStaging(staging, &record_);
  batch_.Put(StagingKey(group), record_);
}

void TableStore::AddGarbage(GroupId group, uint64_t generation) {
  garbage_.push_back({group, generation, GenerationStart(group, generation)});
}

absl::Status TableStore::CleanSome() {
  Garbage& garbage = garbage_.front();
  const std::string start = GenerationStart(garbage.group, garbage.generation);
  const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(scan_options_));
  int cleaned = 0;
  // From where the last piece ended: the tombstones before it are not walked again.
  for (at->Seek(garbage.next_key); at->Valid(); at->Next()) {
    const bool ours = GenerationOf(garbage.group, View(at->key())) == garbage.generation;
    if (!ours || cleaned == kCleanedKeysMax) {
      if (ours) garbage.next_key = at->key().ToString();
      break;
    }
    batch_.Delete(at->key());
    ++cleaned;
  }
  if (!at->status().ok()) return Failed(at->status());
  if (cleaned < kCleanedKeysMax) {
    garbage_.pop_front();
  }
  return cleaned == 0 ? absl::OkStatus() : WriteBatch();
}

absl::Status TableStore::FindGarbage(GroupId group, const Table& table) {
  const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(scan_options_));
  at->Seek(GenerationStart(group, 1));
  while (at->Valid()) {
    const std::optional<uint64_t> generation = GenerationOf(group, View(at->key()));
    if (!generation.has_value()) break;
    const bool staged = table.decoder.has_value() && *generation == table.staging.generation;
    if (*generation != table.generation && !staged) AddGarbage(group, *generation);
    at->Seek(GenerationStart(group, *generation + 1));
  }
  return at->status().ok() ? absl::OkStatus() : Failed(at->status());
}

uint64_t TableStore::CountGarbageKeys() const {
  uint64_t count = 0;
  for (const auto& [group, table] : tables_) {
    const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator(scan_options_));
    for (at->Seek(GenerationStart(group, 1)); at->Valid(); at->Next()) {
      const std::optional<uint64_t> generation = GenerationOf(group, View(at->key()));
      if (!generation.has_value()) break;
      const bool staged = table.decoder.has_value() && *generation == table.staging.generation;
      if (*generation != table.generation && !staged) ++count;
    }
  }
  env_->DrainScheduled();
  return count;
}

}  // namespace lockstep::storage
