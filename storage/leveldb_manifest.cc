// The format is that of LevelDB's logs (leveldb/doc/log_format.md): blocks of 32 KiB, in them
// fragments with a header of 4 bytes masked CRC-32C of type and payload, 2 bytes length and 1 byte
// type; the last bytes of a block that cannot hold a header are zeros.
#include "storage/leveldb_manifest.h"

#include <optional>

#include "core/base/crc32c.h"

namespace lockstep::storage {
namespace {

constexpr uint64_t kBlockBytes = 32768;
constexpr uint64_t kHeaderBytes = 7;

enum class Fragment : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

uint32_t Byte(absl::string_view text, uint64_t at) { return static_cast<uint8_t>(text[at]); }

uint32_t Masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u; }

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
  if (stored != Masked(Crc32c(text.substr(at + 6, 1 + length)))) return std::nullopt;
  return Sound{static_cast<Fragment>(type), end};
}

// The end of the sound records that the text begins with.
uint64_t EndOfSoundRecords(absl::string_view text) {
  uint64_t sound_end = 0;
  bool inside = false;  // Between a first and a last fragment.
  for (uint64_t at = 0;;) {
    const uint64_t left = kBlockBytes - at % kBlockBytes;
    if (left < kHeaderBytes) at += left;
    const std::optional<Sound> fragment = SoundFragment(text, at);
    if (!fragment.has_value()) return sound_end;
    const bool begins = fragment->type == Fragment::kFull || fragment->type == Fragment::kFirst;
    if (begins == inside) return sound_end;  // No such sequence was ever written.
    at = fragment->end;
    inside = fragment->type == Fragment::kFirst || fragment->type == Fragment::kMiddle;
    if (!inside) sound_end = at;
  }
}

}  // namespace

uint64_t ManifestBytesToRead(absl::string_view manifest) {
  const uint64_t sound_end = EndOfSoundRecords(manifest);
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

}  // namespace lockstep::storage
