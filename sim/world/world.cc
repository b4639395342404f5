#include "sim/world/world.h"

#include <optional>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace lockstep::sim {
namespace {

uint16_t ActorsOf(const WorldOptions& options) {
  return static_cast<uint16_t>(options.servers + options.clients);
}

// Behind those of the links: both lanes of every disk.
size_t ChainsOf(const WorldOptions& options) {
  return Network::ChainsFor(ActorsOf(options)) + 2 * size_t{options.servers};
}

}  // namespace

World::World(const WorldOptions& options, Software& software, WorldObserver& observer,
             const Rng& root, TraceSink* sink)
    : options_(options),
      observer_(observer),
      tracer_(timeline_, sink),
      boot_rng_(root.Split("boot")),
      schedule_(options.pct, ChainsOf(options), root.Split("schedule")),
      network_(options.network, ActorsOf(options), root.Split("network"), timeline_, ledger_,
               schedule_, tracer_) {
  Check(options.servers >= 1);
  CheckLe(options.servers, 60u);  // Sets of servers are the bits of a word.
  const Services services{.timeline = timeline_,
                          .tracer = tracer_,
                          .ledger = ledger_,
                          .schedule = schedule_,
                          .network = network_,
                          .software = software,
                          .observer = observer};
  for (uint16_t id = 1; id <= options.servers; ++id) {
    servers_.push_back(std::make_unique<NodeHost>(id, options_.host, services, root));
  }
  for (uint16_t i = 0; i < options.clients; ++i) {
    const uint16_t id = static_cast<uint16_t>(options.servers + 1 + i);
    clients_.push_back(std::make_unique<ClientHost>(id, timeline_, network_, tracer_, software));
  }
}

void World::BootAll(int64_t spread) {
  for (const std::unique_ptr<NodeHost>& server : servers_) {
    const uint64_t after = boot_rng_.Below(static_cast<uint64_t>(spread) + 1);
    server->BootAt(timeline_.now() + static_cast<int64_t>(after));
  }
}

World::Stepped World::Step() {
  if (timeline_.empty()) return Stepped::kEmpty;
  const Event event = timeline_.Next();
  timeline_.Pass(event);
  if (event.actor == 0) {
    timeline_.Begin(event);
    observer_.OnWorldEvent(event);
    return Stepped::kEvent;
  }
  return IsServer(event.actor) ? StepServer(event) : StepClient(event);
}

// Whatever becomes of a packet enters the fingerprint, and so do its bytes.
std::optional<Packet> World::Arrive(const Event& event) {
  std::optional<Packet> packet = network_.Arrive(event.payload);
  TraceHash& hash = timeline_.hash();
  if (!packet.has_value()) {
    hash.Add(0);
    return packet;
  }
  hash.Add(uint64_t{packet->from} | uint64_t{packet->data.size()} << 16);
  hash.Add(StableHash(packet->data.view()));
  return packet;
}

World::Stepped World::StepServer(const Event& event) {
  NodeHost& host = server(event.actor);
  if (event.kind == EventKind::kDeliver && network_.IsVoid(event.payload)) {
    network_.Discard(event.payload);
    return Stepped::kVoid;
  }
  if (host.PutOff(event) || !host.IsDue(event)) return Stepped::kVoid;
  timeline_.Begin(event);
  switch (event.kind) {
    case EventKind::kDeliver: {
      const std::optional<Packet> packet = Arrive(event);
      if (packet.has_value()) host.OnPacket(*packet);
      break;
    }
    case EventKind::kAlarm:
      host.OnAlarm();
      break;
    case EventKind::kStorage:
      host.OnStorage(static_cast<Lane>(event.payload & 1));
      break;
    case EventKind::kTurnEnd:
      host.OnTurnEnd();
      break;
    case EventKind::kBoot:
      host.OnBoot();
      break;
    case EventKind::kSpace:
      host.OnSpace();
      break;
    case EventKind::kLinkHint:
      timeline_.hash().Add(event.payload);
      host.OnLinkHint(NodeId(event.payload >> 1), (event.payload & 1) != 0);
      break;
    default:
      Check(false, "an event of the world at a server");
  }
  return Stepped::kEvent;
}

World::Stepped World::StepClient(const Event& event) {
  ClientHost& host = client(static_cast<uint16_t>(event.actor - options_.servers - 1));
  if (event.kind == EventKind::kAlarm) {
    if (!host.AlarmRings(event)) return Stepped::kVoid;
    timeline_.Begin(event);
    host.OnAlarm();
    return Stepped::kEvent;
  }
  Check(event.kind == EventKind::kDeliver);
  if (network_.IsVoid(event.payload)) {
    network_.Discard(event.payload);
    return Stepped::kVoid;
  }
  timeline_.Begin(event);
  const std::optional<Packet> packet = Arrive(event);
  if (packet.has_value()) host.OnPacket(*packet);
  return Stepped::kEvent;
}

void World::Hint(uint16_t server, uint16_t peer, bool up, int64_t delay) {
  timeline_.Schedule(timeline_.now() + delay, EventKind::kLinkHint, server,
                     static_cast<uint32_t>(peer) << 1 | (up ? 1u : 0u));
}

}  // namespace lockstep::sim
