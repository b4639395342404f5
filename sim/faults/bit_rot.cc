#include "sim/faults/bit_rot.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "storage/wal_format.h"

namespace lockstep::sim {
namespace {

absl::string_view BaseName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

bool IsLog(absl::string_view path) {
  return storage::wal::ParseSegmentName(BaseName(path)).has_value();
}

// Any byte before this one may rot.
uint64_t LimitOf(const std::string& path, const FileContent& content) {
  if (!content.is_durable()) return 0;
  // What was put aside after an earlier damage is nobody's any more, and a lock has no content.
  if (absl::EndsWith(path, ".damaged") || absl::EndsWith(path, "LOCK")) return 0;
  return content.size();
}

// Whether a frame begins behind `offset`, so that what stands there was a whole commit once.
bool IsFollowed(absl::string_view segment, uint64_t offset) {
  const auto header = storage::wal::DecodeSegmentHeader(segment);
  if (!header.ok()) return false;
  return storage::wal::FindFrame(segment, offset + 1, header->first_batch + 1, header->salt)
      .has_value();
}

}  // namespace

bool LiesThere(const RotSpot& spot, const SimFileSystem& files) {
  const FileContent* content = files.Content(spot.path);
  return content != nullptr && spot.offset < content->size() &&
         content->bytes()[static_cast<size_t>(spot.offset)] == spot.damaged;
}

std::optional<RotSpot> DrawRotSpot(Rng& rng, const SimFileSystem& files) {
  std::vector<std::string> logs;
  std::vector<std::string> others;
  for (const std::string& path : files.Files()) {
    if (LimitOf(path, *files.Content(path)) == 0) continue;
    (IsLog(path) ? logs : others).push_back(path);
  }
  const bool in_log = rng.Chance({3, 4});
  const std::vector<std::string>& among = in_log ? logs : others;
  if (among.empty()) return std::nullopt;
  const uint64_t which = rng.Below(among.size());
  RotSpot spot{.path = among[which]};
  const FileContent& content = *files.Content(spot.path);
  spot.offset = rng.Below(LimitOf(spot.path, content));
  const uint64_t bit = rng.Below(8);
  spot.mask = static_cast<uint8_t>(1u << bit);
  if (in_log && !IsFollowed(content.bytes(), spot.offset)) return std::nullopt;
  return spot;
}

namespace {

// Puts `bytes` there, or as many of them as may be damaged. The spot of the first change, if any.
std::optional<RotSpot> Overwrite(SimFileSystem& files, const RotSpot& at, absl::string_view bytes) {
  const FileContent& content = *files.Content(at.path);
  std::optional<RotSpot> first;
  for (size_t i = 0; i < bytes.size() && at.offset + i < LimitOf(at.path, content); ++i) {
    const uint64_t offset = at.offset + i;
    if (IsLog(at.path) && !IsFollowed(content.bytes(), offset)) break;
    const auto mask = static_cast<uint8_t>(content.bytes()[static_cast<size_t>(offset)] ^ bytes[i]);
    if (mask == 0) continue;
    Check(files.FlipBits(at.path, offset, mask));
    if (!first.has_value()) first = RotSpot{at.path, offset, mask, bytes[i]};
  }
  return first;
}

}  // namespace

std::vector<RotSpot> Misdirect(Rng& rng, SimFileSystem& files) {
  const std::optional<RotSpot> source = DrawRotSpot(rng, files);
  const std::optional<RotSpot> target = DrawRotSpot(rng, files);
  const uint64_t length = rng.Magnitude(1, FileContent::kSectorBytes);
  if (!source.has_value() || !target.has_value()) return {};
  // A node that has lost both copies of its votes is right to refuse.
  const bool both =
      absl::StrContains(source->path, "promises") && absl::StrContains(target->path, "promises");
  if (both || source->path == target->path) return {};
  const std::string bytes =
      files.Content(source->path)
          ->bytes()
          .substr(static_cast<size_t>(source->offset), static_cast<size_t>(length));
  std::vector<RotSpot> spots;
  std::optional<RotSpot> hit = Overwrite(files, *target, bytes);
  if (hit.has_value()) spots.push_back(*std::move(hit));
  hit = Overwrite(files, *source, std::string(bytes.size(), '\0'));
  if (hit.has_value()) spots.push_back(*std::move(hit));
  return spots;
}

}  // namespace lockstep::sim
