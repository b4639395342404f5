// `lockstep-sim replay`: the readable story of one seed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "bin/lockstep_sim_outcome.h"
#include "bin/lockstep_sim_run.h"
#include "sim/check/history/write_json.h"
#include "sim/trace/decision_log.h"
#include "sim/trace/trace.h"

namespace lockstep::bin {
namespace {

// Prints what the user asked to see, line by line: a crash loses nothing.
class Printer : public sim::TraceSink {
 public:
  explicit Printer(const SimOptions& options) : options_(options) {}

  void Add(const sim::TraceEvent& event) override {
    if (event.number < options_.from_event) return;
    if (!options_.nodes.empty() && !options_.nodes.contains(event.node.value())) return;
    const absl::string_view name = sim::TraceKindName(event.kind);
    if (!options_.kinds.empty() && !options_.kinds.contains(std::string(name))) return;
    std::puts(sim::FormatTraceEvent(event).c_str());
  }

 private:
  const SimOptions& options_;
};

bool WriteFile(const char* option, const std::string& bytes, const std::string& path) {
  FILE* const file = fopen(path.c_str(), "w");
  const bool whole =
      file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (file != nullptr && std::fclose(file) == 0 && whole) return true;
  std::fprintf(stderr, "lockstep-sim: %s: cannot write %s: %s\n", option, path.c_str(),
               strerror(errno));
  return false;
}

// What is to be run. Nothing: it was said what is wrong.
std::optional<sim::DecisionLog> DecisionsOf(const SimOptions& options) {
  sim::DecisionLog log;
  log.run = options.run;
  log.run.seed = options.seed;
  if (!options.decisions.has_value()) return log;
  std::ifstream file(*options.decisions, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file.is_open() || file.bad()) {
    std::fprintf(stderr, "lockstep-sim: --decisions: cannot read %s\n", options.decisions->c_str());
    return std::nullopt;
  }
  absl::StatusOr<sim::DecisionLog> read = sim::DecodeDecisionLog(bytes);
  if (read.ok()) return *std::move(read);
  std::fprintf(stderr, "lockstep-sim: --decisions: %s: %s\n", options.decisions->c_str(),
               std::string(read.status().message()).c_str());
  return std::nullopt;
}

// What tells whether this was the run that somebody recorded.
void CompareHashes(const sim::DecisionLog& log, const sim::RunReport& report) {
  if (log.hash.empty()) return;
  std::printf(log.hash == report.hash
                  ? "the same run as the one that was recorded\n"
                  : "another run than the one that was recorded: the code has changed since\n");
}

int ReplayHere(const SimOptions& options, const sim::DecisionLog& log) {
  Printer printer(options);
  linearizability::History history;
  sim::RunOptions run = log.run;
  run.trace = &printer;
  run.trace_until_event = options.until_event;
  sim::DecisionLog recorded{.run = log.run, .draws = {}, .hash = {}};
  sim::DecisionTape tape(&log.draws, options.record.has_value() ? &recorded.draws : nullptr);
  if (options.decisions.has_value() || options.record.has_value()) run.tape = &tape;
  if (options.history.has_value()) run.history = &history;
  const Outcome outcome = RunSeed(run);
  const sim::RunReport& report = outcome.report;
  std::printf("seed %llu: %s after %llu events, hash %s\n",
              static_cast<unsigned long long>(report.seed),
              !outcome.failed()                      ? "no violation"
              : outcome.exit_code() == kExitLiveness ? "liveness violated"
                                                     : "safety violated or undecided",
              static_cast<unsigned long long>(report.events), report.hash.c_str());
  if (report.violation.has_value()) {
    std::printf("%s, at event %llu\n%s\n", report.violation->property.c_str(),
                static_cast<unsigned long long>(report.violation_event),
                report.violation->evidence.c_str());
  }
  if (options.until_event == UINT64_MAX) CompareHashes(log, report);
  if (options.record.has_value()) {
    if (options.until_event == UINT64_MAX) recorded.hash = report.hash;
    if (!WriteFile("--record", sim::EncodeDecisionLog(recorded), *options.record)) {
      return kExitCrash;
    }
    std::printf("%zu decisions in %s\n", recorded.draws.size(), options.record->c_str());
  }
  if (options.history.has_value()) {
    if (!WriteFile("--history", history::WriteJson(history), *options.history)) return kExitCrash;
    std::printf("history of %zu operations in %s\n", history.operations.size(),
                options.history->c_str());
  }
  return outcome.exit_code();
}

// Prints the last lines of what comes through `from`.
void PrintTail(int from, size_t lines) {
  FILE* const input = fdopen(from, "r");
  if (input == nullptr) return;
  std::deque<std::string> tail;
  char* line = nullptr;
  size_t capacity = 0;
  for (ssize_t size = 0; (size = getline(&line, &capacity, input)) >= 0;) {
    tail.emplace_back(line, static_cast<size_t>(size));
    if (tail.size() > lines) tail.pop_front();
  }
  free(line);
  fclose(input);
  for (const std::string& text : tail) std::fwrite(text.data(), 1, text.size(), stdout);
}

int ExitCodeOf(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGPIPE || signal == SIGINT) return 128 + signal;  // As a shell would say it.
    std::fprintf(stderr, "lockstep-sim: the run crashed: signal %d (%s)\n", signal,
                 strsignal(signal));
    return kExitCrash;
  }
  const int code = WEXITSTATUS(status);
  const bool ours = code == kExitPassed || code == kExitLiveness || code == kExitSafety;
  return ours ? code : kExitCrash;  // A sanitizer's own code, for one.
}

}  // namespace

int Replay(const SimOptions& options) {
  const std::optional<sim::DecisionLog> log = DecisionsOf(options);
  if (!log.has_value()) return kExitUsage;
  // At once, to find out early whether it can be done. Of a run that crashes no more is known than
  // what was asked for, and that is enough to replay it.
  const sim::DecisionLog asked{.run = log->run, .draws = log->draws, .hash = {}};
  if (options.history.has_value() && !WriteFile("--history", "", *options.history)) {
    return kExitUsage;
  }
  if (options.record.has_value() &&
      !WriteFile("--record", sim::EncodeDecisionLog(asked), *options.record)) {
    return kExitUsage;
  }
  if (options.in_process) return ReplayHere(options, *log);
  int ends[2] = {-1, -1};
  if (options.tail > 0 && pipe(ends) != 0) {
    perror("lockstep-sim: pipe");
    return kExitUsage;
  }
  const pid_t pid = fork();
  if (pid < 0) {
    perror("lockstep-sim: fork");
    return kExitUsage;
  }
  if (pid == 0) {
    if (options.tail > 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
    }
    setvbuf(stdout, nullptr, _IOLBF, 0);
    const int code = ReplayHere(options, *log);
    std::fflush(stdout);
    _exit(code);
  }
  if (options.tail > 0) {
    close(ends[1]);
    PrintTail(ends[0], options.tail);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return ExitCodeOf(status);
}

}  // namespace lockstep::bin
