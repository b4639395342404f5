// A checker watches what nodes decide and reports the first thing that must not be. It never
// touches the system it watches.
#ifndef LOCKSTEP_SIM_CHECK_CHECKER_H_
#define LOCKSTEP_SIM_CHECK_CHECKER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/types.h"
#include "core/runtime/journal.h"

namespace lockstep::sim {

// What kind of promise was broken; decides the exit code (DESIGN §7).
enum class ViolationKind { kSafety, kLiveness, kUndecided };

// Who may condemn a run.
enum class Judges : uint8_t {
  kAll,
  kHistory,   // liveness and the clients' history: what an outsider could see
  kWhiteBox,  // liveness and what the nodes' own notes prove
};

struct Violation {
  ViolationKind kind = ViolationKind::kSafety;  // decides the exit code
  std::string property;                         // its name, e.g. "Election Safety"
  std::string evidence;  // the smallest: the conflicting nodes, entries or operations, one a line
};

// Collects the first violation of a run; later ones are its consequences.
class Findings {
 public:
  // Counts if it is the first.
  void Report(Violation violation) {
    if (!first_.has_value()) first_ = std::move(violation);
  }
  // A breach of safety.
  void Report(std::string property, std::string evidence) {
    Report(Violation{ViolationKind::kSafety, std::move(property), std::move(evidence)});
  }
  // Absent: nothing was found.
  const std::optional<Violation>& first() const { return first_; }

 private:
  std::optional<Violation> first_;
};

// Of one property of a cluster, over the notes of its nodes.
class Checker {
 public:
  virtual ~Checker() = default;
  // A node decided something (core/runtime/journal.h). Called in the order of events.
  virtual void OnNote(Instant now, NodeId node, const Note& note) = 0;
  // The node's memory is gone; its disk is what had been synced and perhaps more.
  virtual void OnCrash(Instant now, NodeId node) = 0;
  // The run is over and everybody has come to rest.
  virtual void AtEnd() {}
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_CHECKER_H_
