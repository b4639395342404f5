#include "sim/check/history/read_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sim/check/history/builder.h"
#include "sim/check/history/lines.h"

namespace lockstep::history {
namespace {

using linearizability::Kind;
using linearizability::Value;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// Takes the next column, up to white space.
absl::string_view TakeWord(absl::string_view* rest) {
  while (!rest->empty() && IsBlank(rest->front())) rest->remove_prefix(1);
  size_t size = 0;
  while (size < rest->size() && !IsBlank((*rest)[size])) ++size;
  const absl::string_view word = rest->substr(0, size);
  rest->remove_prefix(size);
  return word;
}

bool IsInteger(absl::string_view word) {
  if (!word.empty() && word.front() == '-') word.remove_prefix(1);
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

class LogHistory {
 public:
  explicit LogHistory(const Bytes& text)
      : text_(text),
        builder_(Format::kJepsenLog, Model::kRegister, std::nullopt,
                 OperationLines(text.view()) / 2 + 1) {}

  ReadResult Run() {
    LineReader lines(text_.view());
    absl::string_view line;
    while (lines.Next(&line)) {
      if (Fault fault = ReadLine(line, lines.number())) return ReadError{lines.number(), *fault};
    }
    return builder_.Finish();
  }

 private:
  Fault ReadLine(absl::string_view line, uint32_t number) {
    const size_t info = line.find("INFO");
    absl::string_view rest = line.substr(std::min(info, line.size()));
    if (TakeWord(&rest) != "INFO" || TakeWord(&rest) != "jepsen.util" || TakeWord(&rest) != "-")
      return "not a line of a Jepsen log: INFO  jepsen.util - PROCESS :TYPE :OPERATION VALUE";
    const absl::string_view process = TakeWord(&rest);
    if (process == ":nemesis") return std::nullopt;
    Record record;
    if (!IsInteger(process) || !absl::SimpleAtoi(process, &record.process))
      return process.empty() ? Fault("the line ends before the process: is it cut off?")
                             : absl::StrCat("\"", process, "\" is no process number");
    const absl::string_view type = TakeWord(&rest);
    const absl::string_view function = TakeWord(&rest);
    if (Fault fault = ReadFunction(function, &record)) return fault;
    while (!rest.empty() && IsBlank(rest.front())) rest.remove_prefix(1);
    if (type == ":invoke") {
      if (Fault fault = ReadValue(rest, &record)) return fault;
      if (record.kind == Kind::kGet) record.value = Given();
      return builder_.Invoke(number, std::move(record));
    }
    return ReadCompletion(type, rest, number, std::move(record));
  }

  static Fault ReadFunction(absl::string_view function, Record* record) {
    if (function == ":read") {
      record->kind = Kind::kGet;
    } else if (function == ":write") {
      record->kind = Kind::kPut;
    } else if (function == ":cas") {
      record->kind = Kind::kCompareAndSwap;
    } else if (function.empty()) {
      return "the line ends before the operation: is it cut off?";
    } else {
      return absl::StrCat("unknown operation ", function, "; known are :read, :write, :cas");
    }
    return std::nullopt;
  }

  Fault ReadCompletion(absl::string_view type, absl::string_view rest, uint32_t number,
                       Record record) {
    const bool timed_out = rest == ":timed-out";
    if (timed_out && type == ":ok") return "an operation that timed out is not :ok";
    if (type == ":info" || (timed_out && type == ":fail")) {
      if (rest.empty()) return "the line ends before the value: is it cut off?";
      return builder_.Complete(number, type == ":info" ? End::kInfo : End::kFail,
                               std::move(record));
    }
    End end = End::kOk;
    if (type == ":fail") {
      end = record.kind == Kind::kCompareAndSwap ? End::kMismatch : End::kFail;
    } else if (type != ":ok") {
      return absl::StrCat("unknown type ", type, "; known are :invoke, :ok, :fail, :info");
    }
    if (Fault fault = ReadValue(rest, &record)) return fault;
    if (record.kind == Kind::kGet) {
      if (end == End::kOk) record.result = std::move(record.value);
      record.value = Given();
    }
    return builder_.Complete(number, end, std::move(record));
  }

  // nil, a number, or [expected new] for a cas and only there.
  Fault ReadValue(absl::string_view text, Record* record) const {
    if (text.empty()) return "the line ends before the value: is it cut off?";
    if (record->kind != Kind::kCompareAndSwap) {
      record->value.given = true;
      return ReadScalar(text, &record->value.value);
    }
    const absl::string_view whole = text;
    if (text.front() != '[' || text.back() != ']')
      return absl::StrCat("\"", whole, "\" is not [expected new]");
    text = text.substr(1, text.size() - 2);
    const absl::string_view expected = TakeWord(&text);
    const absl::string_view value = TakeWord(&text);
    if (expected.empty() || value.empty() || !TakeWord(&text).empty())
      return absl::StrCat("\"", whole, "\" is not [expected new]");
    record->expected.given = true;
    if (Fault fault = ReadScalar(expected, &record->expected.value)) return fault;
    record->value.given = true;
    return ReadScalar(value, &record->value.value);
  }

  Fault ReadScalar(absl::string_view word, Value* value) const {
    if (word == "nil") return std::nullopt;
    if (!IsInteger(word)) return absl::StrCat("\"", word, "\" is neither a number nor nil");
    *value = text_.Slice(static_cast<size_t>(word.data() - text_.data()), word.size());
    return std::nullopt;
  }

  const Bytes& text_;
  Builder builder_;
};

}  // namespace

ReadResult ReadJepsenLog(const Bytes& text) { return LogHistory(text).Run(); }

}  // namespace lockstep::history
