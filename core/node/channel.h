// Which connection to a peer a message takes, so that what must be quick never queues behind what
// is large. Messages on different channels may overtake each other, as the network allows anyway.
#ifndef LOCKSTEP_CORE_NODE_CHANNEL_H_
#define LOCKSTEP_CORE_NODE_CHANNEL_H_

#include <cstdint>

#include "core/base/bytes.h"

namespace lockstep::node {

enum class Channel : uint8_t {
  kControl = 0,  // heartbeats, votes, acknowledgements, whatever else is small
  kLog = 1,      // AppendRequests, which must keep their order or they are refused
  kBulk = 2,     // parts of snapshots and of shards, and large forwarded requests
};
inline constexpr int kChannels = 3;

// Of an encoded PeerMessage or NodeMessage of `size` bytes that begins with `head`. Total.
Channel ChannelOf(absl::string_view head, size_t size);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_CHANNEL_H_
