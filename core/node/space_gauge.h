// How much space the node's disk has left: what the host measured last, less what was written
// since. Data come faster than measurements.
#ifndef LOCKSTEP_CORE_NODE_SPACE_GAUGE_H_
#define LOCKSTEP_CORE_NODE_SPACE_GAUGE_H_

#include <cstdint>

#include "core/raft/messages.h"

namespace lockstep::node {

// Free bytes of the disk with the data directory. All 0: nobody looks.
struct SpaceLimits {
  uint64_t soft_bytes = 0;  // below: no more data from clients
  uint64_t hard_bytes = 0;  // below: only what elections and changes of membership need
};

class SpaceGauge {
 public:
  explicit SpaceGauge(const SpaceLimits& limits) : limits_(limits) {}

  // `under_way_bytes`: of the log write that may not have reached the disk yet.
  void Measured(uint64_t free_bytes, uint64_t under_way_bytes);
  // So many bytes are on their way into the log.
  void Wrote(uint64_t log_bytes);

  // Ample until something else is known.
  raft::Room room() const { return room_; }
  uint64_t free_bytes() const { return free_bytes_; }
  // How much must be free until data are taken again. It is a little more than the limit, or the
  // node would be low and not low by turns.
  uint64_t need_bytes() const { return UntilLeft(limits_.soft_bytes); }

 private:
  static uint64_t UntilLeft(uint64_t limit) { return limit + limit / 8; }
  void Judge();

  const SpaceLimits limits_;
  uint64_t free_bytes_ = UINT64_MAX;  // estimated
  raft::Room room_ = raft::Room::kAmple;
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_SPACE_GAUGE_H_
