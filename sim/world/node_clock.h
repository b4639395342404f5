// A server's monotonic clock. It begins anywhere, runs a little fast or slow, and may leap forward,
// as one does that counts the time for which its machine was suspended. The world's time, in which
// events, traces and checkers live, is nobody's clock.
//
// Whole numbers throughout. Between two leaps the clock is off by `drift` millionths of the time
// that has passed, rounded down.
#ifndef LOCKSTEP_SIM_WORLD_NODE_CLOCK_H_
#define LOCKSTEP_SIM_WORLD_NODE_CLOCK_H_

#include <cstdint>

#include "core/base/rng.h"
#include "core/base/types.h"

namespace lockstep::sim {

// Of all servers of a run. As it is by default, every clock tells the world's time.
struct ClockOptions {
  int64_t offset_max = 0;  // ns: how far a clock may be ahead of the world's time when it begins
  uint32_t drift_max = 0;  // millionths, in either direction; most clocks are as wrong as that
  int64_t leap_max = 0;    // ns, in half of the pauses; 0: clocks never leap
};

class NodeClock {
 public:
  // A boot: the machine may be another one.
  void Draw(const ClockOptions& options, int64_t time, Rng rng);

  Instant At(int64_t time) const;
  // The first moment of the world at which the clock tells `local` or later; kNoTime for kNever.
  int64_t WorldTime(Instant local) const;
  // Whatever the clock told until now, it tells `by` ns more.
  void Leap(int64_t by) { base_ += by; }

  int64_t drift() const { return drift_; }  // millionths

 private:
  int64_t since_ = 0;  // world time at which it was drawn
  int64_t base_ = 0;   // what it told then
  int64_t drift_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_NODE_CLOCK_H_
