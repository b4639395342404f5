// What servers say to each other: the product's software with a meter on its way out. Messages
// between groups can be listened to, swallowed, and said again later.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_TRAFFIC_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_TRAFFIC_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/proto/node.pb.h"
#include "core/runtime/host.h"
#include "sim/world/kv_software.h"

namespace lockstep::scenario {

// Messages between servers, both requests and answers: an RPC is two.
struct Traffic {
  uint64_t messages = 0;
  uint64_t bytes = 0;
  friend Traffic operator-(Traffic a, Traffic b) {
    return {a.messages - b.messages, a.bytes - b.bytes};
  }
};

// A message about a shard that is handed over.
struct ShardTalk {
  NodeId from;
  NodeId to;
  proto::ShardMessage message;
};

// Hears each of them on its way out. True: it is swallowed.
using Listener = std::function<bool(const ShardTalk&)>;

class MeteredSoftware : public sim::KvSoftware {
 public:
  using KvSoftware::KvSoftware;
  absl::StatusOr<sim::Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                                 const Host& host) override;
  Traffic total() const { return total_; }
  // One listener; empty: none.
  void Listen(Listener listener) { listener_ = std::move(listener); }
  // The sender, which is up, says it once more.
  void Repeat(const ShardTalk& talk);

 private:
  struct Meter : public Transport {
    Meter(const Host& below, NodeId its_node, MeteredSoftware& its_software)
        : transport(below.transport),
          node(its_node),
          software(its_software),
          host{.clock = below.clock,
               .transport = *this,
               .disk = below.disk,
               .replies = below.replies,
               .journal = below.journal} {}
    void Send(NodeId to, Bytes message) override;
    Transport& transport;
    const NodeId node;
    MeteredSoftware& software;
    const Host host;
  };

  Traffic total_;
  Listener listener_;
  std::map<NodeId, std::unique_ptr<Meter>> meters_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_TRAFFIC_H_
