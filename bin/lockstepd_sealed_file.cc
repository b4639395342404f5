#include "bin/lockstepd_sealed_file.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "bin/atomic_file.h"
#include "bin/lockstepd_exit.h"
#include "core/base/crc32c.h"

namespace lockstep::lockstepd {
namespace {

using nlohmann::ordered_json;

constexpr size_t kFileBytesMax = size_t{16} << 20;
constexpr const char* kChecksum = "checksum";

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return ExitWith(ExitCode::kDamaged, absl::StrCat(path, " is damaged: ", what));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadSmallFile(path, kFileBytesMax);
  if (text.ok() || absl::IsNotFound(text.status())) return text;
  return ExitWith(ExitCode::kDataDirectory, std::string(text.status().message()));
}

std::string ChecksumOf(absl::string_view text) { return absl::StrFormat("%08x", Crc32c(text)); }

// Ours nest a few levels. What nests without end is nobody's, and would overflow the stack of
// whoever writes or copies it.
ordered_json Parse(absl::string_view text) {
  constexpr int kDepthMax = 16;
  bool deep = false;
  const auto keep = [&](int depth, ordered_json::parse_event_t, const ordered_json&) {
    deep = deep || depth > kDepthMax;
    return depth <= kDepthMax;
  };
  ordered_json json =
      ordered_json::parse(text.begin(), text.end(), keep, /*allow_exceptions=*/false);
  return deep ? ordered_json() : json;
}

// Layout does not count, so that a person may have looked at the file with an editor.
std::string SealedText(const ordered_json& json) {
  ordered_json sealed = json;
  sealed[kChecksum] = ChecksumOf(json.dump());
  return absl::StrCat(sealed.dump(2), "\n");
}

}  // namespace

absl::StatusOr<SealedJson> ReadSealedJson(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  SealedJson found;
  found.json = Parse(*text);
  ordered_json& json = found.json;
  if (!json.is_object() || !json.contains("format") || !json["format"].is_number_unsigned()) {
    return Damaged(path, "it is not what lockstepd has written");
  }
  const auto format = json["format"].get<uint64_t>();
  if (format > kFormatVersion) {
    return ExitWith(ExitCode::kDataDirectory,
                    absl::StrCat(path, " is of format ", format, ", and this build knows up to ",
                                 kFormatVersion, ": run the newer version"));
  }
  found.sealed = json.contains(kChecksum);
  if (found.sealed) {
    const ordered_json checksum = json[kChecksum];
    json.erase(kChecksum);
    if (checksum != ordered_json(ChecksumOf(json.dump()))) {
      return Damaged(path, "it fails its checksum");
    }
  }
  found.exact = found.sealed && *text == SealedText(json);
  return found;
}

absl::Status WriteSealedJson(const std::string& path, const ordered_json& content) {
  ordered_json json;
  json["format"] = kFormatVersion;
  for (const auto& [key, value] : content.items()) json[key] = value;
  return WriteFileAtomically(path, SealedText(json));
}

absl::StatusOr<uint64_t> ReadSealedNumber(const std::string& path, bool* exact) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  const std::vector<std::string> words =
      absl::StrSplit(absl::StripSuffix(*text, "\n"), absl::MaxSplits(' ', 1));
  uint64_t number = 0;
  if (!absl::SimpleAtoi(words[0], &number)) return Damaged(path, "it holds no number");
  // Numbers of the first builds have no checksum. One that is longer than theirs ever were is a
  // number and a checksum between which the space has rotted into a digit.
  constexpr size_t kUnsealedDigitsMax = 9;
  const bool sound =
      words.size() > 1 ? words[1] == ChecksumOf(words[0]) : words[0].size() <= kUnsealedDigitsMax;
  if (!sound) return Damaged(path, "it fails its checksum");
  if (exact != nullptr) *exact = *text == absl::StrCat(number, " ", ChecksumOf(words[0]), "\n");
  return number;
}

absl::Status WriteSealedNumber(const std::string& path, uint64_t number) {
  const std::string digits = absl::StrCat(number);
  return WriteFileAtomically(path, absl::StrCat(digits, " ", ChecksumOf(digits), "\n"));
}

}  // namespace lockstep::lockstepd
