#include "bin/toml.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lockstep::toml {
namespace {

bool IsKeyCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}
bool IsBareCharacter(char c) { return IsKeyCharacter(c) || c == '+' || c == '.'; }

constexpr size_t kKeyBytesMax = 64;  // messages repeat them

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Entry>> Parse() {
    std::vector<Entry> entries;
    std::set<std::string> seen;
    for (SkipBlank(/*lines=*/true); at_ < text_.size(); SkipBlank(/*lines=*/true)) {
      if (text_[at_] == '[') return Error("tables ([name]) are not used here: write key = value");
      absl::StatusOr<Entry> entry = ParseEntry();
      if (!entry.ok()) return entry.status();
      if (!seen.insert(entry->key).second) {
        return Error(absl::StrCat(entry->key, " is there twice"));
      }
      entries.push_back(*std::move(entry));
      SkipBlank(/*lines=*/false);
      if (at_ < text_.size() && text_[at_] != '\n') {
        return Error(absl::StrCat("nothing may follow the value of ", entries.back().key));
      }
    }
    return entries;
  }

 private:
  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(line_, ": ", what));
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // Spaces and comments, and with `lines` the ends of lines too.
  void SkipBlank(bool lines) {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      if (at_ == text_.size()) return;
      if (text_[at_] == '\n') {
        if (!lines) return;
        ++line_;
      } else if (text_[at_] != ' ' && text_[at_] != '\t' && text_[at_] != '\r') {
        return;
      }
    }
  }

  std::string TakeWhile(bool (*belongs)(char)) {
    const size_t begin = at_;
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  absl::StatusOr<Entry> ParseEntry() {
    Entry entry;
    entry.line = line_;
    entry.key = TakeWhile(IsKeyCharacter);
    SkipBlank(/*lines=*/false);
    if (entry.key.empty() || Peek() != '=') return Error("expected key = value");
    if (entry.key.size() > kKeyBytesMax) {
      return Error(
          absl::StrCat(entry.key.substr(0, kKeyBytesMax), "... is no key: it is too long"));
    }
    ++at_;
    SkipBlank(/*lines=*/false);
    if (Peek() != '[') {
      absl::StatusOr<std::string> value = ParseValue(entry.key);
      if (!value.ok()) return value.status();
      entry.values.push_back(*std::move(value));
      return entry;
    }
    ++at_;
    absl::Status status = ParseArray(entry);
    if (!status.ok()) return status;
    return entry;
  }

  absl::Status ParseArray(Entry& entry) {
    for (SkipBlank(/*lines=*/true); Peek() != ']'; SkipBlank(/*lines=*/true)) {
      absl::StatusOr<std::string> value = ParseValue(entry.key);
      if (!value.ok()) return value.status();
      entry.values.push_back(*std::move(value));
      SkipBlank(/*lines=*/true);
      if (Peek() == ',') {
        ++at_;
      } else if (Peek() != ']') {
        return Error(absl::StrCat("expected , or ] in the list of ", entry.key));
      }
    }
    ++at_;
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> ParseValue(const std::string& key) {
    const char quote = Peek();
    if (quote == '"' || quote == '\'') return ParseString(key, quote);
    std::string value = TakeWhile(IsBareCharacter);
    const bool word = value == "true" || value == "false";
    const bool number = !value.empty() && value.find_first_not_of("+-.0123456789_eE") == value.npos;
    if (!word && !number) {
      return Error(absl::StrCat("the value of ", key,
                                " is no number, true or false, and text wants quotes: \"...\""));
    }
    value.erase(std::remove(value.begin(), value.end(), '_'), value.end());
    return value;
  }

  // In "..." a backslash escapes; in '...' everything is what it is.
  absl::StatusOr<std::string> ParseString(const std::string& key, char quote) {
    std::string value;
    for (++at_; Peek() != quote; ++at_) {
      if (at_ >= text_.size() || text_[at_] == '\n') {
        return Error(absl::StrCat("the text of ", key, " has no closing ", std::string(1, quote)));
      }
      if (quote == '\'' || text_[at_] != '\\') {
        value.push_back(text_[at_]);
        continue;
      }
      ++at_;
      static constexpr absl::string_view kEscapes = "\"\\ntr";
      static constexpr absl::string_view kMeanings = "\"\\\n\t\r";
      const size_t escape = Peek() == '\0' ? kEscapes.npos : kEscapes.find(Peek());
      if (escape == kEscapes.npos) return Error(absl::StrCat("an unknown escape in ", key));
      value.push_back(kMeanings[escape]);
    }
    ++at_;
    return value;
  }

  absl::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
};

}  // namespace

absl::StatusOr<std::vector<Entry>> Parse(absl::string_view text) { return Parser(text).Parse(); }

std::string Quote(absl::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace lockstep::toml
