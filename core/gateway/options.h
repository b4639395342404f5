// How a node's gateway behaves. One struct, so that a simulation can draw every value.
#ifndef LOCKSTEP_CORE_GATEWAY_OPTIONS_H_
#define LOCKSTEP_CORE_GATEWAY_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "core/base/types.h"
#include "core/client/router_options.h"

namespace lockstep::gateway {

struct GatewayOptions {
  // Who hosts the controller, limits, time-outs of attempts. `near` is the node itself.
  client::RouterOptions router;
  // Of a call that names no patience of its own, and the longest that one may name.
  Duration patience = std::chrono::seconds(10);
  Duration patience_max = std::chrono::minutes(10);
  // How long a node may take to say how it is before it counts as offline.
  Duration status_patience = std::chrono::seconds(1);
  // After the connection to a node broke, nothing is sent to it for this long, unless it comes
  // back: an attempt goes elsewhere at once instead of waiting in vain.
  Duration link_doubt = std::chrono::seconds(1);
  // Requests at other nodes that have not been answered; the oldest is given up for a new one.
  uint32_t forwarded_max = 65536;
  // Of one other node: requests remembered, so that none is executed twice when the network repeats
  // it. One that is older than all of them is not executed.
  uint32_t remembered_max = 4096;
  // What is this large is worked on in a turn of its own, one copy at a time, so that the
  // heartbeats of the node's replicas leave in between.
  uint64_t large_bytes = uint64_t{1} << 20;
  std::string cluster = {};  // its name, for status reports
  // Tells the lives of this node apart, ascending.
  uint64_t life = 1;
};

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_OPTIONS_H_
