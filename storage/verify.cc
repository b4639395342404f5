#include "storage/verify.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/verify_parts.h"

namespace lockstep::storage {
namespace verify {

absl::StatusOr<std::string> ReadWhole(const FileSystem& files, const std::string& path,
                                      Verification* out) {
  // Opening for reading changes nothing; only the interface cannot say so.
  const absl::StatusOr<std::unique_ptr<File>> file =
      const_cast<FileSystem&>(files).Open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::string text;
  const absl::Status read = (*file)->Read(0, *size, &text);
  if (!read.ok()) return read;
  out->bytes += text.size();
  return text;
}

void AddFlaw(Flaw::Kind kind, const std::string& file, uint64_t offset, absl::string_view what,
             absl::string_view meaning, Verification* out) {
  out->flaws.push_back({.kind = kind,
                        .file = file,
                        .offset = offset,
                        .what = std::string(what),
                        .meaning = std::string(meaning)});
}

namespace {

// Whether each group's log begins where its table ends, or before.
void CompareGroups(const std::string& directory, const Logs& logs, const Applied& applied,
                   Verification* out) {
  for (const auto& [group, log] : logs) {
    const auto found = applied.find(group);
    const LogPosition table = found == applied.end() ? LogPosition{} : found->second;
    if (log.base.index <= table.index) continue;
    AddFlaw(Flaw::Kind::kDamage, directory + "/table", 0,
            absl::StrCat("group ", group.value(), ": the table ends at entry ", table.index.value(),
                         ", and the log begins only after entry ", log.base.index.value()),
            "the entries between are gone: the table is not the one that belongs to this log. "
            "At the next start this group's replica is rebuilt from the other replicas",
            out);
  }
}

}  // namespace
}  // namespace verify

bool Verification::sound() const {
  return std::none_of(flaws.begin(), flaws.end(),
                      [](const Flaw& flaw) { return flaw.kind == Flaw::Kind::kDamage; });
}

absl::StatusOr<Verification> Verify(FileSystem& files, const std::string& directory) {
  Verification out;
  if (!files.Exists(directory)) return out;
  verify::Logs logs;
  verify::Applied applied;
  absl::Status status = verify::VerifyLog(files, directory, &out, &logs);
  if (status.ok()) status = verify::VerifyTables(files, directory, &out, &applied);
  if (!status.ok()) return status;
  // Beside damage the comparison would only tell the same again.
  if (out.sound()) verify::CompareGroups(directory, logs, applied, &out);
  return out;
}

}  // namespace lockstep::storage
