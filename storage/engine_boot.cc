#include "storage/engine_boot.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "storage/promises.h"
#include "storage/wal_recovery.h"

namespace lockstep::storage {
namespace {

constexpr char kAdvice[] =
    "; this is a group's only replica, so nobody can give back what is lost. "
    "Restore a copy of the directory (lockstepd verify tells all that is damaged)";
constexpr uint64_t kCommitBytesMax = uint64_t{4} << 20;  // of entries that are written again

std::string DamageNotePath(const std::string& directory) { return directory + "/table.damaged"; }

class EngineBoot {
 public:
  EngineBoot(FileSystem& files, const EngineOptions& options, const MachineFactory& machines)
      : files_(files),
        options_(options),
        machines_(machines),
        log_directory_(options.directory + "/wal"),
        table_directory_(options.directory + "/table") {}

  absl::StatusOr<Booted> Run() {
    // The tables first: they may know better than a damaged log who else is in a group.
    absl::Status status = OpenTables();
    if (status.ok()) status = OpenLog();
    if (status.ok()) FindGaps();
    if (status.ok()) status = RefuseWhatNobodyCanRepair();
    if (status.ok() && Damaged()) status = Repair();
    if (!status.ok()) return status;
    CheckLe(options_.groups.size(), out_.images.size());
    for (ReplicaImage& image : out_.images) {
      if (status = out_.tables->Host(image.group); !status.ok()) return status;
      image.applied = out_.tables->applied(image.group);
      image.configuration = out_.tables->configuration(image.group);
      CheckLe(image.base.index, image.applied.index);
    }
    return std::move(out_);
  }

 private:
  bool Damaged() const { return !log_damage_.ok() || !table_damage_.ok(); }
  // Whether the group has lost what it may have promised. Its table may have been ahead of a log
  // that is whole: a snapshot is installed before the log begins behind it, and a crash may come
  // between. Nobody sends a snapshot to who is alone.
  bool HasLost(const ReplicaImage& image) const {
    if (!log_damage_.ok() || LosesTable(image)) return true;
    return !table_damage_.ok() && !IsAlone(image);
  }
  bool IsAlone(const ReplicaImage& image) const {
    if (options_.is_alone == nullptr) return false;
    const Bytes newest = NewestConfiguration(image);
    // Behind the damage its members may have changed again, as they had before.
    if (!log_damage_.ok() && !newest.empty()) return false;
    return options_.is_alone(image.group, newest);
  }
  Bytes NewestConfiguration(const ReplicaImage& image) const {
    for (auto entry = image.entries.rbegin(); entry != image.entries.rend(); ++entry) {
      if (entry->kind == EntryKind::kConfiguration) return entry->data;
    }
    return out_.tables == nullptr ? Bytes() : out_.tables->configuration(image.group);
  }
  // Its table is gone, and its log does not reach back to the beginning.
  bool LosesTable(const ReplicaImage& image) const {
    return !table_damage_.ok() && image.base.index > Index();
  }

  absl::Status OpenLog() {
    const WalOptions wal{.groups = options_.groups,
                         .more_groups = options_.more_groups,
                         .segment_bytes_max = options_.wal_segment_bytes_max,
                         .reserve_bytes = options_.wal_reserve_bytes,
                         .salt = options_.wal_salt};
    auto opened = Wal::Open(files_, log_directory_, wal, &out_.images);
    if (opened.ok()) {
      out_.wal = *std::move(opened);
      return absl::OkStatus();
    }
    if (!absl::IsDataLoss(opened.status())) return opened.status();
    // Without the promises there is nothing to start from.
    const absl::StatusOr<Promises> promises = Promises::Load(files_, log_directory_);
    if (absl::IsDataLoss(promises.status())) return OpenLogWithoutPromises(promises.status());
    if (!promises.ok()) return promises.status();
    if (!promises->found()) return opened.status();
    log_damage_ = opened.status();
    auto salvaged = wal::Salvage(files_, log_directory_, options_.groups, options_.more_groups);
    if (!salvaged.ok()) return salvaged.status();
    out_.images = *std::move(salvaged);
    if (options_.more_groups) AddGroupsOf(*promises);
    return absl::OkStatus();
  }

  // What was readable of the log may not have mentioned a group that had come later.
  void AddGroupsOf(const Promises& promises) {
    for (const auto& [group, promised] : promises.all()) {
      const bool known = std::any_of(out_.images.begin(), out_.images.end(),
                                     [&](const auto& image) { return image.group == group; });
      if (!known) out_.images.emplace_back().group = group;
    }
  }

