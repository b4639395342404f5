#include "core/node/space_gauge.h"

#include <algorithm>

namespace lockstep::node {

using raft::Room;

void SpaceGauge::Measured(uint64_t free_bytes, uint64_t under_way_bytes) {
  free_bytes_ = free_bytes;
  Wrote(under_way_bytes);
}

// Each byte is written to the log, and again to the table.
void SpaceGauge::Wrote(uint64_t log_bytes) {
  if (free_bytes_ != UINT64_MAX) free_bytes_ -= std::min(free_bytes_, 2 * log_bytes);
  Judge();
}

// Who is below a limit must come clearly above it to be rid of it.
void SpaceGauge::Judge() {
  const auto is_below = [this](uint64_t limit, Room room) {
    return free_bytes_ < (room_ >= room ? UntilLeft(limit) : limit);
  };
  Room now = Room::kAmple;
  if (is_below(limits_.soft_bytes, Room::kLow)) now = Room::kLow;
  if (is_below(limits_.hard_bytes, Room::kNone)) now = Room::kNone;
  room_ = now;
}

}  // namespace lockstep::node
