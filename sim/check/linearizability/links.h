// Who observed whom. When every observed value was written by one operation only, a read names the
// write it saw, and a swap or an append in a longer read names the write it directly followed.
//
// Each write has a node, and so has the initial state. What contradicts itself here needs no look
// at the clock: a value that nobody wrote, a value consumed twice, a text appended twice.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_LINKS_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_LINKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/check/linearizability/partition.h"

namespace lockstep::linearizability {

inline constexpr uint32_t kNoNode = UINT32_MAX;

struct Links {
  enum class Status {
    kExact,    // the links say all that the observations say
    kRelaxed,  // some observation could not be linked and was left out: no proof of "linearizable"
    kUnsupported,  // texts are not unique, or cannot be told apart inside longer strings
    kViolation,    // `reason`
  };

  Status status = Status::kExact;
  std::string reason;
  std::vector<uint32_t> culprits;  // entries that suffice to see the violation

  // By entry. The node of the initial state is the number of entries.
  std::vector<bool> executed;    // false: open, and nobody saw its effect
  std::vector<uint32_t> source;  // of a read: whose state it saw; kNoNode: not linked
  std::vector<uint32_t> before;  // of a write: the node it directly followed, if that is known
  std::vector<uint32_t> after;   // of a node: the write that directly followed it, if known
};

Links Link(const Partition& partition);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_LINKS_H_
