// Which client command an entry carries: read straight from its encoding (core/proto/client.proto),
// so that the checkers do not rest on the state machine's own decoding.
#ifndef LOCKSTEP_SIM_CHECK_COMMAND_IDENTITY_H_
#define LOCKSTEP_SIM_CHECK_COMMAND_IDENTITY_H_

#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep::sim {

// A command is executed at most once per (session, sequence). Sequence 0: no such command (a no-op,
// a registration, or bytes that are none).
struct CommandIdentity {
  SessionId session;
  uint64_t sequence = 0;
  uint32_t shard = 0;              // sessions are of a shard, where there are any
  uint64_t first_outstanding = 0;  // with it the client is done with all smaller sequences
  bool registers = false;          // a session, named by the entry's index
  bool closes = false;             // `session`
  // What it asked for (sim/check/contents_model.h), where clients name it. With `sequence` 0 that
  // is its only name: it went by a gateway's session.
  uint64_t content = 0;
};

// Total: malformed data identifies nothing.
CommandIdentity IdentifyCommand(const Entry& entry);
// The same for an encoded proto::ClientRequest; queries identify nothing.
CommandIdentity IdentifyRequest(const Bytes& request);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_COMMAND_IDENTITY_H_
