// LevelDB's files from an untrusted disk, as `verify` reads them: tables and lists of tables of any
// bytes, and with right checksums around hostile content. They are judged, never believed; what a
// cut leaves of a list is torn or damaged, never more than there was.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "fuzz/support/table_bytes.h"
#include "sim/disk/sim_file_system.h"
#include "storage/leveldb_manifest.h"
#include "storage/leveldb_table_check.h"
#include "storage/verify.h"

namespace lockstep::fuzz {
namespace {

constexpr uint64_t kBlocksMax = 6;
constexpr uint64_t kEntriesMax = 8;
constexpr uint64_t kEditsMax = 6;

std::string MakeDataBlock(Input& input, std::string* last_key) {
  if (input.Byte() >= 0xF0) return std::string(input.Text(100));
  std::string block;
  for (uint64_t i = input.Below(kEntriesMax); i > 0; --i) {
    *last_key = MakeInternalKey(input);
    const uint64_t shared = input.Byte() >= 0xE0 ? MakeVarint(input) : 0;
    PutEntry(shared, *last_key, input.Text(12), &block);
  }
  EndBlock(&block);
  return block;
}

std::string MakeTable(Input& input) {
  std::string file;
  std::string index;
  for (uint64_t i = input.Below(kBlocksMax); i > 0; --i) {
    std::string last_key;
    const std::string block = MakeDataBlock(input, &last_key);
    std::string handle = PutBlock(block, &file);
    const uint8_t how = input.Byte();
    if (how >= 0xE0) handle = std::string(input.Text(20));
    PutEntry(0, how % 8 == 0 ? MakeInternalKey(input) : last_key, handle, &index);
  }
  EndBlock(&index);
  std::string meta;
  if (input.Flip()) PutEntry(0, "filter", PutBlock(input.Text(30), &file), &meta);
  EndBlock(&meta);
  const std::string meta_handle = PutBlock(meta, &file);
  std::string footer = meta_handle + PutBlock(index, &file);
  if (input.Byte() >= 0xF0) footer = std::string(input.Text(40));
  footer.resize(40);
  PutFixed32(0x8B80FB57, &footer);
  PutFixed32(0xDB477524, &footer);
  return file + footer;
}

void CheckTableFile(const std::string& file) {
  uint64_t entries = 0;
  const auto problems = storage::CheckTable(file, [&](const storage::TableEntry& entry) {
    ++entries;
    CheckEq(entry.internal_key.size(), entry.user_key.size() + 8);
    Check(!storage::InternalKeyLess(entry.internal_key, entry.internal_key));
  });
  CheckLe(entries, file.size());
  uint64_t last = 0;
  for (const storage::TableProblem& problem : problems) {
    CheckLe(last, problem.offset);
    CheckLe(problem.offset, file.size());
    last = problem.offset;
  }
}

// `sizes`: of the tables that are there, from number 1.
void PutEdit(Input& input, const std::vector<uint64_t>& sizes, std::string* edit) {
  const uint64_t number = 1 + input.Below(sizes.size());
  switch (input.Below(8)) {
    case 0:
      PutVarint(1, edit);
      return PutText(input.Byte() < 0xE0 ? "leveldb.BytewiseComparator" : input.Text(9), edit);
    case 1:
      PutVarint(4, edit);
      return PutVarint(MakeVarint(input), edit);
    case 2:
      PutVarint(5, edit);
      PutVarint(MakeVarint(input), edit);
      return PutText(MakeInternalKey(input), edit);
    case 3:
      PutVarint(6, edit);
      PutVarint(MakeVarint(input), edit);
      return PutVarint(MakeVarint(input), edit);
    case 4:
      return PutVarint(MakeVarint(input), edit);
    default:
      PutVarint(7, edit);
      PutVarint(input.Below(9), edit);
      PutVarint(number, edit);
      PutVarint(input.Byte() < 0xF0 ? sizes[number - 1] : MakeVarint(input), edit);
      PutText(MakeInternalKey(input), edit);
      return PutText(MakeInternalKey(input), edit);
  }
}

std::string MakeManifest(Input& input, const std::vector<uint64_t>& sizes) {
  std::string manifest;
  for (uint64_t i = input.Below(kEditsMax); i > 0; --i) {
    std::string edit;
    for (uint64_t k = 1 + input.Below(3); k > 0; --k) PutEdit(input, sizes, &edit);
    const uint8_t how = input.Byte();
    PutFragment(how < 0xE0 ? 1 : how % 6, edit, &manifest);
    if (how % 16 == 15) manifest += std::string(input.Text(16));
  }
  return manifest;
}

void CheckManifest(const std::string& manifest) {
  const storage::ManifestContent content = storage::ReadManifest(manifest);
  CheckLe(content.sound_bytes, manifest.size());
  const bool whole = content.sound_bytes == manifest.size() && content.begun();
  Check(content.what.empty() == whole);
  const uint64_t bytes = storage::ManifestBytesToRead(manifest);
  CheckLe(content.sound_bytes, bytes);
  CheckLe(bytes, manifest.size());
  if (content.torn) CheckEq(bytes, content.sound_bytes);
}

void Write(sim::SimFileSystem& files, const std::string& name, const std::string& bytes) {
  auto file = files.Open("d/table/" + name, storage::OpenMode::kTruncate);
  Check(file.ok());
  Check((*file)->Append(bytes).ok());
}

void RunFiles(Input input) {
  sim::SimFileSystem files;
  Check(files.CreateDirectory("d/table").ok());
  const uint8_t how = input.Byte();
  if (how >= 0xF8) {
    const std::string bytes(input.rest());
    CheckTableFile(bytes);
    return CheckManifest(bytes);
  }
  std::vector<uint64_t> sizes;
  const uint64_t tables = 1 + input.Below(3);
  for (uint64_t i = 1; i <= tables; ++i) {
    const std::string table = MakeTable(input);
    CheckTableFile(table);
    sizes.push_back(table.size());
    Write(files, absl::StrCat("00000", i, ".ldb"), table);
  }
  const std::string manifest = MakeManifest(input, sizes);
  CheckManifest(manifest);
  Write(files, "MANIFEST-000009", manifest);
  Write(files, "CURRENT", how < 0xF0 ? "MANIFEST-000009\n" : std::string(input.Text(20)));
  Check(storage::Verify(files, "d").ok());
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunFiles(lockstep::fuzz::Input(data, size));
  return 0;
}
