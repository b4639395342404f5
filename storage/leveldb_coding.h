// The few encodings that LevelDB's files are made of, for those who read them without LevelDB.
#ifndef LOCKSTEP_STORAGE_LEVELDB_CODING_H_
#define LOCKSTEP_STORAGE_LEVELDB_CODING_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace lockstep::storage::leveldb_coding {

// As LevelDB stores a CRC-32C.
inline uint32_t Masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u; }

// Takes a text apart from its beginning. What does not fit is false, and so is everything after it.
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  bool AtEnd() const { return sound_ && text_.empty(); }
  size_t left() const { return text_.size(); }

  // 7 bits a byte, the lowest first; the highest bit says that more follow.
  bool Varint(uint64_t* value) {
    if (AtEnd()) return false;  // Between two values: no error of the text.
    *value = 0;
    for (uint32_t shift = 0; shift < 64 && !text_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(text_.front());
      text_.remove_prefix(1);
      *value |= uint64_t{byte & 127u} << shift;
      if ((byte & 128u) == 0) return sound_;
      if (shift == 63) break;
    }
    sound_ = false;
    return false;
  }
  // Little-endian, `bytes` of them, at most 8.
  bool Fixed(size_t bytes, uint64_t* value) {
    absl::string_view part;
    if (!Bytes(bytes, &part)) return false;
    *value = 0;
    for (size_t i = bytes; i-- > 0;) *value = *value << 8 | static_cast<uint8_t>(part[i]);
    return true;
  }
  bool Bytes(uint64_t bytes, absl::string_view* part) {
    sound_ = sound_ && bytes <= text_.size();
    if (!sound_) return false;
    *part = text_.substr(0, bytes);
    text_.remove_prefix(bytes);
    return true;
  }
  // A varint length, and as many bytes.
  bool Text(absl::string_view* text) {
    uint64_t bytes = 0;
    return Varint(&bytes) && Bytes(bytes, text);
  }

 private:
  absl::string_view text_;
  bool sound_ = true;
};

}  // namespace lockstep::storage::leveldb_coding

#endif  // LOCKSTEP_STORAGE_LEVELDB_CODING_H_
