// Every block of every table file that the database has, and what its MANIFEST says of them.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "storage/leveldb_manifest.h"
#include "storage/leveldb_table_check.h"
#include "storage/table_store_keys.h"
#include "storage/verify_parts.h"

namespace lockstep::storage::verify {
namespace {

constexpr char kTableDamaged[] =
    "the tables of this node are damaged. At the next start they are built anew, from the log or "
    "from the other replicas; a group whose only replica is here can only be rebuilt if its log "
    "reaches back to its first entry, else restore a copy of the directory";
constexpr char kTornEdit[] =
    "the last change of the list of tables never finished, as after a power failure: nothing "
    "relied on it. The next start leaves it behind";
constexpr char kNotMine[] = "no file of a node's tables has such a name; nothing reads it";

struct Newest {
  uint64_t sequence = 0;
  bool deleted = false;
  std::string value;
};

class TableWalk {
 public:
  TableWalk(const FileSystem& files, std::string directory, Verification* out)
      : files_(files), directory_(std::move(directory)), out_(out) {}

  absl::Status Run(Applied* applied) {
    const absl::StatusOr<std::vector<std::string>> names = files_.List(directory_);
    if (absl::IsNotFound(names.status())) return absl::OkStatus();
    if (!names.ok()) return names.status();
    bool any_table = false;
    for (const std::string& name : *names) any_table |= absl::EndsWith(name, ".ldb");
    ReportStrangers(*names);
    if (!files_.Exists(directory_ + "/CURRENT") && !any_table) return absl::OkStatus();
    if (absl::Status read = ReadDatabase(); !read.ok()) return read;
    for (auto& [group, newest] : applied_) TakeApplied(group, newest, applied);
    return absl::OkStatus();
  }

 private:
  void Damage(const std::string& path, uint64_t offset, absl::string_view what) {
    AddFlaw(Flaw::Kind::kDamage, path, offset, what, kTableDamaged, out_);
  }

  void ReportStrangers(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const bool known = name == "CURRENT" || name == "LOCK" ||
                         absl::StartsWith(name, "MANIFEST-") || absl::EndsWith(name, ".ldb") ||
                         absl::EndsWith(name, ".dbtmp") || absl::EndsWith(name, ".log");
      if (known) continue;
      AddFlaw(Flaw::Kind::kLeftover, absl::StrCat(directory_, "/", name), 0, "a strange file",
              kNotMine, out_);
    }
  }

  absl::Status ReadDatabase() {
    const std::string current_path = directory_ + "/CURRENT";
    const absl::StatusOr<std::string> current = ReadWhole(files_, current_path, out_);
    if (absl::IsNotFound(current.status())) {
      Damage(current_path, 0, "the file is missing");
      return absl::OkStatus();
    }
    if (!current.ok()) return current.status();
    absl::string_view name = *current;
    absl::string_view number = name;
    uint64_t ignored = 0;
    const bool sensible = absl::ConsumeSuffix(&name, "\n") &&
                          absl::ConsumePrefix(&number, "MANIFEST-") &&
                          absl::SimpleAtoi(name.substr(9), &ignored);
    if (!sensible || !files_.Exists(absl::StrCat(directory_, "/", name))) {
      Damage(current_path, 0, "it names no list of tables that is there");
      return absl::OkStatus();
    }
    const std::string manifest_path = absl::StrCat(directory_, "/", name);
    const absl::StatusOr<std::string> text = ReadWhole(files_, manifest_path, out_);
    if (!text.ok()) return text.status();
    const ManifestContent manifest = ReadManifest(*text);
    if (!manifest.what.empty() && manifest.torn) {
      AddFlaw(Flaw::Kind::kTorn, manifest_path, manifest.sound_bytes, manifest.what, kTornEdit,
              out_);
    } else if (!manifest.what.empty()) {
      Damage(manifest_path, manifest.sound_bytes, manifest.what);
      return absl::OkStatus();  // What it would have said of the tables is unknown.
    }
    for (const auto& [file, table] : manifest.tables) {
      if (absl::Status read = ReadTable(file, table, manifest); !read.ok()) return read;
    }
    return absl::OkStatus();
  }

  absl::Status ReadTable(uint64_t file, const ManifestContent::Table& table,
                         const ManifestContent& manifest) {
    const std::string path = absl::StrFormat("%s/%06d.ldb", directory_, file);
    const absl::StatusOr<std::string> bytes = ReadWhole(files_, path, out_);
    if (absl::IsNotFound(bytes.status())) {
      Damage(path, 0, "the file is missing");
      return absl::OkStatus();
    }
    if (!bytes.ok()) return bytes.status();
    ++out_->tables;
    if (bytes->size() != table.bytes) {
      Damage(path, std::min<uint64_t>(bytes->size(), table.bytes),
             absl::StrCat("the file has ", bytes->size(), " bytes, not ", table.bytes));
      return absl::OkStatus();
    }
    bool inside = true;
    bool of_its_time = true;
    const std::vector<TableProblem> problems = CheckTable(*bytes, [&](const TableEntry& entry) {
      ++out_->keys;
      inside = inside && !InternalKeyLess(entry.internal_key, table.smallest) &&
               !InternalKeyLess(table.largest, entry.internal_key);
      of_its_time = of_its_time && entry.sequence <= manifest.last_sequence;
      Note(entry);
    });
    for (const TableProblem& problem : problems) Damage(path, problem.offset, problem.what);
    if (!inside) Damage(path, 0, "it holds keys that are not its own");
    if (!of_its_time) Damage(path, 0, "it holds changes that were never made");
    return absl::OkStatus();
  }

  // The newest version of each group's applied record decides.
  void Note(const TableEntry& entry) {
    const std::optional<GroupId> group = GroupOfAppliedKey(entry.user_key);
    if (!group.has_value()) return;
    Newest& newest = applied_[*group];
    if (entry.sequence < newest.sequence) return;
    newest = {entry.sequence, entry.deleted, std::string(entry.value.data(), entry.value.size())};
  }

  void TakeApplied(GroupId group, const Newest& newest, Applied* applied) {
    if (newest.deleted) return;
    const std::optional<AppliedRecord> record = DecodeApplied(newest.value);
    if (!record.has_value()) {
      return Damage(directory_, 0,
                    absl::StrCat("group ", group.value(), ": malformed applied record"));
    }
    (*applied)[group] = record->applied;
  }

  const FileSystem& files_;
  const std::string directory_;
  Verification* const out_;
  absl::btree_map<GroupId, Newest> applied_;
};

}  // namespace

absl::Status VerifyTables(const FileSystem& files, const std::string& directory, Verification* out,
                          Applied* applied) {
  return TableWalk(files, directory + "/table", out).Run(applied);
}

absl::Status LocateTableDamage(const FileSystem& files, const std::string& table_directory,
                               absl::string_view said) {
  Verification found;
  Applied applied;
  const absl::Status looked = TableWalk(files, table_directory, &found).Run(&applied);
  if (!looked.ok()) return looked;
  for (const Flaw& flaw : found.flaws) {
    if (flaw.kind != Flaw::Kind::kDamage) continue;
    return absl::DataLossError(
        absl::StrCat("corrupt tables: ", flaw.file, ": byte ", flaw.offset, ": ", flaw.what));
  }
  return absl::DataLossError(absl::StrCat("corrupt tables: ", table_directory, ": ", said,
                                          "; read again, every file is sound"));
}

}  // namespace lockstep::storage::verify
