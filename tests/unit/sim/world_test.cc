// The life of servers in the world: who hears what, and who does not any more.
#include "sim/world/world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/sim/world_fake.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

TEST(World, SameSeedSameRun) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FakeWorld one(seed);
    FakeWorld two(seed);
    FakeWorld other(seed + 100);
    for (FakeWorld* world : {&one, &two, &other}) {
      world->RunUntil(20 * kMillisecond);
      world->world.server(2).Crash(CrashKind::kPower, 5 * kMillisecond);
      world->RunUntil(40 * kMillisecond);
    }
    EXPECT_EQ(one.seen.lines, two.seen.lines);
    EXPECT_EQ(one.world.timeline().hash(), two.world.timeline().hash());
    EXPECT_NE(one.world.timeline().hash(), other.world.timeline().hash());
  }
}

TEST(World, ClientsAreAnswered) {
  FakeWorld fake(1, Sized(3, 2));
  fake.RunUntil(100 * kMillisecond);
  for (const auto& client : fake.clients) {
    EXPECT_GT(client->replies.size(), 80u);
    EXPECT_TRUE(std::is_sorted(client->replies.begin(), client->replies.end()));
  }
  EXPECT_TRUE(fake.observer.broken.empty());
}

TEST(World, TheDeadHearNothing) {
  FakeWorld fake(1);
  fake.RunUntil(10 * kMillisecond);
  ASSERT_TRUE(fake.world.server(2).Crash(CrashKind::kPower, kNoTime));
  EXPECT_FALSE(fake.world.server(2).Crash(CrashKind::kPower, kNoTime)) << "it was dead already";
  const size_t before = fake.seen.lines.size();
  fake.RunUntil(30 * kMillisecond);
  EXPECT_GT(fake.seen.lines.size(), before);
  for (size_t i = before; i < fake.seen.lines.size(); ++i) {
    EXPECT_EQ(fake.seen.lines[i].find(" n2 "), std::string::npos) << fake.seen.lines[i];
  }
}

// The deadlines of the run are events like any other: they must not wait for a server.
TEST(World, TimeGoesOnWhileEverybodyIsDown) {
  FakeWorld fake(1);
  fake.RunUntil(10 * kMillisecond);
  for (uint16_t id = 1; id <= 3; ++id) fake.world.server(id).Crash(CrashKind::kPower, kNoTime);
  fake.world.timeline().Schedule(20 * kMillisecond, EventKind::kPhase, 0, 7);
  for (int i = 0; i < 10'000 && fake.observer.world_events.empty(); ++i) fake.world.Step();
  ASSERT_EQ(fake.observer.world_events.size(), 1u);
  EXPECT_EQ(fake.observer.world_events.front().payload, 7u);
  EXPECT_EQ(fake.world.timeline().now(), 20 * kMillisecond);
}

// Completions of the first life must not reach the second: tickets begin at 1 again.
TEST(World, ANewLifeHearsOnlyOfItsOwnStorage) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    WorldOptions options;
    options.host.log_latency = {.floor = 3 * kMillisecond};
    FakeWorld fake(seed, options);
    fake.RunUntil(5 * kMillisecond);
    fake.world.server(1).Crash(CrashKind::kPower, 1);
    const size_t before = fake.seen.lines.size();
    fake.RunUntil(30 * kMillisecond);
    uint64_t next = 1;
    for (size_t i = before; i < fake.seen.lines.size(); ++i) {
      const std::string& line = fake.seen.lines[i];
      if (line.find(" n1 stored log") == std::string::npos) continue;
      EXPECT_EQ(line.substr(line.rfind(' ') + 1), absl::StrCat(next++));
    }
    EXPECT_GT(next, 2u);
  }
}

// Of server 1's lines from `from` on, the time of the first that holds `text`; kNoTime: there is
// none.
int64_t TimeOf(const Seen& seen, size_t from, const std::string& text) {
  for (size_t i = from; i < seen.lines.size(); ++i) {
    const std::string& line = seen.lines[i];
    if (line.find(" n1 " + text) != std::string::npos) return std::stoll(line);
  }
  return kNoTime;
}

