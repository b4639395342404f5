// Which links a fault disturbs: the shapes of partitions. Pure functions of chance.
#ifndef LOCKSTEP_SIM_FAULTS_TARGETS_H_
#define LOCKSTEP_SIM_FAULTS_TARGETS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/rng.h"
#include "sim/faults/fault_ledger.h"

namespace lockstep::sim {

// Servers are 1..servers, clients follow. Sets of servers are bits.
struct Cast {
  uint16_t servers = 0;
  uint16_t clients = 0;
  uint16_t actors() const { return static_cast<uint16_t>(servers + clients); }
};

inline bool Contains(uint64_t set, uint16_t server) { return (set >> server & 1) != 0; }
inline uint64_t One(uint16_t server) { return uint64_t{1} << server; }

uint16_t DrawServer(Rng& rng, const Cast& cast);
// Neither empty nor everybody, if there are two servers at all.
uint64_t DrawPart(Rng& rng, const Cast& cast);

// Every server. Bit 0 is nobody.
inline uint64_t Everybody(const Cast& cast) { return ((uint64_t{1} << cast.servers) - 1) << 1; }

// Both directions between the servers of `left` and those of `right`. When `clients`, every client
// falls on one side and loses the other. REQUIRES: nobody is on both sides.
std::vector<Direction> Between(Rng& rng, const Cast& cast, uint64_t left, uint64_t right,
                               bool clients);
// The same between `part` and the other servers.
std::vector<Direction> Split(Rng& rng, const Cast& cast, uint64_t part, bool clients);
// The servers but one in two halves; the one sees both.
std::vector<Direction> Bridge(Rng& rng, const Cast& cast);
// One server is mute, or deaf, or single directions between servers are dead.
std::vector<Direction> OneWay(Rng& rng, const Cast& cast);
// All links, the links of one server, or each link with a probability; with clients' links.
std::vector<Direction> Some(Rng& rng, const Cast& cast, bool clients);
// All links into `server`, out of it, or both.
std::vector<Direction> Around(uint16_t server, const Cast& cast, bool in, bool out, bool clients);
// Some of `others`, each with probability 1/2, as long as `may_join` them to those drawn before.
uint64_t DrawCompany(Rng& rng, uint64_t others, const std::function<bool(uint64_t)>& may_join);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_TARGETS_H_
