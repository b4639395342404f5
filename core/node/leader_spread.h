// Leaders of many groups, spread over the nodes: when this node leads several groups it asks those
// who follow how many they lead, and gives one group to somebody who leads two fewer. That makes
// the counts more even each time, so it ends; and a node that wants none says so.
//
// What the node says and does about it is in node.cc; this decides when.
#ifndef LOCKSTEP_CORE_NODE_LEADER_SPREAD_H_
#define LOCKSTEP_CORE_NODE_LEADER_SPREAD_H_

#include <cstdint>

#include "core/base/rng.h"
#include "core/base/types.h"

namespace lockstep::node {

class LeaderSpread {
 public:
  // `every`: between two questions, on average; zero: never.
  LeaderSpread(Duration every, Rng rng) : every_(every), rng_(rng) {}

  // At the end of each turn: how many groups this node leads.
  void Leads(Instant now, uint64_t groups) {
    groups_ = groups;
    if (every_ == Duration(0) || groups < 2) {
      ask_at_ = kNever;
      asked_ = false;
    } else if (ask_at_ == kNever) {
      ask_at_ = now + Pause();
    }
  }
  // Whether to ask now.
  bool Due(Instant now) {
    if (now < ask_at_) return false;
    ask_at_ = now + Pause();
    asked_ = true;
    return true;
  }
  // Somebody who was asked leads so many. True: it may have one of ours, if it is close behind.
  bool MayGive(uint64_t groups) const { return asked_ && groups + 2 <= groups_; }
  // It was given one. Nobody gets another before they are asked again.
  void Gave() { asked_ = false; }
  Instant wake_at() const { return ask_at_; }

 private:
  // Nodes that all do the same at the same time would undo what each other does.
  Duration Pause() { return rng_.Between(every_ / 2, every_ + every_ / 2); }

  const Duration every_;
  Rng rng_;
  uint64_t groups_ = 0;
  Instant ask_at_ = kNever;
  bool asked_ = false;
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_LEADER_SPREAD_H_
