// Watches what gateways send each other: a forwarded request is given to its node at most once,
// however often the network repeats it, so it is answered at most once.
//
//   At Most Once   no second answer to one request, in one life of who answers or in two
#ifndef LOCKSTEP_SIM_CHECK_FORWARDING_CHECKER_H_
#define LOCKSTEP_SIM_CHECK_FORWARDING_CHECKER_H_

#include <compare>
#include <cstdint>

#include "absl/container/btree_set.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "sim/check/checker.h"

namespace lockstep::sim {

class ForwardingChecker {
 public:
  // `findings` outlives this object.
  explicit ForwardingChecker(Findings& findings) : findings_(findings) {}

  // A server sends this to another.
  void OnSent(NodeId from, NodeId to, const Bytes& message);
  uint64_t answered() const { return answered_.size(); }

 private:
  struct Answer {
    NodeId from;
    NodeId to;
    uint64_t life = 0;
    uint64_t id = 0;
    friend auto operator<=>(const Answer&, const Answer&) = default;
  };

  Findings& findings_;
  absl::btree_set<Answer> answered_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_FORWARDING_CHECKER_H_