// Nothing that was set in motion for the first life moves the second: its alarm rings when it asked
// for it, and its first write takes as long as any.
TEST(World, ANewLifeBeginsFromNothing) {
  constexpr int64_t kLatency = 3 * kMillisecond;
  for (const int64_t downtime : {int64_t{1}, 500'000L, 5 * kMillisecond}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      WorldOptions options;
      options.host.log_latency = {.floor = kLatency};
      FakeWorld fake(seed, options);
      fake.RunUntil(5 * kMillisecond + static_cast<int64_t>(seed) * 100'000);
      const int64_t boot = fake.world.timeline().now() + downtime;
      fake.world.server(1).Crash(CrashKind::kPower, downtime);
      const size_t before = fake.seen.lines.size();
      fake.RunUntil(30 * kMillisecond);
      EXPECT_EQ(TimeOf(fake.seen, before, "wakes"), boot + kMillisecond);
      EXPECT_EQ(TimeOf(fake.seen, before, "stored log 1"), boot + kMillisecond + kLatency);
    }
  }
}

// A crash before the end of a write may leave any part of it, but nobody ever hears of it; what was
// heard of before is there.
TEST(World, WhatWasHeardOfIsOnTheDisk) {
  uint64_t partial = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    WorldOptions options;
    options.host.log_latency = {.floor = 1 * kMillisecond};
    FakeWorld fake(seed, options);
    fake.RunUntil(5 * kMillisecond + static_cast<int64_t>(seed) * 17'000);
    const bool writing = fake.world.server(1).writing();
    const auto heard = std::count_if(
        fake.seen.lines.begin(), fake.seen.lines.end(),
        [](const std::string& line) { return line.find(" n1 stored log") != std::string::npos; });
    fake.world.server(1).Crash(CrashKind::kPower, kNoTime);
    const auto size = fake.world.server(1).files().FileSize("/log");
    const uint64_t bytes = size.ok() ? *size : 0;
    EXPECT_GE(bytes, static_cast<uint64_t>(heard));
    EXPECT_LE(bytes, static_cast<uint64_t>(heard) + (writing ? 1 : 0));
    if (bytes > static_cast<uint64_t>(heard)) ++partial;
  }
  EXPECT_GT(partial, 0u);
}

TEST(World, InterferenceKillsTheProcessUnheard) {
  for (const Interference::Kind kind :
       {Interference::Kind::kUnheard, Interference::Kind::kPowerCut}) {
    FakeWorld fake(3);
    fake.RunUntil(5 * kMillisecond);
    fake.observer.next = {.kind = kind, .operations = 1, .downtime = kMillisecond};
    fake.RunUntil(20 * kMillisecond);
    EXPECT_EQ(fake.observer.crashes, 1);
    EXPECT_TRUE(fake.observer.broken.empty()) << "its error has an explanation";
    for (uint16_t id = 1; id <= 3; ++id) EXPECT_TRUE(fake.world.server(id).up());
  }
}

TEST(World, AnUnexplainedStorageErrorIsAFinding) {
  FakeWorld fake(3);
  fake.RunUntil(5 * kMillisecond);
  fake.world.server(1).files().SetSyncsFail(true);
  fake.RunUntil(10 * kMillisecond);
  ASSERT_FALSE(fake.observer.broken.empty());
  EXPECT_EQ(fake.observer.broken.front(), "Storage Failed");
}

Interference FailedSync(int64_t downtime) {
  return {.kind = Interference::Kind::kSyncFailure, .operations = 1, .downtime = downtime};
}

// The process hears of it, says nothing more, stops, and boots again.
TEST(World, AServerWhoseSyncFailsStopsItself) {
  FakeWorld fake(3);
  fake.RunUntil(5 * kMillisecond);
  const uint32_t lives = fake.world.server(1).incarnation() + fake.world.server(2).incarnation() +
                         fake.world.server(3).incarnation();
  fake.observer.next = FailedSync(kMillisecond);
  fake.observer.fault = fake.AddFault(FaultKind::kSyncFailure);
  while (fake.observer.crashes == 0 && fake.world.timeline().now() < 20 * kMillisecond) {
    fake.world.Step();
  }
  EXPECT_EQ(fake.observer.crashes, 1);
  EXPECT_TRUE(fake.observer.broken.empty()) << "its error has an explanation";
  EXPECT_EQ(fake.world.ledger().counts(FaultKind::kSyncFailure).effective, 1u);
  fake.RunUntil(fake.world.timeline().now() + 2 * kMillisecond);
  EXPECT_EQ(fake.world.server(1).incarnation() + fake.world.server(2).incarnation() +
                fake.world.server(3).incarnation(),
            lives + 1);
}

TEST(World, AFailedSyncThatStorageHidesIsAFinding) {
  FakeWorld fake(3);
  fake.seen.swallows_errors = true;
  fake.RunUntil(5 * kMillisecond);
  fake.observer.next = FailedSync(kMillisecond);
  fake.RunUntil(10 * kMillisecond);
  ASSERT_FALSE(fake.observer.broken.empty());
  EXPECT_EQ(fake.observer.broken.front(), "Failed Sync Is Fatal");
}

TEST(World, AProcessThatSpeaksAfterAStorageErrorIsAFinding) {
  FakeWorld fake(3);
  fake.seen.speaks_on = true;
  fake.RunUntil(5 * kMillisecond);
  fake.observer.next = FailedSync(kMillisecond);
  fake.observer.fault = fake.AddFault(FaultKind::kSyncFailure);
  fake.RunUntil(10 * kMillisecond);
  ASSERT_FALSE(fake.observer.broken.empty());
  EXPECT_EQ(fake.observer.broken.front(), "Storage Errors Are Fatal");
}

// Without a fault that explains it, damage is a finding; with one it is the end of the server, if
// it is called by its name.
TEST(World, ARottenServerStaysDown) {
  for (const bool rotten : {false, true}) {
    for (const absl::Status& said : {absl::DataLossError("bad"), absl::InternalError("bad")}) {
      FakeWorld fake(3);
      fake.RunUntil(5 * kMillisecond);
      for (uint16_t id = 1; id <= 3; ++id) {
        if (rotten) fake.world.server(id).rotted_by = fake.AddFault(FaultKind::kBitRot);
      }
      fake.world.server(2).Crash(CrashKind::kPower, kMillisecond);
      fake.seen.damage = said;
      fake.RunUntil(10 * kMillisecond);
      const bool explained = rotten && absl::IsDataLoss(said);
      EXPECT_EQ(fake.observer.broken.empty(), explained);
      if (!explained) continue;
      EXPECT_EQ(fake.world.ledger().counts(FaultKind::kBitRot).effective, 3u);
      for (uint16_t id = 1; id <= 3; ++id) EXPECT_FALSE(fake.world.server(id).up());
    }
  }
}

TEST(World, APausedServerCatchesUp) {
  FakeWorld fake(5);
  fake.RunUntil(5 * kMillisecond);
  fake.world.server(1).PauseUntil(15 * kMillisecond, kNoFault);
  const size_t before = fake.seen.lines.size();
  fake.RunUntil(14 * kMillisecond);
  for (size_t i = before; i < fake.seen.lines.size(); ++i) {
    EXPECT_EQ(fake.seen.lines[i].find(" n1 "), std::string::npos);
  }
  fake.RunUntil(20 * kMillisecond);
  const auto after = std::count_if(
      fake.seen.lines.begin() + static_cast<std::ptrdiff_t>(before), fake.seen.lines.end(),
      [](const std::string& line) { return line.find("1500") == 0 && line.find(" n1 ") == 8; });
  EXPECT_GT(after, 10) << "messages of ten milliseconds come within ten microseconds";
}

TEST(World, AStalledDiskCompletesNothing) {
  FakeWorld fake(5);
  fake.RunUntil(5 * kMillisecond);
  for (uint16_t id = 1; id <= 3; ++id) {
    fake.world.server(id).StallDiskUntil(Lane::kLog, 15 * kMillisecond, kNoFault);
    fake.world.server(id).StallDiskUntil(Lane::kTable, 15 * kMillisecond, kNoFault);
  }
  const uint64_t before = fake.seen.runs;
  fake.RunUntil(14 * kMillisecond);
  EXPECT_EQ(fake.seen.runs, before);
  fake.RunUntil(30 * kMillisecond);
  EXPECT_GT(fake.seen.runs, before);
}

TEST(World, LongTurnsHoldSeveralEvents) {
  WorldOptions options;
  options.host.turn_events_max = 8;
  options.host.turn_hold_max = 300'000;
  FakeWorld batched(1, options);
  FakeWorld single(1);
  batched.RunUntil(50 * kMillisecond);
  single.RunUntil(50 * kMillisecond);
  // Three boots are turns without an event.
  EXPECT_EQ(single.seen.turns, single.seen.lines.size() + 3);
  EXPECT_LT(batched.seen.turns, batched.seen.lines.size());
}

TEST(World, HintsArrive) {
  FakeWorld fake(1);
  fake.RunUntil(kMillisecond);
  fake.world.Hint(2, 3, /*up=*/false, 1000);
  fake.RunUntil(2 * kMillisecond);
  const auto hint = std::find_if(
      fake.seen.lines.begin(), fake.seen.lines.end(),
      [](const std::string& line) { return line.find(" n2 peer 3 down") != std::string::npos; });
  EXPECT_NE(hint, fake.seen.lines.end());
}

}  // namespace
}  // namespace lockstep::sim
