// What travels: real encoded bytes, from one address to another.
#ifndef LOCKSTEP_SIM_NETWORK_PACKET_H_
#define LOCKSTEP_SIM_NETWORK_PACKET_H_

#include <cstdint>

#include "core/base/bytes.h"

namespace lockstep::sim {

// Who speaks to whom.
enum class PacketKind : uint8_t {
  kPeer,     // from server to server
  kRequest,  // from client to server
  kReply,    // from server to client
};

// One message under way.
struct Packet {
  Bytes data;                           // as the sender encoded it
  uint64_t attempt = 0;                 // the client's name for a request and its replies
  uint16_t from = 0;                    // the sender's address
  uint16_t to = 0;                      // the receiver's address
  PacketKind kind = PacketKind::kPeer;  // decides who takes it
  bool evicted = false;                 // pushed out of a full link; its event is void
  uint32_t place = 0;                   // in its link's list of packets under way
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_NETWORK_PACKET_H_
