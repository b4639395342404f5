#include "bin/process_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/unique_fd.h"

namespace lockstep {
namespace {

std::vector<std::string> Environment(const ChildOptions& options) {
  std::vector<std::string> lines;
  for (char** line = environ; *line != nullptr; ++line) {
    const bool replaced = std::any_of(
        options.variables.begin(), options.variables.end(),
        [&](const auto& own) { return absl::StartsWith(*line, absl::StrCat(own.first, "=")); });
    if (!replaced) lines.emplace_back(*line);
  }
  for (const auto& [name, value] : options.variables) {
    lines.push_back(absl::StrCat(name, "=", value));
  }
  return lines;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What posix_spawn is told beside the program, with its life cycle.
struct SpawnPlan {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  explicit SpawnPlan(const std::string& output) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!output.empty()) {
      ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, output.c_str(),
                                         O_WRONLY | O_CREAT | O_APPEND, 0640);
      ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    }
    ::posix_spawnattr_init(&attributes);
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes,
        static_cast<short>(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP));
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

}  // namespace

std::string Describe(const ChildEnd& end) {
  if (end.signal == 0) return absl::StrCat("exit code ", end.code);
  const char* name = ::sigabbrev_np(end.signal);
  return name == nullptr ? absl::StrCat("killed by signal ", end.signal)
                         : absl::StrCat("killed by SIG", name);
}

absl::StatusOr<Child> Child::Start(const ChildOptions& options) {
  std::vector<std::string> arguments = options.arguments;
  arguments.insert(arguments.begin(), options.program);
  std::vector<std::string> environment = Environment(options);
  const SpawnPlan plan(options.output);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, options.program.c_str(), &plan.actions, &plan.attributes,
                                   Pointers(arguments).data(), Pointers(environment).data());
  if (error != 0) {
    return absl::ErrnoToStatus(error, absl::StrCat(options.program, " cannot be started"));
  }
  return Child(pid);
}

Child::~Child() {
  if (pid_ == 0 || end_.has_value()) return;
  Signal(SIGKILL);
  while (!Poll().has_value()) Wait(std::chrono::seconds(1));
}

void Child::Signal(int signal) {
  // Until it is waited for, its number cannot be given to another process.
  if (pid_ > 0 && !end_.has_value()) ::kill(pid_, signal);
}

std::optional<ChildEnd> Child::Poll() {
  if (end_.has_value() || pid_ == 0) return end_;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
  CheckEq(got, pid_);
  end_ = WIFSIGNALED(status) ? ChildEnd{.code = 0, .signal = WTERMSIG(status)}
                             : ChildEnd{.code = WEXITSTATUS(status), .signal = 0};
  return end_;
}

std::optional<ChildEnd> Child::Wait(Duration patience) {
  if (Poll().has_value()) return end_;
  // A descriptor of the process becomes readable when it ends: no signal handler, no turning round.
  const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!Poll().has_value()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    pollfd ready = {.fd = fd.get(), .events = POLLIN, .revents = 0};
    const auto longest = static_cast<int>(std::min<int64_t>(left.count() + 1, 1000));
    // Without that descriptor (an old kernel), look every now and then.
    ::poll(&ready, fd.valid() ? 1 : 0, fd.valid() ? longest : std::min(longest, 10));
  }
  return end_;
}

ChildEnd Child::Stop(Duration patience) {
  Signal(SIGTERM);
  if (!Wait(patience).has_value()) Signal(SIGKILL);
  while (!Wait(std::chrono::seconds(1)).has_value()) continue;
  return *end_;
}

std::string ProgramBeside(const std::string& name) {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof(path));
  if (length > 0 && length < static_cast<ssize_t>(sizeof(path))) {
    const std::string self(path, static_cast<size_t>(length));
    const std::string beside = self.substr(0, self.rfind('/') + 1) + name;
    if (::access(beside.c_str(), X_OK) == 0) return beside;
  }
  return name;
}

}  // namespace lockstep
