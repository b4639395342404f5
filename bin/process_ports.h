// Ports that are free on this machine.
#ifndef LOCKSTEP_BIN_PROCESS_PORTS_H_
#define LOCKSTEP_BIN_PROCESS_PORTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace lockstep {

// So many different ports that nobody listens on at 127.0.0.1. They are below those that the
// system hands out to outgoing connections, and begin at a random one: it is unlikely, not
// impossible, that somebody takes one before you do.
absl::StatusOr<std::vector<uint16_t>> FreePorts(size_t count);

// Whether somebody could listen on it at 127.0.0.1 right now.
bool PortIsFree(uint16_t port);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_PROCESS_PORTS_H_
