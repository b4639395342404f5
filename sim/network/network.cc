#include "sim/network/network.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::sim {
namespace {

constexpr uint64_t kRateScale = 65536;

}  // namespace

Network::Network(const NetworkOptions& options, uint16_t actors, Rng rng, Timeline& timeline,
                 FaultLedger& ledger, PctSchedule& schedule, const Tracer& tracer)
    : options_(options),
      actors_(actors),
      rng_(rng),
      timeline_(timeline),
      ledger_(ledger),
      schedule_(schedule),
      tracer_(tracer),
      links_(ChainsFor(actors)) {
  // The topology of the run: what is near and what is far stays so.
  Rng topology = rng_.Split("topology");
  for (uint16_t from = 1; from <= actors; ++from) {
    for (uint16_t to = from; to <= actors; ++to) {
      const Duration floor =
          topology.Between(Duration(options.floor_min), Duration(options.floor_max));
      link(from, to).floor = floor.count();
      link(to, from).floor = floor.count();
    }
  }
}

int64_t Network::DrawLatency(const Link& link) {
  Latency latency{.floor = link.floor,
                  .mean = options_.jitter_mean,
                  .tail = options_.tail,
                  .tail_doublings = options_.tail_doublings};
  if (link.delay.amount == 0) return latency.Draw(rng_);
  const int64_t ordinary = latency.mean;
  latency.mean = (link.floor + ordinary) * static_cast<int64_t>(link.delay.amount);
  latency.tail = {1, 16};
  const int64_t drawn = latency.Draw(rng_);
  if (drawn > link.floor + ordinary) ledger_.Effect(link.delay.by);
  return drawn;
}

void Network::Send(Packet packet) {
  Check(packet.to >= 1 && packet.to <= actors_, "a message to an address that nobody has");
  ++totals_.sent;
  Launch(std::move(packet));
}

// When the last byte has left.
int64_t Network::Transmit(Link& way, uint64_t bytes) {
  constexpr uint64_t kLarge = uint64_t{16} << 10;
  const int64_t now = timeline_.now();
  const int64_t time = TimeFor(bytes, options_.bytes_per_second);
  if (bytes < kLarge) return now + time;
  way.busy_until = std::max(now, way.busy_until) + time;
  return way.busy_until;
}

void Network::Launch(Packet packet) {
  Link& way = link(packet.from, packet.to);
  if (way.limits.amount > 0 && way.under_way.size() >= way.capacity) EvictOne(way);
  const uint16_t to = packet.to;
  const int64_t held = schedule_.Hold(LinkOf(packet.from, packet.to));
  const int64_t arrival = Transmit(way, packet.data.size()) + DrawLatency(way) + held;
  packet.place = static_cast<uint32_t>(way.under_way.size());
  const uint32_t slot = packets_.Add(std::move(packet));
  way.under_way.push_back(slot);
  timeline_.Schedule(arrival, EventKind::kDeliver, to, slot);
}

bool Network::IsVoid(uint32_t slot) { return packets_[slot].evicted; }

// A full queue in the network drops what it likes, not what we would choose.
void Network::EvictOne(Link& way) {
  const uint64_t victim = rng_.Below(way.under_way.size());
  const uint32_t slot = way.under_way[victim];
  Lose(packets_[slot], way.limits, totals_.evicted, "pushed out of a full link");
  Detach(slot);
  packets_[slot].evicted = true;
  packets_[slot].data = Bytes();
  // A packet held by a clog has no event any more that would free its slot.
  const auto held = std::find(way.held.begin(), way.held.end(), slot);
  if (held == way.held.end()) return;
  way.held.erase(held);
  packets_.Take(slot);
}

void Network::Detach(uint32_t slot) {
  const uint32_t place = packets_[slot].place;
  std::vector<uint32_t>& under_way = link(packets_[slot].from, packets_[slot].to).under_way;
  CheckEq(under_way[place], slot);
  under_way[place] = under_way.back();
  packets_[under_way[place]].place = place;
  under_way.pop_back();
}

void Network::Lose(const Packet& packet, const Disturbance& cause, uint64_t& total,
                   const char* why) {
  ++total;
  ledger_.Effect(cause.by);
  tracer_.Add(TraceKind::kLost, packet.to, packet.from, [&] {
    return absl::StrCat(packet.data.size(), " B from ", packet.from, " lost: ", why);
  });
}

std::optional<Packet> Network::Arrive(uint32_t slot) {
  Link& way = link(packets_[slot].from, packets_[slot].to);
  if (way.clogs.amount > 0) {
    ++totals_.held;
    ledger_.Effect(way.clogs.by);
    way.held.push_back(slot);
    return std::nullopt;
  }
  Detach(slot);
  Packet packet = packets_.Take(slot);
  if (way.cuts.amount > 0) {
    Lose(packet, way.cuts, totals_.cut, "the link is cut");
    return std::nullopt;
  }
  if (way.loss.amount > 0 && rng_.Below(kRateScale) < way.loss.amount) {
    Lose(packet, way.loss, totals_.lost, "chance");
    return std::nullopt;
  }
  // A call reaches a server once at most, as over gRPC or TCP: "definitely not executed" says so of
  // one attempt, and would be a lie of two. Replies may come twice.
  const bool repeatable = packet.kind != PacketKind::kRequest;
  if (repeatable && way.duplication.amount > 0 && rng_.Below(kRateScale) < way.duplication.amount) {
    ++totals_.duplicated;
    ledger_.Effect(way.duplication.by);
    Launch(packet);  // It will arrive again: a late replay.
  }
  ++totals_.delivered;
  return packet;
}

void Network::Unclog(uint16_t from, uint16_t to, int64_t spacing) {
  Link& way = link(from, to);
  if (way.clogs.amount > 0) return;
  // In the order in which it was held.
  int64_t at = timeline_.now();
  for (const uint32_t slot : way.held) {
    timeline_.Schedule(at, EventKind::kDeliver, to, slot);
    at += spacing;
  }
  way.held.clear();
}

int64_t Network::SlowestOrdinary() const {
  return options_.floor_max + 3 * (options_.jitter_mean << options_.tail_doublings);
}

}  // namespace lockstep::sim
