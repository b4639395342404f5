// Names the seed that was running when a test program ends in the middle of it: by an exception, an
// abort, a signal, a sanitizer's verdict or a time limit.
#ifndef LOCKSTEP_SIM_TESTING_SEED_WATCH_H_
#define LOCKSTEP_SIM_TESTING_SEED_WATCH_H_

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string>

// Of the sanitizers' runtime, if there is one: called before they end the process.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace lockstep::testing::internal {

// A failure of ours or of the system's, or somebody's patience.
inline constexpr std::array<int, 7> kSignals = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE,
                                                SIGILL,  SIGTERM, SIGINT};

// What a signal handler can reach: it may neither allocate nor lock. One seed runs at a time.
struct LastWords {
  std::array<char, 8192> text{};
  volatile sig_atomic_t size = 0;  // 0: no seed is running, or they have been said
  std::array<struct sigaction, kSignals.size()> former{};  // what the signals did before
};
inline LastWords last_words;

inline void WriteAll(const char* text, size_t size) {
  while (size > 0) {
    const ssize_t written = write(STDERR_FILENO, text, size);
    if (written <= 0) return;
    text += written;
    size -= static_cast<size_t>(written);
  }
}
inline void WriteToStderr(const std::string& text) { WriteAll(text.data(), text.size()); }

// Safe in a signal handler. Speaks once a seed.
inline void SayLastWords() {
  const size_t size = static_cast<size_t>(last_words.size);
  last_words.size = 0;
  WriteAll(last_words.text.data(), size);
}

// Afterwards whoever would have handled the signal does.
inline void OnSignal(int signal, siginfo_t* info, void* /*context*/) {
  SayLastWords();
  for (size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] == signal) sigaction(signal, &last_words.former[i], nullptr);
  }
  // A faulty instruction is executed again when we return; what was sent has to be sent again.
  const bool sent = info->si_code <= 0;
  if (sent) raise(signal);
}

// While it lives, the end of the process is preceded by `note`. REQUIRES: it is the only one.
class SeedWatch {
 public:
  explicit SeedWatch(const std::string& note) : exceptions_(std::uncaught_exceptions()) {
    const std::string words = "\nthe program ended in " + note + "\n";
    const size_t size = std::min(words.size(), last_words.text.size());
    std::memcpy(last_words.text.data(), words.data(), size);
    last_words.size = static_cast<sig_atomic_t>(size);
    struct sigaction action = {};
    action.sa_sigaction = &OnSignal;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    for (size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &action, &last_words.former[i]);
    }
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(&SayLastWords);
  }
  ~SeedWatch() {
    for (size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &last_words.former[i], nullptr);
    }
    // GoogleTest makes a failure of an exception only where our notes do not reach any more.
    if (std::uncaught_exceptions() > exceptions_) SayLastWords();
    last_words.size = 0;
  }
  SeedWatch(const SeedWatch&) = delete;
  SeedWatch& operator=(const SeedWatch&) = delete;

 private:
  const int exceptions_;
};

}  // namespace lockstep::testing::internal

#endif  // LOCKSTEP_SIM_TESTING_SEED_WATCH_H_
