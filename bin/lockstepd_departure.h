// The orderly end of a node: leaders hand over, then calls are answered, then it stops.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_DEPARTURE_H_
#define LOCKSTEP_BIN_LOCKSTEPD_DEPARTURE_H_

#include <chrono>
#include <functional>
#include <thread>

#include "net/log.h"
#include "net/service.h"

namespace lockstep::lockstepd {

// Blocks SIGTERM and SIGINT for this thread and those that it starts; ignores SIGPIPE. First thing
// in main.
void BlockSignals();

// Whether one of them has come and waits for a SignalWatch.
bool StopAsked();

// Waits for SIGTERM or SIGINT on a thread of its own, and then runs `leave` there, once. A second
// signal ends the process at once with 130.
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void(int signal)> leave);
  // Waits for `leave` if it runs.
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  void Run();

  const std::function<void(int signal)> leave_;
  int signals_;  // a signalfd
  int stop_;     // an eventfd
  std::thread thread_;
};

// Asks every group that this node leads, and that has other members, to elect another leader; waits
// until none is led here any more, or `patience` is over. Not on the loop thread.
void HandOverLeaders(net::Service& service, std::chrono::milliseconds patience);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_DEPARTURE_H_
