#include "bin/lockstep_signals.h"

#include <signal.h>

namespace lockstep::bin {
namespace {

std::atomic<bool> stop_requested{false};

void OnSignal(int signal) {
  stop_requested = true;
  // Whoever presses it twice means it.
  ::signal(signal, SIG_DFL);
}

}  // namespace

const std::atomic<bool>& StopRequested() {
  static const bool installed = [] {
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(SIGINT, &action, nullptr) == 0 &&
           ::sigaction(SIGTERM, &action, nullptr) == 0;
  }();
  (void)installed;
  return stop_requested;
}

}  // namespace lockstep::bin
