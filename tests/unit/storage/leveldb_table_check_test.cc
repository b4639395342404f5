// Tables and lists of tables with right checksums and a content that LevelDB never writes: they are
// found out, in a time that goes with their size.
#include "storage/leveldb_table_check.h"

#include <string>

#include "core/base/crc32c.h"
#include "gtest/gtest.h"
#include "storage/leveldb_coding.h"
#include "storage/leveldb_manifest.h"

namespace lockstep::storage {
namespace {

void PutFixed32(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

// Lengths here need one byte each.
void PutEntry(const std::string& key, const std::string& value, std::string* block) {
  block->push_back(0);
  block->push_back(static_cast<char>(key.size()));
  block->push_back(static_cast<char>(value.size()));
  *block += key + value;
}

std::string PutBlock(std::string block, std::string* file) {
  PutFixed32(0, &block);
  PutFixed32(1, &block);
  const std::string handle = {static_cast<char>(file->size()), static_cast<char>(block.size())};
  block.push_back(0);
  *file += block;
  PutFixed32(leveldb_coding::Masked(Crc32c(block)), file);
  return handle;
}

// One data block, which the index names `times` times with this last key.
std::string MakeTable(const std::string& last_key, int times) {
  std::string file;
  std::string data;
  PutEntry(std::string("a") + std::string(8, 1), "value", &data);
  const std::string handle = PutBlock(data, &file);
  const std::string meta = PutBlock("", &file);
  std::string index;
  for (int i = 0; i < times; ++i) PutEntry(last_key, handle, &index);
  std::string footer = meta + PutBlock(index, &file);
  footer.resize(40);
  PutFixed32(0x8B80FB57, &footer);
  PutFixed32(0xDB477524, &footer);
  return file + footer;
}

size_t CountEntries(const std::string& file, size_t* problems) {
  size_t entries = 0;
  *problems = CheckTable(file, [&](const TableEntry&) { ++entries; }).size();
  return entries;
}

TEST(LevelDbTableCheck, KeysNeedTheirSequence) {
  size_t problems = 0;
  EXPECT_EQ(CountEntries(MakeTable("a" + std::string(8, 1), 1), &problems), 1u);
  EXPECT_EQ(problems, 0u);
  EXPECT_EQ(CountEntries(MakeTable("a", 1), &problems), 0u);
  EXPECT_EQ(problems, 1u);
}

TEST(LevelDbTableCheck, NoBlockIsReadAgainAndAgain) {
  size_t problems = 0;
  EXPECT_LT(CountEntries(MakeTable("a" + std::string(8, 1), 6), &problems), 6u);
  EXPECT_GT(problems, 0u);
}

std::string MakeManifest(const std::string& edit) {
  const std::string covered = std::string(1, 1) + edit;
  std::string manifest;
  PutFixed32(leveldb_coding::Masked(Crc32c(covered)), &manifest);
  manifest += {static_cast<char>(edit.size()), 0};
  return manifest + covered;
}

// What CURRENT names was begun in a way that a power failure cannot take back.
TEST(ReadManifest, AListThatEndsBeforeItHasBegunIsDamaged) {
  const std::string beginning = MakeManifest({2, 1, 3, 9});
  EXPECT_NE(ReadManifest(beginning).what, "");
  EXPECT_FALSE(ReadManifest(beginning + "x").torn);
  const std::string whole = beginning + MakeManifest({4, 8});
  EXPECT_EQ(ReadManifest(whole).what, "");
  EXPECT_TRUE(ReadManifest(whole + "x").torn);
}

TEST(ReadManifest, KeysNeedTheirSequence) {
  for (const size_t key_bytes : {size_t{7}, size_t{8}}) {
    const std::string key(key_bytes, 'k');
    // Log number, next file and last sequence; then a table.
    std::string edit = {2, 1, 3, 9, 4, 8, 7, 0, 5, 9, static_cast<char>(key.size())};
    edit += key;
    edit.push_back(static_cast<char>(key.size()));
    edit += key;
    const std::string manifest = MakeManifest(edit);
    EXPECT_EQ(ReadManifest(manifest).what.empty(), key_bytes == 8);
    EXPECT_EQ(ReadManifest(manifest).tables.size(), key_bytes == 8 ? 1u : 0u);
  }
}

}  // namespace
}  // namespace lockstep::storage