  // Neither copy can be read. A sound log knows term and vote by itself; but not whether it had
  // lost something before, so that its replicas had better doubt it.
  absl::Status OpenLogWithoutPromises(const absl::Status& damage) {
    auto recovered = wal::Recover(files_, log_directory_, options_.groups, options_.more_groups);
    if (absl::IsDataLoss(recovered.status())) return damage;
    if (!recovered.ok()) return recovered.status();
    PromiseMap all;
    for (const ReplicaImage& image : recovered->images) {
      // Alone, it was never in doubt: damage of its log would have been refused.
      all[image.group] = IsAlone(image) ? image.hard_state : InDoubt(image, Term());
    }
    recovered = absl::CancelledError();  // Lets go of the file.
    const absl::Status written = Promises::Anew(files_, log_directory_)
                                     .Write(all, /*commit=*/0, Promises::Extent::kWithNames);
    if (!written.ok()) return written;
    out_.repairs.push_back({std::string(damage.message()),
                            "the log is sound and knows them; both copies were written again. "
                            "Replicas abstain from elections until their leaders have sent them "
                            "something new"});
    return OpenLog();
  }

  // What a replica has to say of itself that may have lost what it promised, as its log knows or as
  // is said here.
  static HardState InDoubt(const ReplicaImage& image, Term promised) {
    Term spoken = std::max({promised, image.hard_state.term, image.base.term});
    if (!image.entries.empty()) spoken = std::max(spoken, image.entries.back().term);
    // It may never have promised anything.
    return spoken == Term() ? HardState() : HardState{spoken.Next(), NodeId(), spoken};
  }

