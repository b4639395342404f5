// One direction between two addresses.
#ifndef LOCKSTEP_SIM_NETWORK_LINK_H_
#define LOCKSTEP_SIM_NETWORK_LINK_H_

#include <cstdint>
#include <vector>

namespace lockstep::sim {

// No fault interval: the effect is nobody's.
inline constexpr uint32_t kNoFault = UINT32_MAX;

// A disturbance that overlapping faults may add to. Each fault takes off what it put on.
struct Disturbance {
  uint32_t amount = 0;     // a rate in 1/65536, a factor or a count, by use
  uint32_t by = kNoFault;  // the latest fault that added to it, which gets the credit
  void Add(uint32_t more, uint32_t fault) {
    amount += more;
    by = fault;
  }
};

struct Link {
  int64_t floor = 0;                // ns: the least time a packet takes, permanent
  Disturbance cuts;                 // amount > 0: nothing arrives
  Disturbance loss;                 // of 65536 packets
  Disturbance duplication;          // of 65536 packets
  Disturbance delay;                // the exponential part takes 1 + amount times as long
  Disturbance clogs;                // amount > 0: what would arrive is held
  Disturbance limits;               // amount > 0: `capacity` holds
  int64_t busy_until = 0;           // ns: with large packets
  uint32_t capacity = 0;            // packets under way; one more pushes a random one out
  std::vector<uint32_t> under_way;  // slots of packets
  std::vector<uint32_t> held;       // slots of packets that a clog holds, in order of arrival
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_NETWORK_LINK_H_
