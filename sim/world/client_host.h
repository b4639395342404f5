// One simulated client: the world as it sees it. Clients do not crash; their traffic goes over the
// same network as the servers'.
#ifndef LOCKSTEP_SIM_WORLD_CLIENT_HOST_H_
#define LOCKSTEP_SIM_WORLD_CLIENT_HOST_H_

#include <cstdint>

#include "sim/network/network.h"
#include "sim/workload/sim_client.h"
#include "sim/world/software.h"
#include "sim/world/timeline.h"
#include "sim/world/tracer.h"

namespace lockstep::sim {

class ClientHost final : public ClientPort {
 public:
  ClientHost(uint16_t id, Timeline& timeline, Network& network, const Tracer& tracer,
             const Software& software)
      : id_(id), timeline_(timeline), network_(network), tracer_(tracer), software_(software) {}

  // Before the run; `client` outlives this host's last event.
  void Attach(SimClient& client) { client_ = &client; }
  uint16_t id() const { return id_; }

  // ClientPort.
  Instant Now() const override { return timeline_.instant(); }
  void WakeAt(Instant when) override;
  void SendRequest(NodeId node, uint64_t attempt, Bytes request) override;

  // Events.
  bool AlarmRings(const Event& event) { return alarm_.Rings(timeline_, event); }
  void OnAlarm() { client_->OnWake(); }
  void OnPacket(const Packet& packet);

 private:
  const uint16_t id_;
  Timeline& timeline_;
  Network& network_;
  const Tracer& tracer_;
  const Software& software_;
  SimClient* client_ = nullptr;
  Alarm alarm_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_CLIENT_HOST_H_
