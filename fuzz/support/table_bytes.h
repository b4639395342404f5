// Bytes of LevelDB's files, tables and lists of tables, whose checksums are right and whose content
// is whatever a fuzz input says.
#ifndef LOCKSTEP_FUZZ_SUPPORT_TABLE_BYTES_H_
#define LOCKSTEP_FUZZ_SUPPORT_TABLE_BYTES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/crc32c.h"
#include "fuzz/support/input.h"
#include "storage/leveldb_coding.h"

namespace lockstep::fuzz {

inline void PutFixed32(uint32_t value, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

inline void PutVarint(uint64_t value, std::string* out) {
  for (; value >= 128; value >>= 7) out->push_back(static_cast<char>(value | 128));
  out->push_back(static_cast<char>(value));
}

inline void PutText(absl::string_view text, std::string* out) {
  PutVarint(text.size(), out);
  out->append(text.data(), text.size());
}

// Small, or any.
inline uint64_t MakeVarint(Input& input) {
  const uint8_t how = input.Byte();
  return how < 0xF0 ? how : input.Number();
}

// A key as LevelDB keeps it: with a sequence and a kind behind it, mostly.
inline std::string MakeInternalKey(Input& input) {
  const uint8_t how = input.Byte();
  std::string key(input.Text(7));
  if (how >= 0xE0) return key;
  PutFixed32(uint32_t{how} << 8 | 1, &key);
  PutFixed32(0, &key);
  return key;
}

// The handle of the block: its offset and its bytes.
inline std::string PutBlock(absl::string_view block, std::string* file) {
  std::string handle;
  PutVarint(file->size(), &handle);
  PutVarint(block.size(), &handle);
  const size_t begin = file->size();
  file->append(block.data(), block.size());
  file->push_back('\0');  // Not compressed.
  PutFixed32(storage::leveldb_coding::Masked(Crc32c(absl::string_view(*file).substr(begin))), file);
  return handle;
}

inline void PutEntry(uint64_t shared, absl::string_view own, absl::string_view value,
                     std::string* block) {
  PutVarint(shared, block);
  PutVarint(own.size(), block);
  PutVarint(value.size(), block);
  block->append(own.data(), own.size());
  block->append(value.data(), value.size());
}

inline void EndBlock(std::string* block) {
  PutFixed32(0, block);
  PutFixed32(1, block);
}

// One fragment of a list of tables; no fragment crosses a block.
inline void PutFragment(uint8_t type, absl::string_view payload, std::string* manifest) {
  std::string covered(1, static_cast<char>(type));
  covered.append(payload.data(), payload.size());
  PutFixed32(storage::leveldb_coding::Masked(Crc32c(covered)), manifest);
  manifest->push_back(static_cast<char>(payload.size()));
  manifest->push_back(static_cast<char>(payload.size() >> 8));
  manifest->append(covered);
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_TABLE_BYTES_H_
