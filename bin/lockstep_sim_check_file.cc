#include "bin/lockstep_sim_check_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bin/lockstep_sim_options.h"
#include "sim/check/history/describe.h"
#include "sim/check/history/page.h"
#include "sim/check/history/read.h"

namespace lockstep::bin {
namespace {

using history::Recorded;
using linearizability::Counterexample;
using linearizability::Report;
using linearizability::Verdict;
using Json = nlohmann::ordered_json;

constexpr size_t kListedOperationsMax = 1000;  // in a report for machines

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Text(absl::string_view text) { return std::string(text.data(), text.size()); }

// Reads to the end of what `fd` has, in a buffer of its size if that is known. False: see errno.
bool ReadAll(int fd, Bytes* text) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return false;
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return false;
  }
  constexpr size_t kChunk = size_t{1} << 20;
  std::string unsized;
  bool good = true;
  size_t got = 0;
  const auto fill = [&](char* to, size_t size) {
    while (got < size) {
      const ssize_t count = read(fd, to + got, size - got);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) good = false;
      if (count <= 0) return false;
      got += static_cast<size_t>(count);
    }
    return true;
  };
  if (S_ISREG(status.st_mode)) {
    const size_t size = static_cast<size_t>(status.st_size);
    *text = Bytes::Make(size, [&](char* to) { fill(to, size); }).Slice(0, got);
    return good;
  }
  do {
    unsized.resize(unsized.size() + kChunk);
  } while (fill(unsized.data(), unsized.size()));
  unsized.resize(got);
  *text = Bytes::Copy(unsized);
  return good;
}

bool ReadFile(const std::string& file, Bytes* text) {
  if (file == "-") return ReadAll(STDIN_FILENO, text);
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool good = ReadAll(fd, text);
  const int error = errno;
  close(fd);
  errno = error;
  return good;
}

std::string DisplayName(const std::string& file) { return file == "-" ? "stdin" : file; }

FileReport Unreadable(const std::string& file, const history::ReadError& error) {
  FileReport report;
  report.exit_code = kExitUsage;
  const std::string where = DisplayName(file);
  report.line = error.line == 0 ? absl::StrCat(where, ": ", error.reason)
                                : absl::StrCat(where, ":", error.line, ": ", error.reason);
  report.json = Dump({{"file", file},
                      {"verdict", "unreadable"},
                      {"exit_code", report.exit_code},
                      {"line", error.line},
                      {"reason", error.reason}});
  return report;
}

Json OperationJson(const Recorded& recorded, size_t place) {
  const linearizability::Operation& operation = recorded.history.operations[place];
  const history::Lines& lines = recorded.lines[place];
  Json json = {{"line", lines.invoked},
               {"process", operation.process},
               {"call", linearizability::DescribeCall(operation)},
               {"start", operation.invoked.time_since_epoch().count()}};
  json["end"] = operation.open() ? Json() : Json(operation.returned.time_since_epoch().count());
  json["end_line"] = lines.returned == 0 ? Json() : Json(lines.returned);
  return json;
}

Json OperationsJson(const Recorded& recorded, const std::vector<size_t>& places) {
  Json list = Json::array();
  for (size_t i = 0; i < places.size() && i < kListedOperationsMax; ++i)
    list.push_back(OperationJson(recorded, places[i]));
  return list;
}

Json ViolationJson(const Recorded& recorded, const Counterexample& example) {
  Json json = {{"key", Text(example.key.view())},
               {"key_operations", example.key_operations},
               {"reason", example.reason},
               {"unplaced", OperationJson(recorded, example.unplaced)}};
  if (example.blocking.has_value()) {
    json["blocking"] = {OperationJson(recorded, example.blocking->first),
                        OperationJson(recorded, example.blocking->second)};
  }
  json["operations"] = OperationsJson(recorded, example.operations);
  json["order_before"] = OperationsJson(recorded, example.prefix);
  if (example.longest) {
    json["longest_prefix"] = {{"ends_before_line", recorded.lines[example.unplaced].returned},
                              {"operations", example.key_prefix.size()}};
  }
  return json;
}

