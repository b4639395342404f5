// Runs the child program (child/child.cc) and returns what it said.
#ifndef LOCKSTEP_TESTS_UNIT_FRAMEWORK_CHILD_H_
#define LOCKSTEP_TESTS_UNIT_FRAMEWORK_CHILD_H_

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace lockstep {

struct ChildResult {
  std::string output;  // stdout and stderr together
  int exit_code = 0;   // -1: it ended by a signal
};

// One test of the child, with variables for its environment: "LOCKSTEP_SEED=7".
inline ChildResult RunChild(const std::string& test, const std::string& environment = "") {
  const std::string command = "env -u LOCKSTEP_SEED -u LOCKSTEP_SEEDS -u LOCKSTEP_SEED_START " +
                              environment + " " + LOCKSTEP_FRAMEWORK_CHILD +
                              " --gtest_color=no --gtest_filter=Child." + test + " 2>&1";
  ChildResult result;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {.output = "popen failed", .exit_code = -1};
  std::array<char, 4096> buffer;
  size_t read = 0;
  while ((read = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.output.append(buffer.data(), read);
  }
  const int status = pclose(pipe);
  // The shell tells of a signal by a code above 128.
  result.exit_code = WIFEXITED(status) && WEXITSTATUS(status) < 128 ? WEXITSTATUS(status) : -1;
  return result;
}

}  // namespace lockstep

#endif  // LOCKSTEP_TESTS_UNIT_FRAMEWORK_CHILD_H_
