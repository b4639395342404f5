#include "bin/lockstep_sim_workers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/lockstep_sim_options.h"

namespace lockstep::bin {
namespace {

// A sanitizer's report begins with what matters, a chain of checks ends with it: keep both ends.
constexpr size_t kSaidHead = 6000;
constexpr size_t kSaidTail = 2000;

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

bool ReadFully(int fd, void* to, size_t size) {
  char* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool WriteFully(int fd, const void* from, size_t size) {
  const char* at = static_cast<const char*>(from);
  while (size > 0) {
    const ssize_t put = write(fd, at, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += put;
    size -= static_cast<size_t>(put);
  }
  return true;
}

// The worker's life: a task comes, an answer goes, until the parent closes the pipe.
[[noreturn]] void Serve(absl::FunctionRef<std::string(uint64_t)> work, int commands, int results) {
  uint64_t task = 0;
  while (ReadFully(commands, &task, sizeof(task))) {
    const std::string text = work(task);
    const uint64_t size = text.size();
    if (!WriteFully(results, &size, sizeof(size))) break;
    if (!WriteFully(results, text.data(), text.size())) break;
  }
  // Not exit(): what the parent had buffered and registered is not ours to flush and run.
  _exit(0);
}

void MakePipe(int (&ends)[2]) {
  if (pipe2(ends, O_CLOEXEC) == 0) return;
  perror("lockstep-sim: pipe");
  exit(kExitUsage);
}

std::string DescribeDeath(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return absl::StrCat("killed by signal ", signal, " (", strsignal(signal), ")",
                        signal == SIGKILL ? "; perhaps the machine was out of memory" : "");
  }
  return absl::StrCat("exited with code ", WEXITSTATUS(status));
}

}  // namespace

Workers::Workers(const PoolOptions& options, std::function<std::string(uint64_t)> work)
    : options_(options),
      work_(std::move(work)),
      workers_(options.workers),
      next_task_(options.first) {}

Workers::~Workers() {
  for (Worker& worker : workers_) {
    if (worker.pid == 0) continue;
    kill(worker.pid, SIGKILL);
    waitpid(worker.pid, nullptr, 0);
    Close(worker);
  }
}

void Workers::Close(Worker& worker) {
  for (int* fd : {&worker.commands, &worker.results, &worker.errors}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
  worker.pid = 0;
  worker.received.clear();
}

void Workers::Spawn(Worker& worker) {
  int commands[2];
  int results[2];
  int errors[2];
  MakePipe(commands);
  MakePipe(results);
  MakePipe(errors);
  fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    perror("lockstep-sim: fork");
    exit(kExitUsage);
  }
  if (pid == 0) {
    signal(SIGINT, SIG_IGN);  // The parent decides, and kills.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    dup2(errors[1], STDERR_FILENO);
    dup2(errors[1], STDOUT_FILENO);
    for (const Worker& other : workers_) {
      for (int fd : {other.commands, other.results, other.errors}) {
        if (fd >= 0) close(fd);
      }
    }
    close(commands[1]);
    close(results[0]);
    close(errors[0]);
    Serve(work_, commands[0], results[1]);
  }
  close(commands[0]);
  close(results[1]);
  close(errors[1]);
  worker.pid = pid;
  worker.commands = commands[1];
  worker.results = results[0];
  worker.errors = errors[0];
  fcntl(worker.results, F_SETFL, O_NONBLOCK);
  fcntl(worker.errors, F_SETFL, O_NONBLOCK);
}

void Workers::GiveTask(Worker& worker) {
  worker.busy = false;
  if (exhausted_) return;
  if (worker.pid == 0) Spawn(worker);
  worker.busy = true;
  worker.task = next_task_;
  worker.since_ns = NowNs();
  worker.said.clear();
  worker.timed_out = false;
  exhausted_ = next_task_ == options_.final;
  if (!exhausted_) ++next_task_;
  // When this fails it is dead already, which the next poll finds out.
  (void)WriteFully(worker.commands, &worker.task, sizeof(worker.task));
}

void Workers::ReadErrors(Worker& worker) {
  char buffer[4096];
  while (true) {
    const ssize_t got = read(worker.errors, buffer, sizeof(buffer));
    if (got <= 0) return;
    worker.said.append(buffer, static_cast<size_t>(got));
    if (worker.said.size() > 2 * (kSaidHead + kSaidTail)) {
      worker.said.erase(kSaidHead, worker.said.size() - kSaidHead - kSaidTail);
    }
  }
}

bool Workers::ReadResults(Worker& worker) {
  char buffer[65536];
  while (true) {
    const ssize_t got = read(worker.results, buffer, sizeof(buffer));
    if (got > 0) {
      worker.received.append(buffer, static_cast<size_t>(got));
    } else if (got == 0) {
      return false;
    } else if (errno != EINTR) {
      return true;
    }
  }
}

bool Workers::TakeAnswer(Worker& worker, std::string* answer) {
  uint64_t size = 0;
  if (worker.received.size() < sizeof(size)) return false;
  memcpy(&size, worker.received.data(), sizeof(size));
  if (worker.received.size() < sizeof(size) + size) return false;
  *answer = worker.received.substr(sizeof(size), size);
  worker.received.clear();  // One task at a time: nothing follows.
  return true;
}

// Its process is gone: what became of the task.
TaskResult Workers::Bury(Worker& worker) {
  int status = 0;
  waitpid(worker.pid, &status, 0);
  ReadErrors(worker);
  TaskResult result;
  result.task = worker.task;
  result.real_ns = NowNs() - worker.since_ns;
  result.died = true;
  result.death = worker.timed_out ? "gave no answer within its time-out" : DescribeDeath(status);
  if (!worker.said.empty()) absl::StrAppend(&result.death, "\n", worker.said);
  while (!result.death.empty() && result.death.back() == '\n') result.death.pop_back();
  Close(worker);
  return result;
}

void Workers::EnforceTimeout(Worker& worker) {
  if (!worker.busy || worker.pid == 0 || worker.timed_out || options_.timeout == Duration(0)) {
    return;
  }
  if (NowNs() - worker.since_ns <= options_.timeout.count()) return;
  worker.timed_out = true;
  kill(worker.pid, SIGKILL);
}

void Workers::Poll() {
  std::vector<pollfd> polled;
  for (const Worker& worker : workers_) {
    if (worker.pid == 0) continue;
    polled.push_back({.fd = worker.results, .events = POLLIN, .revents = 0});
    polled.push_back({.fd = worker.errors, .events = POLLIN, .revents = 0});
  }
  poll(polled.data(), polled.size(), /*timeout ms=*/80);
}

void Workers::Run(absl::FunctionRef<bool(const TaskResult&)> done, absl::FunctionRef<bool()> tick) {
  for (Worker& worker : workers_) GiveTask(worker);
  const auto is_busy = [](const Worker& worker) { return worker.busy; };
  while (std::any_of(workers_.begin(), workers_.end(), is_busy)) {
    if (!tick()) return;
    Poll();
    for (Worker& worker : workers_) {
      if (worker.pid == 0) continue;
      ReadErrors(worker);
      const bool alive = ReadResults(worker);
      TaskResult result;
      result.task = worker.task;
      result.real_ns = NowNs() - worker.since_ns;
      const bool finished = worker.busy && TakeAnswer(worker, &result.answer);
      if (!alive) {
        TaskResult death = Bury(worker);
        if (!finished) result = std::move(death);
      }
      EnforceTimeout(worker);
      if (!worker.busy || (alive && !finished)) continue;
      if (!done(result)) return;
      GiveTask(worker);
    }
  }
}

}  // namespace lockstep::bin
