#include "sim/check/linearizability/tokens.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace lockstep::linearizability {

Tokens::Tokens(const Partition& partition) {
  if (!partition.has_appends()) return;  // Nothing is composed.
  const std::vector<Entry>& entries = partition.entries();
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    const bool writes = entry.form == Form::kSet || entry.form == Form::kSwap;
    // A value in the other state begins no observed string, so it cannot mislead us.
    const bool begins = writes && entry.produces != kOther && entry.produces != kMissing;
    if (!begins && entry.form != Form::kAppend) continue;
    tokens_.push_back({partition.argument(entry), i});
  }
  std::sort(tokens_.begin(), tokens_.end(), [](const Token& a, const Token& b) {
    if (a.text != b.text) return a.text < b.text;
    return a.entry < b.entry;
  });
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].text.empty()) distinct_ = false;
    if (i > 0 && absl::StartsWith(tokens_[i].text, tokens_[i - 1].text)) distinct_ = false;
  }
}

std::optional<std::vector<uint32_t>> Tokens::Parse(absl::string_view value) const {
  std::vector<uint32_t> parts;
  while (!value.empty()) {
    auto next =
        std::upper_bound(tokens_.begin(), tokens_.end(), value,
                         [](absl::string_view rest, const Token& t) { return rest < t.text; });
    if (next == tokens_.begin()) return std::nullopt;
    --next;
    if (!absl::StartsWith(value, next->text)) return std::nullopt;
    parts.push_back(next->entry);
    value.remove_prefix(next->text.size());
  }
  return parts;
}

}  // namespace lockstep::linearizability
