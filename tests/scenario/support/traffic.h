// Counts what servers say to each other: the product's software with a meter on its way out.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_TRAFFIC_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_TRAFFIC_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "core/base/types.h"
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

class MeteredSoftware : public sim::KvSoftware {
 public:
  using KvSoftware::KvSoftware;
  absl::StatusOr<sim::Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                                 const Host& host) override {
    auto meter = std::make_unique<Meter>(host, total_);
    // Its last life is over: nothing refers to the meter before.
    std::unique_ptr<Meter>& place = meters_[node];
    place = std::move(meter);
    return KvSoftware::Boot(node, files, rng, place->host);
  }
  Traffic total() const { return total_; }

 private:
  struct Meter : public Transport {
    Meter(const Host& below, Traffic& count)
        : transport(below.transport),
          total(count),
          host{.clock = below.clock,
               .transport = *this,
               .disk = below.disk,
               .replies = below.replies,
               .journal = below.journal} {}
    void Send(NodeId to, Bytes message) override {
      ++total.messages;
      total.bytes += message.size();
      transport.Send(to, std::move(message));
    }
    Transport& transport;
    Traffic& total;
    const Host host;
  };

  Traffic total_;
  std::map<NodeId, std::unique_ptr<Meter>> meters_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_TRAFFIC_H_
