// The format is that of LevelDB's logs (leveldb/doc/log_format.md): blocks of 32 KiB, in them
// fragments with a header of 4 bytes masked CRC-32C of type and payload, 2 bytes length and 1 byte
// type; the last bytes of a block that cannot hold a header are zeros.
#include "storage/leveldb_manifest.h"

#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "core/base/crc32c.h"
#include "storage/leveldb_coding.h"
#include "storage/leveldb_table_check.h"

namespace lockstep::storage {
namespace {

constexpr uint64_t kBlockBytes = 32768;
constexpr uint64_t kHeaderBytes = 7;

enum class Fragment : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

uint32_t Byte(absl::string_view text, uint64_t at) { return static_cast<uint8_t>(text[at]); }

struct Sound {
  Fragment type;
  uint64_t end;
};

// The fragment that begins at `at`, if it is whole and its checksum holds.
std::optional<Sound> SoundFragment(absl::string_view text, uint64_t at) {
  if (at + kHeaderBytes > text.size()) return std::nullopt;
  const uint64_t length = Byte(text, at + 4) | Byte(text, at + 5) << 8;
  const uint32_t type = Byte(text, at + 6);
  const uint64_t end = at + kHeaderBytes + length;
  if (type < 1 || type > 4 || end > text.size()) return std::nullopt;
  if (end > (at / kBlockBytes + 1) * kBlockBytes) return std::nullopt;
  const uint32_t stored = Byte(text, at) | Byte(text, at + 1) << 8 | Byte(text, at + 2) << 16 |
                          Byte(text, at + 3) << 24;
  if (stored != leveldb_coding::Masked(Crc32c(text.substr(at + 6, 1 + length)))) {
    return std::nullopt;
  }
  return Sound{static_cast<Fragment>(type), end};
}

// The end of the sound records that the text begins with. `record` hears of each, until it returns
// false: that one does not count.
uint64_t EndOfSoundRecords(absl::string_view text,
                           absl::FunctionRef<bool(absl::string_view record)> record) {
  uint64_t sound_end = 0;
  bool inside = false;  // Between a first and a last fragment.
  std::string assembled;
  for (uint64_t at = 0;;) {
    const uint64_t left = kBlockBytes - at % kBlockBytes;
    if (left < kHeaderBytes) at += left;
    const std::optional<Sound> fragment = SoundFragment(text, at);
    if (!fragment.has_value()) return sound_end;
    const bool begins = fragment->type == Fragment::kFull || fragment->type == Fragment::kFirst;
    if (begins == inside) return sound_end;  // No such sequence was ever written.
    if (begins) assembled.clear();
    const absl::string_view payload =
        text.substr(at + kHeaderBytes, fragment->end - at - kHeaderBytes);
    assembled.append(payload.data(), payload.size());
    at = fragment->end;
    inside = fragment->type == Fragment::kFirst || fragment->type == Fragment::kMiddle;
    if (inside) continue;
    if (!record(assembled)) return sound_end;
    sound_end = at;
  }
}

// A VersionEdit (LevelDB's db/version_edit.cc). False: it makes no sense.
bool ApplyEdit(absl::string_view edit, ManifestContent* content) {
  enum Tag : uint64_t {
    kComparator = 1,
    kLogNumber = 2,
    kNextFile = 3,
    kLastSequence = 4,
    kCompactPointer = 5,
    kDeletedFile = 6,
    kNewFile = 7,
    kPreviousLogNumber = 9,
  };
  leveldb_coding::Reader reader(edit);
  uint64_t tag = 0;
  uint64_t number = 0;
  uint64_t level = 0;
  absl::string_view text;
  while (reader.Varint(&tag)) {
    switch (tag) {
      case kComparator:
        if (!reader.Text(&text) || text != "leveldb.BytewiseComparator") return false;
        break;
      case kLogNumber:
      case kNextFile:
      case kPreviousLogNumber:
        if (!reader.Varint(&number)) return false;
        content->has_log_number |= tag == kLogNumber;
        content->has_next_file |= tag == kNextFile;
        break;
      case kLastSequence:
        if (!reader.Varint(&content->last_sequence)) return false;
        content->has_last_sequence = true;
        break;
      case kCompactPointer:
        if (!reader.Varint(&level) || !reader.Text(&text)) return false;
        break;
      case kDeletedFile:
        if (!reader.Varint(&level) || !reader.Varint(&number)) return false;
        content->tables.erase(number);
        break;
      case kNewFile: {
        ManifestContent::Table table;
        absl::string_view largest;
        if (!reader.Varint(&level) || !reader.Varint(&number) || !reader.Varint(&table.bytes) ||
            !reader.Text(&text) || !reader.Text(&largest) || !IsInternalKey(text) ||
            !IsInternalKey(largest)) {
          return false;
        }
        table.level = static_cast<int>(level);
        table.smallest.assign(text.data(), text.size());
        table.largest.assign(largest.data(), largest.size());
        content->tables[number] = std::move(table);
        break;
      }
      default:
        return false;
    }
  }
  return reader.AtEnd();
}

bool AnyRecord(absl::string_view) { return true; }

}  // namespace

uint64_t ManifestBytesToRead(absl::string_view manifest) {
  const uint64_t sound_end = EndOfSoundRecords(manifest, AnyRecord);
  // One write is one record, so its remains may hold one beginning at their very start, and no
  // other. The bad part may hide where fragments begin: try every place.
  for (uint64_t at = sound_end + 1; at + kHeaderBytes <= manifest.size(); ++at) {
    const uint32_t type = Byte(manifest, at + 6);
    if (type != 1 && type != 2) continue;
    // A write that begins in the last bytes of a block goes on in the next one.
    if (sound_end % kBlockBytes > kBlockBytes - kHeaderBytes &&
        at == (sound_end / kBlockBytes + 1) * kBlockBytes) {
      continue;
    }
    if (SoundFragment(manifest, at).has_value()) return manifest.size();
  }
  return sound_end;
}

ManifestContent ReadManifest(absl::string_view manifest) {
  ManifestContent content;
  bool sensible = true;
  content.sound_bytes = EndOfSoundRecords(manifest, [&](absl::string_view edit) {
    sensible = ApplyEdit(edit, &content);
    return sensible;
  });
  if (!sensible) {
    content.what = "a record makes no sense";
  } else if (content.sound_bytes < manifest.size()) {
    // CURRENT names a MANIFEST only when the records are durable that it begins with.
    content.torn = content.begun() && ManifestBytesToRead(manifest) == content.sound_bytes;
    content.what = "a record fails its checksum";
  } else if (content.sound_bytes == 0) {
    content.what = "it is empty";
  } else if (!content.begun()) {
    content.what = "it ends before it has said what every list says first";
  }
  return content;
}

}  // namespace lockstep::storage
