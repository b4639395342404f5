#include "bin/lockstep_pair_lines.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/lockstep_text.h"

namespace lockstep::bin {

using nlohmann::ordered_json;

std::string LineOf(const v1::Pair& pair, PairLines form) {
  if (form == PairLines::kTsv)
    return absl::StrCat(Escaped(pair.key()), "\t", Escaped(pair.value()));
  ordered_json json;
  SetBytes(json, "key", pair.key(), Encoding::kBase64);
  SetBytes(json, "value", pair.value(), Encoding::kBase64);
  return Line(json);
}

absl::StatusOr<v1::Pair> PairOf(const std::string& line, PairLines form) {
  absl::StatusOr<std::string> key;
  absl::StatusOr<std::string> value;
  if (form == PairLines::kTsv) {
    const size_t tab = line.find('\t');
    if (tab == line.npos) return absl::InvalidArgumentError("has no tab between key and value");
    key = Unescaped(absl::string_view(line).substr(0, tab));
    value = Unescaped(absl::string_view(line).substr(tab + 1));
  } else {
    const ordered_json json = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return absl::InvalidArgumentError("is no JSON object");
    key = GetBytes(json, "key");
    value = GetBytes(json, "value");
  }
  if (!key.ok()) return key.status();
  if (!value.ok()) return value.status();
  v1::Pair pair;
  pair.set_key(*std::move(key));
  pair.set_value(*std::move(value));
  return pair;
}

}  // namespace lockstep::bin
