// What the environment asks of a test over many seeds, and the command that repeats one of them.
#ifndef LOCKSTEP_SIM_TESTING_SEED_ENVIRONMENT_H_
#define LOCKSTEP_SIM_TESTING_SEED_ENVIRONMENT_H_

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

namespace lockstep::testing::internal {

struct SeedRange {
  uint64_t first = 1;
  uint64_t count = 1;  // at least 1
};

// Reads a whole number into `*value` if the variable is set. Returns what is wrong with it, or "".
inline std::string ReadNumber(const char* variable, uint64_t* value, bool* set) {
  const char* text = std::getenv(variable);
  *set = text != nullptr;
  if (text == nullptr) return "";
  const char* end = text + std::strlen(text);
  const std::from_chars_result read = std::from_chars(text, end, *value);
  if (read.ec == std::errc() && read.ptr == end && text != end) return "";
  return std::string(variable) + "=\"" + text + "\" is not a number from 0 to 2^64 - 1";
}

// Puts what the environment says over `*range`. Returns what is wrong, or "".
inline std::string ReadEnvironment(SeedRange* range) {
  bool set = false;
  std::string mistake = ReadNumber("LOCKSTEP_SEED_START", &range->first, &set);
  if (!mistake.empty()) return mistake;
  mistake = ReadNumber("LOCKSTEP_SEEDS", &range->count, &set);
  if (!mistake.empty()) return mistake;
  if (range->count == 0) return "no seed to run: the number of seeds is 0";
  uint64_t seed = 0;
  mistake = ReadNumber("LOCKSTEP_SEED", &seed, &set);
  if (!mistake.empty()) return mistake;
  if (set) *range = {.first = seed, .count = 1};
  return "";
}

inline std::string ThisProgram() {
  std::array<char, 4096> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  return size <= 0 ? "THIS_TEST" : std::string(path.data(), static_cast<size_t>(size));
}

// For a shell.
inline std::string Quote(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// "seed 7; to repeat it: LOCKSTEP_SEED=7 '/path/of/test' --gtest_filter='Store.SurvivesStorms'".
inline std::string SeedNote(uint64_t seed, const std::string& test) {
  const std::string number = std::to_string(seed);
  return "seed " + number + "; to repeat it: LOCKSTEP_SEED=" + number + " " + Quote(ThisProgram()) +
         " --gtest_filter=" + Quote(test);
}

}  // namespace lockstep::testing::internal

#endif  // LOCKSTEP_SIM_TESTING_SEED_ENVIRONMENT_H_
