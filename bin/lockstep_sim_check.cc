#include "bin/lockstep_sim_check.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/lockstep_sim_batch.h"
#include "bin/lockstep_sim_check_file.h"
#include "bin/lockstep_sim_workers.h"

namespace lockstep::bin {
namespace {

// Set by SIGINT and SIGTERM; a signal handler can reach nothing else.
volatile sig_atomic_t interrupted = 0;

void OnSignal(int) { interrupted = 1; }

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// A violation must not be masked by anything, nor what is unreadable by what is undecided.
constexpr int kWorstFirst[] = {kExitSafety, kExitCrash, kExitUsage, kExitUndecided, kExitPassed};

// The reports in the order of the command line, as soon as that order allows.
class CheckBatch {
 public:
  CheckBatch(const CheckOptions& options, FILE* people)
      : options_(options), people_(people), json_(options.files.size()) {}

  void Add(size_t place, FileReport report) {
    ++counts_[report.exit_code];
    ++done_;
    waiting_[place] = std::move(report);
  }
  bool ready() const { return waiting_.contains(next_); }
  void PrintReady() {
    for (auto at = waiting_.find(next_); at != waiting_.end(); at = waiting_.find(++next_)) {
      Print(at->first, at->second);
      waiting_.erase(at);
    }
  }
  // Stopped early: what is done counts.
  void PrintRest() {
    for (const auto& [place, report] : waiting_) Print(place, report);
    waiting_.clear();
  }

  int exit_code() const {
    if (done_ < options_.files.size()) return kExitInterrupted;
    return *std::find_if(std::begin(kWorstFirst), std::end(kWorstFirst),
                         [this](int code) { return counts_.contains(code); });
  }
  size_t count(int code) const {
    const auto found = counts_.find(code);
    return found == counts_.end() ? 0 : found->second;
  }
  std::string LiveLine() const {
    return absl::StrCat(done_, "/", options_.files.size(), " files  ", count(kExitSafety),
                        " not linearizable  ", count(kExitUndecided), " undecided  ",
                        count(kExitUsage), " unreadable");
  }
  void PrintSummary() const {
    if (options_.files.size() == 1) return;
    std::fprintf(people_, "%zu of %zu files: %zu linearizable, %zu not, %zu undecided, %zu %s",
                 done_, options_.files.size(), count(kExitPassed), count(kExitSafety),
                 count(kExitUndecided), count(kExitUsage), "unreadable");
    if (count(kExitCrash) > 0) std::fprintf(people_, ", %zu crashed", count(kExitCrash));
    std::fprintf(people_, "\n");
  }
  std::string Json() const {
    std::string text = absl::StrCat("{\"exit_code\":", exit_code(), ",\"files\":[");
    absl::string_view before = "\n";
    for (const std::string& file : json_) {
      if (file.empty()) continue;
      absl::StrAppend(&text, before, file);
      before = ",\n";
    }
    return text + "\n]}\n";
  }

 private:
  void Print(size_t place, const FileReport& report) {
    json_[place] = report.json;
    if (options_.quiet && report.exit_code == kExitPassed) return;
    std::fprintf(people_, "%s\n%s", report.line.c_str(), report.details.c_str());
    std::fflush(people_);
  }

  const CheckOptions& options_;
  FILE* const people_;
  std::vector<std::string> json_;  // by place; empty: not done
  std::map<size_t, FileReport> waiting_;
  std::map<int, size_t> counts_;  // by exit code
  size_t next_ = 0;
  size_t done_ = 0;
};

// Where the page of each file goes: to PATH itself, or into the directory PATH under the file's own
// name, with a number if that is taken.
std::vector<std::string> PagePaths(const CheckOptions& options) {
  std::vector<std::string> paths;
  if (!options.html.has_value()) return std::vector<std::string>(options.files.size());
  if (options.files.size() == 1) return {*options.html};
  std::set<std::string> taken;
  for (const std::string& file : options.files) {
    const std::string base = file == "-" ? "stdin" : file.substr(file.find_last_of('/') + 1);
    std::string name = base;
    for (int number = 2; !taken.insert(name).second; ++number)
      name = absl::StrCat(base, "-", number);
    paths.push_back(absl::StrCat(*options.html, "/", name, ".html"));
  }
  return paths;
}

// Before the first file: hours later is too late to learn of a typing error.
bool MakePageDirectory(const CheckOptions& options) {
  if (!options.html.has_value() || options.files.size() == 1) return true;
  if (mkdir(options.html->c_str(), 0777) == 0) return true;
  struct stat status{};
  if (errno == EEXIST && stat(options.html->c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    return true;
  std::fprintf(stderr, "lockstep-sim: --html: with several files %s must be a directory: %s\n",
               options.html->c_str(), strerror(errno));
  return false;
}

}  // namespace

int CheckFiles(const CheckOptions& options) {
  FILE* json = nullptr;
  if (options.json.has_value()) {
    json = *options.json == "-" ? stdout : fopen(options.json->c_str(), "w");
    if (json == nullptr) {
      std::fprintf(stderr, "lockstep-sim: --json: cannot write %s: %s\n", options.json->c_str(),
                   strerror(errno));
      return kExitUsage;
    }
  }
  if (!MakePageDirectory(options)) return kExitUsage;
  struct sigaction action{};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);  // A worker that died while we wrote to it is found out by poll.

  CheckBatch batch(options, json == stdout ? stderr : stdout);
  LiveDisplay live;
  const std::vector<std::string> pages = PagePaths(options);
  const Page page = !options.html.has_value()   ? Page::kNever
                    : options.files.size() == 1 ? Page::kAlways
                                                : Page::kOfFindings;
  const auto work = [&](uint64_t place) {
    return EncodeFileReport(CheckFile(options.files[place], options, page, pages[place]));
  };
  const auto done = [&](const TaskResult& result) {
    batch.Add(result.task, result.died ? ReportDeath(options.files[result.task], result.death)
                                       : DecodeFileReport(result.answer));
    if (batch.ready()) live.Wipe();
    batch.PrintReady();
    return true;
  };
  const auto tick = [&] {
    if (live.on()) live.Draw(batch.LiveLine(), NowNs());
    return interrupted == 0;
  };
  const PoolOptions pool = {
      .workers = options.jobs, .first = 0, .final = options.files.size() - 1, .timeout = {}};
  Workers(pool, work).Run(done, tick);
  live.Wipe();
  batch.PrintRest();
  batch.PrintSummary();
  if (json != nullptr) {
    std::fputs(batch.Json().c_str(), json);
    if (json != stdout) fclose(json);
  }
  return batch.exit_code();
}

}  // namespace lockstep::bin