  absl::Status OpenTables() {
    if (absl::Status read = ReadDamageNote(); !read.ok() || !table_damage_.ok()) return read;
    auto opened = OpenTableStore();
    if (opened.ok()) {
      out_.tables = *std::move(opened);
    } else if (absl::IsDataLoss(opened.status())) {
      table_damage_ = opened.status();
    } else {
      return opened.status();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<TableStore>> OpenTableStore() {
    const TableStoreOptions options{.directory = table_directory_,
                                    .groups = options_.groups,
                                    .more_groups = options_.more_groups,
                                    .write_buffer_bytes = options_.table_write_buffer_bytes,
                                    .block_cache_bytes = options_.table_block_cache_bytes,
                                    .recent_bytes = options_.table_recent_bytes,
                                    .background = options_.background};
    return TableStore::Open(files_, options, machines_);
  }

  absl::Status ReadDamageNote() {
    const std::string path = DamageNotePath(options_.directory);
    const absl::StatusOr<std::unique_ptr<File>> file = files_.Open(path, OpenMode::kRead);
    if (absl::IsNotFound(file.status())) return absl::OkStatus();
    if (!file.ok()) return file.status();
    std::string text;
    if (absl::Status read = (*file)->Read(0, 4096, &text); !read.ok()) return read;
    table_damage_ = absl::DataLossError(absl::StrCat("found before the last stop: ", text));
    return absl::OkStatus();
  }

  // A log that begins after what its table contains: the table has lost what had been durable.
  void FindGaps() {
    if (out_.tables == nullptr) return;
    for (const ReplicaImage& image : out_.images) {
      const LogPosition applied = out_.tables->applied(image.group);
      if (image.base.index <= applied.index) continue;
      table_damage_ = absl::DataLossError(
          absl::StrCat("corrupt tables: ", table_directory_, ": group ", image.group.value(),
                       ": the log begins after ", image.base.index.value(),
                       ", but the table ends at ", applied.index.value()));
    }
  }

  absl::Status RefuseWhatNobodyCanRepair() const {
    for (const ReplicaImage& image : out_.images) {
      if (!IsAlone(image) || !HasLost(image)) continue;
      const absl::Status& damage = log_damage_.ok() ? table_damage_ : log_damage_;
      return absl::DataLossError(
          absl::StrCat(damage.message(), "; group ", image.group.value(), kAdvice));
    }
    return absl::OkStatus();
  }

  absl::Status Repair() {
    // Decided once: who is alone may be known from tables that are about to go.
    for (const ReplicaImage& image : out_.images) {
      if (HasLost(image)) lost_.insert(image.group);
    }
    const bool any_lost = !lost_.empty();
    if (!table_damage_.ok()) out_.tables = nullptr;
    absl::Status status = any_lost ? MarkDoubts() : absl::OkStatus();
    if (status.ok() && !table_damage_.ok()) status = WipeTables();
    if (status.ok() && any_lost) status = RebuildLog();
    if (status.ok()) Tell(any_lost);
    return status;
  }

  // The first thing to be durable: whatever happens from here on, no replica forgets that its log
  // may lack something. Its term moves on, so that no leader to whom it acknowledged what is gone
  // speaks to it again.
  absl::Status MarkDoubts() {
    absl::StatusOr<Promises> promises = Promises::Load(files_, log_directory_);
    if (!promises.ok()) return promises.status();
    PromiseMap all;
    for (ReplicaImage& image : out_.images) {
      image.hard_state = InDoubt(image, promises->Of(image.group).term);
      all[image.group] = image.hard_state;
    }
    return promises->Write(all, /*commit=*/0, Promises::Extent::kWithNames);
  }

  absl::Status WipeTables() {
    const absl::StatusOr<std::vector<std::string>> names = files_.List(table_directory_);
    if (!names.ok() && !absl::IsNotFound(names.status())) return names.status();
    absl::Status status;
    for (size_t i = 0; names.ok() && status.ok() && i < names->size(); ++i) {
      status = files_.Delete(absl::StrCat(table_directory_, "/", (*names)[i]));
    }
    if (status.ok() && names.ok()) status = files_.SyncDirectory(table_directory_);
    if (!status.ok()) return status;
    const std::string note = DamageNotePath(options_.directory);
    if (files_.Exists(note)) {
      status = files_.Delete(note);
      if (status.ok()) status = files_.SyncDirectory(options_.directory);
      if (!status.ok()) return status;
    }
    auto opened = OpenTableStore();
    if (!opened.ok()) return opened.status();
    out_.tables = *std::move(opened);
    return absl::OkStatus();
  }

  // A new log with what is left of the old one, which is put aside for people to look at.
  absl::Status RebuildLog() {
    out_.wal = nullptr;
    absl::Status status = wal::SetAside(files_, log_directory_);
    if (!status.ok()) return status;
    std::vector<ReplicaImage> kept = std::move(out_.images);
    const absl::Status log_damage = std::exchange(log_damage_, absl::OkStatus());
    status = OpenLog();
    if (!status.ok()) return status;
    if (!log_damage_.ok()) return log_damage_;  // Whom could one believe now?
    log_damage_ = log_damage;
    for (ReplicaImage& image : kept) {
      const bool lost = lost_.contains(image.group);
      if (LosesTable(image)) {
        image.base = LogPosition{};
        image.entries.clear();
      }
      status = WriteAgain(image, lost);
      if (!status.ok()) return status;
    }
    out_.images = std::move(kept);
    return absl::OkStatus();
  }

  // The doubt of a group that has lost nothing ends with the last of its entries.
  absl::Status WriteAgain(ReplicaImage& image, bool lost) {
    size_t next = 0;
    do {
      CommitLog job;
      LogBatch& batch = job.batches.emplace_back();
      batch.group = image.group;
      if (next == 0 && image.base != LogPosition{}) batch.base = image.base;
      uint64_t bytes = 0;
      for (; next < image.entries.size() && bytes < kCommitBytesMax; ++next) {
        bytes += image.entries[next].data.size() + wal::kEntryRecordBytes;
        batch.append.push_back(image.entries[next]);
      }
      if (next == image.entries.size() && !lost && image.hard_state.doubt != Term()) {
        image.hard_state.doubt = Term();
        batch.hard_state = image.hard_state;
      }
      if (absl::Status written = out_.wal->Commit(job); !written.ok()) return written;
    } while (next < image.entries.size());
    return absl::OkStatus();
  }

  void Tell(bool any_lost) {
    for (const absl::Status* damage : {&log_damage_, &table_damage_}) {
      if (damage->ok()) continue;
      std::string consequence =
          damage == &log_damage_
              ? absl::StrCat("the old log was put aside in ", log_directory_, "/*.damaged. ")
              : "the tables are made anew. ";
      absl::btree_set<GroupId> lost;
      for (const ReplicaImage& image : out_.images) {
        if (image.hard_state.doubt != Term()) lost.insert(image.group);
      }
      if (!any_lost || lost.empty()) {
        consequence += "The log has everything that they had";
      } else {
        consequence +=
            "Replicas that abstain from elections until their leaders have sent them "
            "again what is lost: of groups";
        for (const GroupId group : lost) absl::StrAppend(&consequence, " ", group.value());
      }
      out_.repairs.push_back({std::string(damage->message()), consequence});
    }
  }

  FileSystem& files_;
  const EngineOptions& options_;
  const MachineFactory& machines_;
  const std::string log_directory_;
  const std::string table_directory_;
  absl::Status log_damage_;    // DataLoss
  absl::Status table_damage_;  // DataLoss
  absl::btree_set<GroupId> lost_;
  Booted out_;
};

}  // namespace

absl::StatusOr<Booted> BootEngine(FileSystem& files, const EngineOptions& options,
                                  const MachineFactory& machines) {
  return EngineBoot(files, options, machines).Run();
}

void NoteTableDamage(FileSystem& files, const std::string& directory, const absl::Status& damage) {
  auto file = files.Open(DamageNotePath(directory), OpenMode::kTruncate);
  if (!file.ok()) return;
  if (!(*file)->Append(damage.message()).ok() || !(*file)->Sync().ok()) return;
  static_cast<void>(files.SyncDirectory(directory));
}

}  // namespace lockstep::storage
