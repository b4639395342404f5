// The readable trace of a run: what happened, where, when, and because of what. It is free when
// nobody listens: texts are made only for a sink. Filters are the reader's business.
#ifndef LOCKSTEP_SIM_TRACE_TRACE_H_
#define LOCKSTEP_SIM_TRACE_TRACE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace lockstep::sim {

// What a line is about.
enum class TraceKind : uint8_t {
  kRun,      // the climate, the phases, the verdict
  kProcess,  // boots, crashes, pauses
  kDeliver,  // a peer's message arrives
  kLost,     // a message did not arrive, and why
  kSend,     // a message leaves
  kStorage,  // a storage job is submitted or done
  kAlarm,
  kRequest,  // a client's call arrives at a server
  kReply,    // a server's answer arrives at a client
  kTurn,     // a turn that was held open ends
  kLink,     // a hint that a connection was lost or made
  kFault,    // a fault begins or ends
  kNote,     // what a node decided (core/runtime/journal.h)
};
inline constexpr size_t kTraceKinds = 13;  // of TraceKind

// "deliver", "storage", ...
absl::string_view TraceKindName(TraceKind kind);

// One line of the trace.
struct TraceEvent {
  uint64_t number = 0;  // of the event in whose course it happened, from 1
  uint64_t cause = 0;   // the event in whose course that event was scheduled; 0: the beginning
  Instant time{};       // virtual
  NodeId node;          // where; none: the world
  NodeId peer;          // the other end, if any
  TraceKind kind = TraceKind::kRun;  // what the line is about
  std::string text;                  // one line
};

// Who listens to a run.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // In the order of what happened. Must not disturb the run.
  virtual void Add(const TraceEvent& event) = 0;
};

// One line: time in seconds, event number, node, kind, text.
std::string FormatTraceEvent(const TraceEvent& event);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_TRACE_TRACE_H_
