// A program that this process has started: a node of a playground or of a system test.
#ifndef LOCKSTEP_BIN_PROCESS_CHILD_H_
#define LOCKSTEP_BIN_PROCESS_CHILD_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"

namespace lockstep {

struct ChildOptions {
  std::string program;                 // a path, or a name that PATH finds
  std::vector<std::string> arguments;  // without the program itself
  // Added to this process's variables, or instead of those with the same name.
  std::vector<std::pair<std::string, std::string>> variables;
  std::string output;  // a file that stdout and stderr are appended to; empty: as of this process
};

// How a child ended: by a call of exit, or by a signal.
struct ChildEnd {
  int code = 0;    // of exit
  int signal = 0;  // not 0: it was ended by this
};
std::string Describe(const ChildEnd& end);  // "exit code 3", "killed by SIGKILL"

// Not thread-safe.
class Child {
 public:
  // In a process group of its own, so that Ctrl-C in a terminal is for the parent alone; with no
  // signal blocked or ignored, stdin closed to /dev/null, and no other descriptor inherited that is
  // marked close-on-exec.
  static absl::StatusOr<Child> Start(const ChildOptions& options);

  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), end_(other.end_) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(end_, other.end_);
    return *this;
  }
  // Kills it, if it still runs, and waits for it.
  ~Child();

  pid_t pid() const { return pid_; }

  // To it alone; nothing happens when it has ended.
  void Signal(int signal);
  // How it ended; none while it runs. Does not wait.
  std::optional<ChildEnd> Poll();
  // Waits for its end, up to `patience`; none: it still runs.
  std::optional<ChildEnd> Wait(Duration patience);
  // SIGTERM, and SIGKILL when it has not ended within `patience`.
  ChildEnd Stop(Duration patience);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}

  pid_t pid_ = 0;
  std::optional<ChildEnd> end_;
};

// The path of another program of this build: beside this one, otherwise what PATH finds.
std::string ProgramBeside(const std::string& name);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_PROCESS_CHILD_H_
