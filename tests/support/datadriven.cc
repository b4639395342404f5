#include "tests/support/datadriven.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace lockstep::test {
namespace {

// Splits at spaces outside of brackets and quotes. "" is an empty word.
std::vector<std::string> Words(absl::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  bool quoted = false;
  int depth = 0;
  const auto finish = [&] {
    if (begun) words.push_back(std::move(word));
    word.clear();
    begun = false;
  };
  for (const char c : line) {
    if (c == ' ' && depth == 0 && !quoted) {
      finish();
      continue;
    }
    begun = true;
    if (c == '"') quoted = !quoted;
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c != '"') word.push_back(c);
  }
  finish();
  return words;
}

struct Case {
  std::vector<std::string> above;  // comments and blank lines before it
  std::string command;
  size_t line = 0;  // of the command, from 1
  std::vector<std::string> input;
  std::vector<std::string> output;
  size_t output_line = 0;  // where the output begins
};

struct Script {
  std::vector<Case> cases;
  std::vector<std::string> tail;  // comments after the last case
};

Script Parse(const std::vector<std::string>& lines, const std::string& path) {
  Script script;
  std::vector<std::string> above;
  size_t i = 0;
  while (i < lines.size()) {
    if (lines[i].empty() || lines[i][0] == '#') {
      above.push_back(lines[i++]);
      continue;
    }
    Case one;
    one.above = std::exchange(above, {});
    one.command = lines[i];
    one.line = i + 1;
    for (++i; i < lines.size() && lines[i] != "----" && !lines[i].empty(); ++i)
      one.input.push_back(lines[i]);
    if (i == lines.size() || lines[i].empty())
      ADD_FAILURE_AT(path.c_str(), static_cast<int>(one.line)) << "a command without ----";
    one.output_line = ++i;
    for (; i < lines.size() && !lines[i].empty(); ++i) one.output.push_back(lines[i]);
    script.cases.push_back(std::move(one));
  }
  script.tail = std::move(above);
  while (!script.tail.empty() && script.tail.back().empty()) script.tail.pop_back();
  return script;
}

std::vector<std::string> ReadLines(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> OutputLines(absl::string_view output) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

void Write(const std::string& path, const Script& script) {
  std::ofstream file(path);
  for (const Case& one : script.cases) {
    for (const std::string& line : one.above) file << line << "\n";
    file << one.command << "\n";
    for (const std::string& line : one.input) file << line << "\n";
    file << "----\n";
    for (const std::string& line : one.output) file << line << "\n";
  }
  for (const std::string& line : script.tail) file << line << "\n";
}

void Compare(const Case& one, const std::vector<std::string>& found, const std::string& path) {
  if (one.output == found) return;
  const auto [want, got] =
      std::mismatch(one.output.begin(), one.output.end(), found.begin(), found.end());
  const auto offset = static_cast<size_t>(want - one.output.begin());
  ADD_FAILURE_AT(path.c_str(), static_cast<int>(one.output_line + offset + 1))
      << one.command << "\nwant: " << (want == one.output.end() ? "nothing more" : *want)
      << "\ngot:  " << (got == found.end() ? "nothing more" : *got) << "\nthe whole output:\n"
      << absl::StrJoin(found, "\n");
}

}  // namespace

Command::Command(absl::string_view line, std::vector<std::string> input)
    : input_(std::move(input)) {
  for (std::string& word : Words(line)) {
    if (name_.empty()) {
      name_ = std::move(word);
      continue;
    }
    // Only a plain key makes a pair: an entry may hold any text between its brackets.
    const bool entry = absl::StartsWith(word, "[");
    const size_t equals = entry ? std::string::npos : word.find('=');
    if (equals == std::string::npos) {
      words_.push_back({"", std::move(word)});
    } else {
      words_.push_back({word.substr(0, equals), word.substr(equals + 1)});
    }
  }
}

Command::Word* Command::Find(absl::string_view key) {
  for (Word& word : words_) {
    if (!word.key.empty() && word.key == key) return &word;
  }
  return nullptr;
}

