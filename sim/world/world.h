// The simulated world: servers, clients and the network between them, on one queue of events. It
// knows neither what the servers run (software.h) nor who watches them (observer.h).
#ifndef LOCKSTEP_SIM_WORLD_WORLD_H_
#define LOCKSTEP_SIM_WORLD_WORLD_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/rng.h"
#include "sim/faults/fault_ledger.h"
#include "sim/network/network.h"
#include "sim/trace/trace.h"
#include "sim/world/client_host.h"
#include "sim/world/node_host.h"
#include "sim/world/observer.h"
#include "sim/world/pct_schedule.h"
#include "sim/world/software.h"
#include "sim/world/timeline.h"
#include "sim/world/tracer.h"

namespace lockstep::sim {

struct WorldOptions {
  uint16_t servers = 3;
  uint16_t clients = 1;
  NetworkOptions network;
  HostOptions host;
  PctOptions pct;
};

class World {
 public:
  // `software` and `observer` outlive the world; `sink` too, unless it is nullptr. Servers are
  // nodes 1 to options.servers, clients the numbers after them. Chance comes from `root`, split by
  // name.
  World(const WorldOptions& options, Software& software, WorldObserver& observer, const Rng& root,
        TraceSink* sink);

  // All servers boot within `spread` ns.
  void BootAll(int64_t spread);

  // kVoid: the event was meant for somebody who is not there any more, or was put off.
  enum class Stepped { kEvent, kVoid, kEmpty };
  Stepped Step();

  uint16_t servers() const { return options_.servers; }
  uint16_t clients() const { return options_.clients; }
  // 1 <= id <= servers().
  NodeHost& server(uint16_t id) { return *servers_[id - 1u]; }
  // 0 <= number < clients().
  ClientHost& client(uint16_t number) { return *clients_[number]; }
  bool IsServer(uint16_t actor) const { return actor <= options_.servers; }
  uint64_t AllServers() const { return ((uint64_t{1} << options_.servers) - 1) << 1; }

  // A server will hear, after `delay` ns, that its connection to a peer was made or lost.
  void Hint(uint16_t server, uint16_t peer, bool up, int64_t delay);

  Timeline& timeline() { return timeline_; }
  const Tracer& tracer() const { return tracer_; }
  FaultLedger& ledger() { return ledger_; }
  Network& network() { return network_; }
  PctSchedule& schedule() { return schedule_; }

 private:
  Stepped StepServer(const Event& event);
  Stepped StepClient(const Event& event);
  std::optional<Packet> Arrive(const Event& event);

  const WorldOptions options_;
  WorldObserver& observer_;
  Timeline timeline_;
  Tracer tracer_;
  FaultLedger ledger_;
  Rng boot_rng_;
  PctSchedule schedule_;
  Network network_;
  std::vector<std::unique_ptr<NodeHost>> servers_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_WORLD_H_
