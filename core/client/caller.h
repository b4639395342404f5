// Whatever carries out operations for a caller: a Client, which knows one group, or a Router, which
// finds the group. Driven alike, so that one driver does for both.
#ifndef LOCKSTEP_CORE_CLIENT_CALLER_H_
#define LOCKSTEP_CORE_CLIENT_CALLER_H_

#include <cstddef>

#include "core/base/types.h"
#include "core/client/events.h"

namespace lockstep::client {

class Caller {
 public:
  virtual ~Caller() = default;
  // One event. Appends to `out` and sets out->wake_at. REQUIRES: now never goes back.
  virtual void Step(Instant now, Input input, Output* out) = 0;
  // Operations invoked and not completed.
  virtual size_t unfinished() const = 0;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_CALLER_H_
