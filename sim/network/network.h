// The simulated network: links with latency, loss, duplication, reordering, cuts, clogs and limits.
//
// What becomes of a packet is decided when it arrives, so that a cut hits what is under way and a
// heal saves it (after TigerBeetle's packet simulator). Reordering follows from latency. The
// promise to the protocol is only "maybe": that is nastier than TCP, and on purpose.
#ifndef LOCKSTEP_SIM_NETWORK_NETWORK_H_
#define LOCKSTEP_SIM_NETWORK_NETWORK_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/rng.h"
#include "sim/faults/fault_ledger.h"
#include "sim/network/latency.h"
#include "sim/network/link.h"
#include "sim/network/packet.h"
#include "sim/world/pct_schedule.h"
#include "sim/world/slab.h"
#include "sim/world/timeline.h"
#include "sim/world/tracer.h"

namespace lockstep::sim {

struct NetworkOptions {
  int64_t floor_min = 50'000;    // ns; every pair draws its own floor, once
  int64_t floor_max = 500'000;   // ns
  int64_t jitter_mean = 50'000;  // ns, exponential
  Ratio tail{0, 1};              // how often the jitter is multiplied...
  uint32_t tail_doublings = 6;   // ...by up to 2^this
  // What a link carries in a second; 0: any amount. Large packets wait for each other, small ones
  // pass them by, as on a connection of their own.
  uint64_t bytes_per_second = 0;
};

class Network {
 public:
  struct Totals {
    uint64_t sent = 0;
    uint64_t delivered = 0;
    uint64_t lost = 0;     // to loss
    uint64_t cut = 0;      // to a partition
    uint64_t evicted = 0;  // from a full link
    uint64_t duplicated = 0;
    uint64_t held = 0;  // by a clog
  };

  // Addresses are 1 to `actors`.
  Network(const NetworkOptions& options, uint16_t actors, Rng rng, Timeline& timeline,
          FaultLedger& ledger, PctSchedule& schedule, const Tracer& tracer);
  // Of the schedule: one a link, in each direction.
  static size_t ChainsFor(uint16_t actors) { return (actors + size_t{1}) * (actors + size_t{1}); }

  // It will arrive, perhaps.
  void Send(Packet packet);
  // A kDeliver event whose packet was pushed out of its link does not happen.
  bool IsVoid(uint32_t slot);
  void Discard(uint32_t slot) { packets_.Take(slot); }
  // A kDeliver event happens: the packet, unless it is lost or held.
  std::optional<Packet> Arrive(uint32_t slot);
  uint16_t SenderOf(uint32_t slot) { return packets_[slot].from; }

  Link& link(uint16_t from, uint16_t to) { return links_[LinkOf(from, to)]; }
  bool IsCut(uint16_t from, uint16_t to) { return link(from, to).cuts.amount > 0; }
  // A clog on the link has ended: if no other holds it, everything comes, one packet every
  // `spacing` ns (0: all at once).
  void Unclog(uint16_t from, uint16_t to, int64_t spacing = 0);
  uint16_t actors() const { return actors_; }
  // Floor and three times the mean of the slowest link without faults, ns: for deadlines.
  int64_t SlowestOrdinary() const;
  const Totals& totals() const { return totals_; }
  size_t under_way() const { return packets_.live(); }

 private:
  size_t LinkOf(uint16_t from, uint16_t to) const {
    return static_cast<size_t>(from) * (actors_ + 1u) + to;
  }
  int64_t DrawLatency(const Link& link);
  int64_t Transmit(Link& way, uint64_t bytes);
  void Launch(Packet packet);
  void EvictOne(Link& link);
  void Detach(uint32_t slot);
  void Lose(const Packet& packet, const Disturbance& cause, uint64_t& total, const char* why);

  const NetworkOptions options_;
  const uint16_t actors_;
  Rng rng_;
  Timeline& timeline_;
  FaultLedger& ledger_;
  PctSchedule& schedule_;
  const Tracer& tracer_;
  std::vector<Link> links_;
  Slab<Packet> packets_;
  Totals totals_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_NETWORK_NETWORK_H_
