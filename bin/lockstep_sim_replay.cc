// `lockstep-sim replay`: the readable story of one seed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "bin/lockstep_sim_outcome.h"
#include "bin/lockstep_sim_run.h"
#include "sim/check/history/write_json.h"
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

// An empty text is for finding out early whether it can be done.
bool WriteHistory(const std::string& text, const std::string& path) {
  FILE* const file = fopen(path.c_str(), "w");
  const bool whole = file != nullptr && std::fputs(text.c_str(), file) >= 0;
  if (file != nullptr && std::fclose(file) == 0 && whole) return true;
  std::fprintf(stderr, "lockstep-sim: --history: cannot write %s: %s\n", path.c_str(),
               strerror(errno));
  return false;
}

int ReplayHere(const SimOptions& options) {
  Printer printer(options);
  linearizability::History history;
  sim::RunOptions run = options.run;
  run.seed = options.seed;
  run.trace = &printer;
  run.trace_until_event = options.until_event;
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
  if (options.history.has_value()) {
    if (!WriteHistory(history::WriteJson(history), *options.history)) return kExitCrash;
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
  if (options.history.has_value() && !WriteHistory("", *options.history)) return kExitUsage;
  if (options.in_process) return ReplayHere(options);
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
    const int code = ReplayHere(options);
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
