#include "sim/world/weather.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kMicrosecond = 1'000;
constexpr int64_t kMillisecond = 1'000'000;

int64_t DrawMagnitude(Rng& rng, int64_t first, int64_t final) {
  return static_cast<int64_t>(
      rng.Magnitude(static_cast<uint64_t>(first), static_cast<uint64_t>(final)));
}

Latency DrawDiskLatency(Rng& rng, int64_t first, int64_t final) {
  Latency latency;
  latency.floor = DrawMagnitude(rng, first, final);
  latency.mean = DrawMagnitude(rng, latency.floor / 64 + 1, latency.floor * 2);
  const bool tail = rng.Chance({1, 2});
  const uint64_t tail_every = rng.Magnitude(16, 1024);
  if (tail) latency.tail = {1, static_cast<uint32_t>(tail_every)};
  latency.tail_doublings = static_cast<uint32_t>(rng.Between(2, 6));
  return latency;
}

CrashOptions DrawCrash(Rng& rng) {
  CrashOptions crash;
  const auto weight = [&rng] { return static_cast<uint32_t>(rng.Below(4)); };
  crash.files.keep = weight();
  crash.files.drop = weight();
  crash.files.prefix = weight();
  crash.files.pages = weight();
  crash.files.sectors = weight() + 1;
  crash.names.keep = weight();
  crash.names.drop = weight();
  crash.names.prefix = weight();
  crash.names.independent = weight() + 1;
  return crash;
}

std::string Microseconds(int64_t nanoseconds) { return absl::StrCat(nanoseconds / 1000, " us"); }

std::string Describe(const Latency& latency) {
  std::string text = absl::StrCat(Microseconds(latency.floor), " + ~", Microseconds(latency.mean));
  if (latency.tail.numerator != 0) {
    absl::StrAppend(&text, " (1/", latency.tail.denominator, " up to x",
                    uint64_t{1} << latency.tail_doublings, ")");
  }
  return text;
}

std::string Describe(const CrashOptions& crash) {
  return absl::StrCat("files keep ", crash.files.keep, " drop ", crash.files.drop, " prefix ",
                      crash.files.prefix, " pages ", crash.files.pages, " sectors ",
                      crash.files.sectors, "; names keep ", crash.names.keep, " drop ",
                      crash.names.drop, " prefix ", crash.names.prefix, " independent ",
                      crash.names.independent);
}

}  // namespace

NetworkOptions DrawNetwork(Rng rng) {
  NetworkOptions network;
  network.floor_min = DrawMagnitude(rng, 20 * kMicrosecond, 2 * kMillisecond);
  network.floor_max = network.floor_min * static_cast<int64_t>(rng.Between(1, 6));
  network.jitter_mean = DrawMagnitude(rng, network.floor_min / 64, network.floor_max);
  const bool tail = rng.Chance({1, 2});
  const uint64_t tail_every = rng.Magnitude(16, 1024);
  if (tail) network.tail = {1, static_cast<uint32_t>(tail_every)};
  network.tail_doublings = static_cast<uint32_t>(rng.Between(2, 6));
  return network;
}

HostOptions DrawHost(Rng rng) {
  HostOptions host;
  host.log_latency = DrawDiskLatency(rng, 10 * kMicrosecond, 4 * kMillisecond);
  host.table_latency = DrawDiskLatency(rng, 5 * kMicrosecond, kMillisecond);
  const bool long_turns = rng.Chance({1, 2});
  const uint64_t turn_events = rng.Magnitude(2, 32);
  if (long_turns) host.turn_events_max = static_cast<uint32_t>(turn_events);
  host.turn_hold_max = DrawMagnitude(rng, kMicrosecond, 200 * kMicrosecond);
  host.crash = DrawCrash(rng);
  return host;
}

// From orders that differ by a message to ones in which a part of the cluster lags behind by more
// than anybody's patience.
PctOptions DrawPct(Rng rng, const NetworkOptions& network, Duration unit) {
  PctOptions pct;
  const int64_t shortest = network.floor_min;
  pct.window = DrawMagnitude(rng, shortest, std::max(shortest, 4 * unit.count()));
  pct.depth = static_cast<uint32_t>(rng.Between(1, 8));
  pct.steps_max = rng.Magnitude(64, 65536);
  return pct;
}

std::string Describe(const PctOptions& pct) {
  if (pct.window == 0) return "";
  return absl::StrCat("\nschedule: PCT of depth ", pct.depth, " within ", pct.steps_max,
                      " steps, window ", Microseconds(pct.window));
}

std::string Describe(const WorldOptions& world) {
  const NetworkOptions& network = world.network;
  const HostOptions& host = world.host;
  const Latency jitter{.floor = network.floor_max,
                       .mean = network.jitter_mean,
                       .tail = network.tail,
                       .tail_doublings = network.tail_doublings};
  return absl::StrCat("network: ", Microseconds(network.floor_min), "..", Describe(jitter),
                      "\ndisk: log ", Describe(host.log_latency), ", table ",
                      Describe(host.table_latency), "\ncrash: ", Describe(host.crash),
                      "\nturns: up to ", host.turn_events_max, " events, held up to ",
                      Microseconds(host.turn_hold_max), Describe(world.pct));
}

}  // namespace lockstep::sim
