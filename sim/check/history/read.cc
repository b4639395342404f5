#include "sim/check/history/read.h"

#include <string>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sim/check/history/lines.h"
#include "sim/check/history/read_edn.h"
#include "sim/check/history/read_json.h"
#include "sim/check/history/read_log.h"

namespace lockstep::history {
namespace {

// The format that the line begins, or nothing.
std::optional<Format> Detect(absl::string_view line) {
  if (line.front() == '{') {
    const size_t next = line.find_first_not_of(" \t,", 1);
    const char first = next == absl::string_view::npos ? '\0' : line[next];
    return first == ':' || first == '#' || first == ';' ? Format::kEdn : Format::kJson;
  }
  if (line.front() == '#') return Format::kEdn;
  if (absl::StrContains(line, "INFO")) return Format::kJepsenLog;
  return std::nullopt;
}

// Reasons quote the file, which may hold anything.
constexpr size_t kReasonBytesMax = 1000;
std::string OneLine(absl::string_view reason) {
  std::string line;
  for (const char c : reason) {
    if (line.size() >= kReasonBytesMax) return line + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_iscntrl(byte)) {
      absl::StrAppend(&line, "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else {
      line.push_back(c);
    }
  }
  return line;
}

ReadResult Read(const Bytes& text, const ReadOptions& options) {
  LineReader lines(text.view());
  absl::string_view line;
  bool found = lines.Next(&line);
  while (found && line.front() == ';') found = lines.Next(&line);  // comments of EDN
  if (!found) return ReadError{0, "no operations: the file is empty"};
  const std::optional<Format> format = options.format.has_value() ? options.format : Detect(line);
  if (!format.has_value()) {
    return ReadError{lines.number(),
                     "neither JSON ({\"...), nor EDN ({:...), nor a Jepsen log (INFO ...): "
                     "--format says which it is meant to be"};
  }
  switch (*format) {
    case Format::kJson:
      return ReadJson(text, options.model);
    case Format::kEdn:
      return ReadEdn(text, options.model);
    case Format::kJepsenLog:
      break;
  }
  if (options.model == Model::kKv)
    return ReadError{0, "a Jepsen log holds operations of a register, not of a kv store"};
  return ReadJepsenLog(text);
}

}  // namespace

ReadResult ReadHistory(const Bytes& text, const ReadOptions& options) {
  ReadResult result = Read(text, options);
  if (auto* error = std::get_if<ReadError>(&result)) error->reason = OneLine(error->reason);
  return result;
}

}  // namespace lockstep::history
