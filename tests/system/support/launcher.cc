// Starts a program so that it cannot outlive the test: when the thread of the test that started it
// is gone, however that ended, the kernel kills the program.
//
//   system_launcher PARENT NAMESPACE PROGRAM ARGUMENT...
//
// PARENT: the process id of the test. NAMESPACE: the path of the network namespace to run in, or -.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
  constexpr int kCannotLaunch = 120;
  if (argc < 4) return kCannotLaunch;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before that.
  if (::getppid() != std::atoi(argv[1])) return kCannotLaunch;
  if (std::strcmp(argv[2], "-") != 0) {
    const int space = ::open(argv[2], O_RDONLY | O_CLOEXEC);
    if (space < 0 || ::setns(space, CLONE_NEWNET) != 0) {
      std::fprintf(stderr, "launcher: %s: %s\n", argv[2], std::strerror(errno));
      return kCannotLaunch;
    }
  }
  ::execv(argv[3], argv + 3);
  std::fprintf(stderr, "launcher: %s: %s\n", argv[3], std::strerror(errno));
  return kCannotLaunch;
}
