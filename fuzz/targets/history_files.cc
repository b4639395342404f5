// The files that `lockstep-sim check` reads, in all their formats. Any text gives a history that
// can be judged, or the line that is wrong and one sentence why; and a history that was read is
// written as JSON lines that read back the same.
#include <algorithm>
#include <string>
#include <variant>

#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "fuzz/support/one_line.h"
#include "sim/check/history/describe.h"
#include "sim/check/history/page_data.h"
#include "sim/check/history/read.h"
#include "sim/check/history/write_json.h"
#include "sim/check/linearizability/checker.h"

namespace lockstep::fuzz {
namespace {

using history::Format;
using history::Model;
using history::ReadOptions;
using history::ReadResult;
using history::Recorded;
using linearizability::Operation;

constexpr size_t kJudgedMax = 12;  // operations: how a checker searches is not what is looked for

uint64_t LinesOf(absl::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

bool Same(const Operation& a, const Operation& b) {
  return a.process == b.process && a.kind == b.kind && a.key == b.key && a.value == b.value &&
         a.expected == b.expected && a.outcome == b.outcome && a.result == b.result &&
         a.result_known == b.result_known && a.invoked == b.invoked &&
         (a.open() || a.returned == b.returned);
}

void CheckLines(const Recorded& recorded, absl::string_view text) {
  CheckEq(recorded.lines.size(), recorded.history.operations.size());
  for (const history::Lines& lines : recorded.lines) {
    CheckLe(1u, lines.invoked);
    CheckLe(uint64_t{lines.invoked}, LinesOf(text));
    CheckLe(uint64_t{lines.returned}, LinesOf(text));
    if (lines.returned != 0) CheckLe(lines.invoked, lines.returned);
  }
}

void CheckWritten(const Recorded& recorded) {
  const std::string text = history::WriteJson(recorded.history, recorded.model);
  const ReadResult result = history::ReadHistory(Bytes::Copy(text));
  Check(std::holds_alternative<Recorded>(result));
  const Recorded& again = std::get<Recorded>(result);
  Check(again.model == recorded.model);
  Check(again.history.initial == recorded.history.initial);
  CheckEq(again.history.operations.size(), recorded.history.operations.size());
  for (size_t i = 0; i < again.history.operations.size(); ++i) {
    Check(Same(again.history.operations[i], recorded.history.operations[i]));
  }
  Check(history::WriteJson(again.history, again.model) == text);
}

// A small history is judged, too, and what is told of it is printable.
void CheckTold(const Recorded& recorded) {
  for (size_t i = 0; i < recorded.history.operations.size(); ++i) {
    CheckOneLine(history::DescribeOperation(recorded, i));
  }
  if (recorded.history.operations.size() > kJudgedMax) return;
  linearizability::Options options;
  options.steps_max = 20'000;
  options.shrink_steps_max = 20'000;
  options.memory_bytes_max = uint64_t{16} << 20;
  const linearizability::Report report = linearizability::CheckHistory(recorded.history, options);
  const std::string finding = history::DescribeFinding(recorded, report);
  Check(std::all_of(finding.begin(), finding.end(), [](char c) {
    return c == '\n' || !absl::ascii_iscntrl(static_cast<unsigned char>(c));
  }));
  const std::string data = history::PageData(recorded, report, "title");
  Check(std::all_of(data.begin(), data.end(),
                    [](char c) { return c >= '\t' && c < 0x7F && c != '<'; }));
}

void CheckHistoryFile(absl::string_view text, const ReadOptions& options) {
  const Bytes bytes = Bytes::Copy(text);
  const ReadResult result = history::ReadHistory(bytes, options);
  if (const auto* error = std::get_if<history::ReadError>(&result); error != nullptr) {
    CheckOneLine(error->reason);
    return CheckLe(error->line, LinesOf(text));
  }
  const Recorded& recorded = std::get<Recorded>(result);
  Check(linearizability::Validate(recorded.history).ok());
  if (options.format.has_value()) Check(recorded.format == *options.format);
  if (options.model.has_value()) Check(recorded.model == *options.model);
  CheckLe(recorded.history.operations.size() + recorded.dropped, LinesOf(text));
  CheckLines(recorded, text);
  CheckWritten(recorded);
  CheckTold(recorded);
}

void RunHistoryFiles(Input input) {
  ReadOptions options;
  const uint64_t format = input.Below(8);
  if (format < 3) options.format = static_cast<Format>(format);
  const uint64_t model = input.Below(6);
  if (model < 2) options.model = static_cast<Model>(model);
  CheckHistoryFile(input.rest(), options);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunHistoryFiles(lockstep::fuzz::Input(data, size));
  return 0;
}