Json HistoryJson(const std::string& file, const Recorded& recorded, const Report& report) {
  Json algorithms = Json::object();
  for (size_t i = 0; i < linearizability::kAlgorithms; ++i) {
    if (report.decided[i] == 0) continue;
    algorithms[Text(Name(static_cast<linearizability::Algorithm>(i)))] = report.decided[i];
  }
  Json json = {{"file", file},
               {"verdict", Text(Name(report.verdict))},
               {"exit_code", 0},
               {"format", Text(Name(recorded.format))},
               {"model", Text(Name(recorded.model))},
               {"operations", recorded.history.operations.size()},
               {"dropped", recorded.dropped},
               {"keys", report.keys},
               {"keys_by_algorithm", algorithms},
               {"steps", report.steps}};
  if (report.counterexample.has_value())
    json["violation"] = ViolationJson(recorded, *report.counterexample);
  for (const Bytes& key : report.undecided) json["undecided_keys"].push_back(Text(key.view()));
  return json;
}

int ExitCodeOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kLinearizable:
      return kExitPassed;
    case Verdict::kViolation:
      return kExitSafety;
    case Verdict::kUndecided:
      break;
  }
  return kExitUndecided;
}

// Empty, or why it cannot be written.
std::string WriteFile(const std::string& path, const std::string& text) {
  FILE* const file = fopen(path.c_str(), "w");
  if (file == nullptr) return strerror(errno);
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  return whole && closed ? "" : strerror(errno);
}

}  // namespace

FileReport CheckFile(const std::string& file, const CheckOptions& options, Page page,
                     const std::string& html) {
  const int64_t begin_ns = NowNs();
  Bytes text;
  if (!ReadFile(file, &text))
    return Unreadable(file, {0, absl::StrCat("cannot be read: ", strerror(errno))});
  const history::ReadResult result = ReadHistory(text, options.read);
  if (const auto* error = std::get_if<history::ReadError>(&result)) return Unreadable(file, *error);
  const Recorded& recorded = std::get<Recorded>(result);
  const Report judged = CheckHistory(recorded.history, options.judge);
  const int64_t taken_ns = NowNs() - begin_ns;

  FileReport report;
  report.exit_code = ExitCodeOf(judged.verdict);
  const bool violation = judged.verdict == Verdict::kViolation;
  const double seconds = static_cast<double>(taken_ns) / 1e9;
  report.line = absl::StrCat(DisplayName(file), ": ",
                             violation ? "NOT LINEARIZABLE" : Text(Name(judged.verdict)), ", ",
                             DescribeWork(recorded, judged), ", ",
                             absl::StrFormat("%.*f s", seconds < 1 ? 4 : 2, seconds));
  report.details = DescribeFinding(recorded, judged);
  Json json = HistoryJson(file, recorded, judged);
  json["exit_code"] = report.exit_code;
  json["seconds"] = seconds;
  const bool finding = judged.verdict != Verdict::kLinearizable;
  if (page == Page::kAlways || (page == Page::kOfFindings && finding)) {
    const std::string error =
        WriteFile(html, history::DrawPage(recorded, judged, DisplayName(file)));
    if (!error.empty()) {
      absl::StrAppend(&report.details, "  the page ", html, " cannot be written: ", error, "\n");
      if (report.exit_code == kExitPassed) report.exit_code = kExitUsage;
    } else {
      absl::StrAppend(&report.details, "  drawn in ", html, "\n");
      json["html"] = html;
    }
  }
  report.json = Dump(json);
  return report;
}

FileReport ReportDeath(const std::string& file, const std::string& death) {
  FileReport report;
  report.exit_code = kExitCrash;
  report.line = absl::StrCat(DisplayName(file), ": the checker crashed");
  report.details = absl::StrCat("  ", death, "\n");
  report.json = Dump(
      {{"file", file}, {"verdict", "crashed"}, {"exit_code", report.exit_code}, {"reason", death}});
  return report;
}

std::string EncodeFileReport(const FileReport& report) {
  return Dump({{"exit_code", report.exit_code},
               {"line", report.line},
               {"details", report.details},
               {"json", report.json}});
}

FileReport DecodeFileReport(const std::string& text) {
  const Json json = Json::parse(text);
  return {.exit_code = json.at("exit_code"),
          .line = json.at("line"),
          .details = json.at("details"),
          .json = json.at("json")};
}

}  // namespace lockstep::bin
