// Zones: decides a key whose observed values are unique in O(n log n), however many clients there
// are and however many operations are open.
//
// Gibbons and Korach 1997 (Testing Shared Memories; polynomial when each read's writer is known)
// and Golab, Li and Shah 2011 (zones), carried over to chains: a write and its reads are a cluster;
// a swap, or an append seen in a longer string, glues its cluster to the one it consumed. What is
// glued is a block, and its operations stand together in any linearization, in a known order.
//
//   * Inside a block nothing may return before something at an earlier place is invoked.
//   * Block A must stand before B if something of A returns before something of B is invoked. With
//     f = the first return and s = the last invocation of a block: if f(A) < s(B).
//   * A linearization exists unless that order has a cycle, and then there is one of two blocks:
//     the block with the least f in any cycle forms one with its predecessor.
//   * f < s: a forward zone [f, s]; else a backward zone [s, f]. Two blocks form a cycle if two
//     forward zones overlap or a backward zone lies inside a forward one. The block of the initial
//     state has f = minus infinity. An open operation returns at infinity, and counts only if its
//     effect was observed.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_ZONES_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_ZONES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/check/linearizability/partition.h"

namespace lockstep::linearizability {

struct ZonesResult {
  enum class Verdict {
    kLinearizable,
    kViolation,
    kUnsuited,  // values are not unique enough to say
  };
  Verdict verdict = Verdict::kUnsuited;
  std::string reason;              // of a violation, for people
  std::vector<uint32_t> culprits;  // places in entries(): enough of them to see the violation
};

// Observations that cannot be linked to one writer (of duplicate values, of "missing" after several
// deletes, mismatches without a value) are left out; the rest can then still show a violation, but
// no longer prove its absence.
ZonesResult JudgeByZones(const Partition& partition);

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_ZONES_H_
