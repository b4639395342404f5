// Tests as text: a script is a file of commands with the output that each must have.
//
//   # A comment says which rule the script holds us to, and why.
//   command positional key=value
//   optional lines of input
//   ----
//   the expected output
//
// A blank line ends a case. REWRITE=1 in the environment writes the output found into the file:
// only commit what you can explain. Unknown commands and arguments fail the test, as does an error.
#ifndef LOCKSTEP_TESTS_SUPPORT_DATADRIVEN_H_
#define LOCKSTEP_TESTS_SUPPORT_DATADRIVEN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep::test {

// One command of a script. Accessors note what was asked for; what nobody asked for is an error.
// Words in (), [] or "" belong together. A malformed value is an error of the script: see error().
class Command {
 public:
  Command() = default;
  // `line` is the command line, `input` what stands below it.
  Command(absl::string_view line, std::vector<std::string> input);

  const std::string& name() const { return name_; }
  const std::vector<std::string>& input() const { return input_; }

  // The next word without '=' that was not taken yet; none: there is no more.
  std::optional<std::string> NextWord();
  // Whether NextWord has one.
  bool Peek() const;
  // Takes the word if it is there, anywhere.
  bool Flag(absl::string_view word);
  bool Has(absl::string_view key) const;
  std::optional<std::string> Text(absl::string_view key);
  uint64_t Number(absl::string_view key, uint64_t otherwise);
  // Like "150ms" or "2s".
  Duration Span(absl::string_view key, Duration otherwise);
  LogPosition Position(absl::string_view key, LogPosition otherwise);  // "(term,index)"
  NodeId Node(absl::string_view key) { return NodeId(Number(key, 0)); }
  NodeId NextNode();

  uint64_t ParseNumber(absl::string_view text);
  Duration ParseSpan(absl::string_view text);
  LogPosition ParsePosition(absl::string_view text);

  void Fail(absl::string_view why);
  // What is wrong with the command, including arguments that nobody took; empty: nothing.
  std::string error() const;

 private:
  struct Word {
    std::string key;  // empty: a plain word
    std::string text;
    bool taken = false;
  };
  Word* Find(absl::string_view key);

  std::string name_;
  std::vector<Word> words_;
  std::vector<std::string> input_;
  std::string error_;
};

// Runs the script at `path`. `run` returns a command's output; each line of it is compared.
void RunScript(const std::string& path, const std::function<std::string(Command&)>& run);

// The names (without ".txt") of the scripts in `directory`, sorted.
std::vector<std::string> ScriptsIn(const std::string& directory);

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_DATADRIVEN_H_
