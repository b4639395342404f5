// What the network promises, and what it may do.
#include "sim/network/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/network/latency.h"

namespace lockstep::sim {
namespace {

struct Arrival {
  int64_t time;
  std::string text;
};

// Three addresses and nobody behind them: arrivals are written down.
struct Net {
  explicit Net(const NetworkOptions& options = {}, uint64_t seed = 1, const PctOptions& pct = {})
      : schedule(pct, Network::ChainsFor(3), Rng(seed)),
        network(options, 3, Rng(seed), timeline, ledger, schedule, tracer) {}

  void Send(uint16_t from, uint16_t to, const std::string& text) {
    network.Send({.data = Bytes::Copy(text), .from = from, .to = to});
  }
  // Everything up to `until` happens.
  void RunUntil(int64_t until) {
    timeline.Schedule(until, EventKind::kPhase, 0, 0);
    for (;;) {
      const Event event = timeline.Next();
      timeline.Pass(event);
      if (event.kind == EventKind::kPhase) return;
      if (network.IsVoid(event.payload)) {
        network.Discard(event.payload);
        continue;
      }
      const std::optional<Packet> packet = network.Arrive(event.payload);
      if (packet.has_value()) {
        arrivals.push_back({event.time, std::string(packet->data.data(), packet->data.size())});
      }
    }
  }
  void Run() { RunUntil(timeline.now() + 100'000'000'000); }

  Timeline timeline;
  Tracer tracer{timeline, nullptr};
  FaultLedger ledger;
  PctSchedule schedule;
  Network network;
  std::vector<Arrival> arrivals;
};

TEST(Latency, ExponentialTailHasItsMeanAndItsBound) {
  Rng rng(7);
  constexpr int64_t kMean = 1'000'000;
  constexpr int kDraws = 200'000;
  int64_t sum = 0;
  int64_t most = 0;
  int above_three = 0;
  for (int i = 0; i < kDraws; ++i) {
    const int64_t drawn = ExponentialTail(rng, kMean);
    ASSERT_GE(drawn, 0);
    sum += drawn;
    most = std::max(most, drawn);
    if (drawn > 3 * kMean) ++above_three;
  }
  EXPECT_NEAR(static_cast<double>(sum) / kDraws, kMean, kMean * 0.02);
  EXPECT_LE(most, 22 * kMean);
  EXPECT_GT(above_three, kDraws / 50);  // exp(-3) is 5 %
  EXPECT_LT(above_three, kDraws / 10);
}

TEST(Network, DeliversWithinTheRangeOfLatencies) {
  const NetworkOptions options{.floor_min = 1000, .floor_max = 2000, .jitter_mean = 100};
  Net net(options);
  for (int i = 0; i < 1000; ++i) net.Send(1, 2, "x");
  net.Run();
  ASSERT_EQ(net.arrivals.size(), 1000u);
  for (const Arrival& arrival : net.arrivals) {
    EXPECT_GE(arrival.time, 1000);
    EXPECT_LE(arrival.time, 2000 + 22 * 100);
  }
  EXPECT_EQ(net.network.under_way(), 0u);
}

TEST(Network, LaterMessagesMayOvertake) {
  Net net({.floor_min = 1000, .floor_max = 1000, .jitter_mean = 1000});
  for (int i = 0; i < 100; ++i) net.Send(1, 2, absl::StrCat(1000 + i));
  net.Run();
  EXPECT_FALSE(std::is_sorted(net.arrivals.begin(), net.arrivals.end(),
                              [](const Arrival& a, const Arrival& b) { return a.text < b.text; }));
}

TEST(Network, NothingCrossesACutInItsDirection) {
  Net net;
  net.network.link(1, 2).cuts.Add(1, kNoFault);
  for (int i = 0; i < 100; ++i) net.Send(1, 2, "lost");
  for (int i = 0; i < 100; ++i) net.Send(2, 1, "back");
  for (int i = 0; i < 100; ++i) net.Send(1, 3, "other");
  net.Run();
  EXPECT_EQ(net.arrivals.size(), 200u);
  for (const Arrival& arrival : net.arrivals) EXPECT_NE(arrival.text, "lost");
  EXPECT_EQ(net.network.totals().cut, 100u);
}

TEST(Network, ACutStopsEveryKindOfPacket) {
  Net net;
  net.network.link(1, 2).cuts.Add(1, kNoFault);
  for (const PacketKind kind : {PacketKind::kPeer, PacketKind::kRequest, PacketKind::kReply}) {
    net.network.Send({.data = Bytes::Copy("lost"), .from = 1, .to = 2, .kind = kind});
  }
  net.Run();
  EXPECT_TRUE(net.arrivals.empty());
  EXPECT_EQ(net.network.totals().cut, 3u);
}

// Loss is decided at the end of the way: a cut hits what is under way, and a heal saves it.
TEST(Network, ACutIsJudgedOnArrival) {
  Net net({.floor_min = 1000, .floor_max = 1000, .jitter_mean = 0});
  net.Send(1, 2, "hit");
  net.RunUntil(500);
  net.network.link(1, 2).cuts.Add(1, kNoFault);
  net.RunUntil(1500);
  net.Send(1, 2, "saved");
  net.RunUntil(2000);
  net.network.link(1, 2).cuts.amount = 0;
  net.Run();
  ASSERT_EQ(net.arrivals.size(), 1u);
  EXPECT_EQ(net.arrivals[0].text, "saved");
}

TEST(Network, LosesAndDoublesAsOftenAsAsked) {
  Net net;
  FaultInterval interval;
  interval.kind = FaultKind::kLoss;
  const uint32_t loss = net.ledger.Applied(interval);
  net.network.link(1, 2).loss.Add(65536 / 4, loss);
  net.network.link(1, 3).duplication.Add(65536 / 4, kNoFault);
  for (int i = 0; i < 10'000; ++i) net.Send(1, 2, "lossy");
  for (int i = 0; i < 10'000; ++i) net.Send(1, 3, "double");
  net.Run();
  const auto count = [&](const std::string& text) {
    return std::count_if(net.arrivals.begin(), net.arrivals.end(),
                         [&](const Arrival& arrival) { return arrival.text == text; });
  };
  EXPECT_NEAR(static_cast<double>(count("lossy")), 7500, 250);
  EXPECT_NEAR(static_cast<double>(count("double")), 13333, 400);  // copies are copied again
  EXPECT_TRUE(net.ledger.interval(loss).effective);
  EXPECT_EQ(net.network.under_way(), 0u);
}

TEST(Network, AClogHoldsEverythingAndLetsItGoAtOnce) {
  Net net({.floor_min = 1000, .floor_max = 1000, .jitter_mean = 0});
  net.network.link(1, 2).clogs.Add(1, kNoFault);
  for (int i = 0; i < 10; ++i) net.Send(1, 2, absl::StrCat(i));
  net.RunUntil(50'000);
  EXPECT_TRUE(net.arrivals.empty());
  net.network.link(1, 2).clogs.amount = 0;
  net.network.Unclog(1, 2);
  net.Run();
  ASSERT_EQ(net.arrivals.size(), 10u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(net.arrivals[static_cast<size_t>(i)].time, 50'000);
    EXPECT_EQ(net.arrivals[static_cast<size_t>(i)].text, absl::StrCat(i));
  }
}

TEST(Network, AFullLinkPushesOneOut) {
  for (const bool clogged : {false, true}) {
    Net net;
    Link& link = net.network.link(1, 2);
    link.limits.Add(1, kNoFault);
    link.capacity = 4;
    if (clogged) link.clogs.Add(1, kNoFault);
    for (int i = 0; i < 100; ++i) {
      net.Send(1, 2, absl::StrCat(i));
      if (i == 50) net.RunUntil(net.timeline.now() + 10'000'000);
    }
    net.RunUntil(net.timeline.now() + 10'000'000);
    link.clogs.amount = 0;
    net.network.Unclog(1, 2);
    net.Run();
    EXPECT_EQ(net.arrivals.size(), clogged ? 4u : 8u);
    EXPECT_EQ(net.network.totals().evicted, 100 - net.arrivals.size());
    EXPECT_EQ(net.network.under_way(), 0u);
  }
}

TEST(Network, SlowLinksHaveAHeavyTail) {
  const NetworkOptions options{.floor_min = 1000, .floor_max = 1000, .jitter_mean = 1000};
  Net ordinary(options);
  Net slow(options);
  slow.network.link(1, 2).delay.Add(10, kNoFault);
  for (int i = 0; i < 1000; ++i) ordinary.Send(1, 2, "x");
  for (int i = 0; i < 1000; ++i) slow.Send(1, 2, "x");
  ordinary.Run();
  slow.Run();
  EXPECT_GT(slow.arrivals.back().time, 4 * ordinary.arrivals.back().time);
}

TEST(Network, PairsKeepTheirDistanceWithinARun) {
  const NetworkOptions options{.floor_min = 1000, .floor_max = 1'000'000, .jitter_mean = 0};
  Net net(options);
  EXPECT_EQ(net.network.link(1, 2).floor, net.network.link(2, 1).floor);
  EXPECT_NE(net.network.link(1, 2).floor, net.network.link(1, 3).floor);
  EXPECT_NE(Net(options, 2).network.link(1, 2).floor, net.network.link(1, 2).floor);
}

}  // namespace
}  // namespace lockstep::sim