std::optional<std::string> Command::NextWord() {
  for (Word& word : words_) {
    if (!word.key.empty() || word.taken) continue;
    word.taken = true;
    return word.text;
  }
  return std::nullopt;
}

bool Command::Peek() const {
  return std::any_of(words_.begin(), words_.end(),
                     [](const Word& word) { return word.key.empty() && !word.taken; });
}

bool Command::Flag(absl::string_view flag) {
  for (Word& word : words_) {
    if (!word.key.empty() || word.taken || word.text != flag) continue;
    return word.taken = true;
  }
  return false;
}

bool Command::Has(absl::string_view key) const {
  return const_cast<Command*>(this)->Find(key) != nullptr;
}

std::optional<std::string> Command::Text(absl::string_view key) {
  Word* word = Find(key);
  if (word == nullptr) return std::nullopt;
  word->taken = true;
  return word->text;
}

uint64_t Command::Number(absl::string_view key, uint64_t otherwise) {
  const std::optional<std::string> text = Text(key);
  return text.has_value() ? ParseNumber(*text) : otherwise;
}

Duration Command::Span(absl::string_view key, Duration otherwise) {
  const std::optional<std::string> text = Text(key);
  return text.has_value() ? ParseSpan(*text) : otherwise;
}

LogPosition Command::Position(absl::string_view key, LogPosition otherwise) {
  const std::optional<std::string> text = Text(key);
  return text.has_value() ? ParsePosition(*text) : otherwise;
}

NodeId Command::NextNode() {
  const std::optional<std::string> word = NextWord();
  if (!word.has_value()) Fail("needs a node");
  return word.has_value() ? NodeId(ParseNumber(*word)) : NodeId();
}

uint64_t Command::ParseNumber(absl::string_view text) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) Fail(absl::StrCat("\"", text, "\" is no number"));
  return number;
}

Duration Command::ParseSpan(absl::string_view text) {
  if (absl::ConsumeSuffix(&text, "us"))
    return std::chrono::microseconds(static_cast<int64_t>(ParseNumber(text)));
  if (absl::ConsumeSuffix(&text, "ms"))
    return std::chrono::milliseconds(static_cast<int64_t>(ParseNumber(text)));
  if (absl::ConsumeSuffix(&text, "s"))
    return std::chrono::seconds(static_cast<int64_t>(ParseNumber(text)));
  Fail(absl::StrCat("\"", text, "\" is no time: write 150ms or 2s"));
  return Duration(0);
}

LogPosition Command::ParsePosition(absl::string_view text) {
  const bool brackets = absl::ConsumePrefix(&text, "(") && absl::ConsumeSuffix(&text, ")");
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  if (!brackets || parts.size() != 2) {
    Fail(absl::StrCat("\"", text, "\" is no position: write (term,index)"));
    return LogPosition{};
  }
  return LogPosition{Index(ParseNumber(parts[1])), Term(ParseNumber(parts[0]))};
}

void Command::Fail(absl::string_view why) {
  if (error_.empty()) error_ = std::string(why);
}

std::string Command::error() const {
  if (!error_.empty()) return error_;
  for (const Word& word : words_) {
    if (!word.taken)
      return absl::StrCat("unknown argument ", word.key, word.key.empty() ? "" : "=", word.text);
  }
  return "";
}

void RunScript(const std::string& path, const std::function<std::string(Command&)>& run) {
  Script script = Parse(ReadLines(path), path);
  const bool rewrite = std::getenv("REWRITE") != nullptr;
  for (Case& one : script.cases) {
    Command command(one.command, one.input);
    std::vector<std::string> found = OutputLines(run(command));
    const std::string error = command.error();
    if (!error.empty()) {
      ADD_FAILURE_AT(path.c_str(), static_cast<int>(one.line)) << one.command << ": " << error;
    }
    if (rewrite) {
      one.output = std::move(found);
    } else {
      Compare(one, found, path);
    }
    if (testing::Test::HasFatalFailure()) return;
  }
  if (rewrite) Write(path, script);
}

std::vector<std::string> ScriptsIn(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace lockstep::test
