// Faults: their names, their swarm, their shapes, and that every one of them ends.
#include <gtest/gtest.h>

#include <bit>

#include "sim/faults/aimed_faults.h"
#include "sim/faults/bit_rot.h"
#include "sim/faults/fault_kind.h"
#include "sim/faults/fault_options.h"
#include "sim/faults/fault_plan.h"
#include "sim/faults/targets.h"
#include "storage/wal_format.h"
#include "tests/unit/sim/world_fake.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kUnit = 10'000'000;  // ns

TEST(FaultSet, ParsesWhatItPrints) {
  EXPECT_EQ(*FaultSet::Parse("all"), FaultSet::All());
  EXPECT_EQ(*FaultSet::Parse("none"), FaultSet::None());
  EXPECT_EQ(*FaultSet::Parse(""), FaultSet::None());
  const FaultSet set = *FaultSet::Parse("crash,partition");
  EXPECT_TRUE(set.contains(FaultKind::kCrash));
  EXPECT_FALSE(set.contains(FaultKind::kLoss));
  EXPECT_EQ(*FaultSet::Parse(set.ToString()), set);
  EXPECT_EQ(*FaultSet::Parse(FaultSet::All().ToString()), FaultSet::All());
  EXPECT_FALSE(FaultSet::Parse("all,-crash")->contains(FaultKind::kCrash));
  EXPECT_FALSE(FaultSet::Parse("crush").ok());
}

TEST(FaultSet, AWordThatIsNoKindIsToldOnOneLine) {
  const absl::Status status = FaultSet::Parse("\ncrush").status();
  EXPECT_EQ(status.message().substr(0, 28), "unknown fault kind \"\\ncrush\"");
}

TEST(FaultSet, EveryKindHasItsOwnName) {
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    EXPECT_EQ(FaultNamed(FaultName(kind)), kind);
  }
}

TEST(FaultOptions, EachKindIsOffInHalfOfTheRuns) {
  std::array<int, kFaultKinds> on{};
  constexpr int kRuns = 2000;
  for (uint64_t seed = 0; seed < kRuns; ++seed) {
    Rng rng(seed);
    const FaultOptions options = FaultOptions::Draw(rng, FaultSet::All(), false, kUnit);
    for (size_t i = 0; i < kFaultKinds; ++i) on[i] += options.on.contains(FaultKind(i)) ? 1 : 0;
  }
  for (size_t i = 0; i < kFaultKinds; ++i) EXPECT_NEAR(on[i], kRuns / 2, 120) << i;
}

TEST(FaultOptions, AllowingOneMoreChangesNoOther) {
  FaultSet allowed = FaultSet::All();
  allowed.erase(FaultKind::kDelay);
  Rng one(9);
  Rng two(9);
  const FaultOptions with = FaultOptions::Draw(one, FaultSet::All(), false, kUnit);
  const FaultOptions without = FaultOptions::Draw(two, allowed, false, kUnit);
  FaultSet rest = with.on;
  rest.erase(FaultKind::kDelay);
  EXPECT_EQ(rest, without.on);
  EXPECT_EQ(with.rate(FaultKind::kCrash).gap_mean, without.rate(FaultKind::kCrash).gap_mean);
}

TEST(Targets, ASplitCutsExactlyWhatLiesBetween) {
  const Cast cast{.servers = 5, .clients = 3};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    const uint64_t part = DrawPart(rng, cast);
    ASSERT_GT(std::popcount(part), 0);
    ASSERT_LT(std::popcount(part), 5);
    int between = 0;
    for (const Direction& link : Split(rng, cast, part, /*clients=*/false)) {
      EXPECT_NE(Contains(part, link.from), Contains(part, link.to));
      ++between;
    }
    EXPECT_EQ(between, 2 * std::popcount(part) * (5 - std::popcount(part)));
  }
}

TEST(Targets, ABridgeSeesBothSides) {
  const Cast cast{.servers = 5, .clients = 0};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    uint64_t cut = 0;
    for (const Direction& link : Bridge(rng, cast)) cut |= One(link.from) | One(link.to);
    EXPECT_LT(std::popcount(cut), 5) << "somebody is not cut at all";
  }
}

TEST(Targets, CompanyIsDrawnAsFarAsItMayJoin) {
  const uint64_t others = One(2) | One(3) | One(5);
  uint64_t drawn = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    const auto two_at_most = [](uint64_t company) { return std::popcount(company) <= 2; };
    const uint64_t company = DrawCompany(rng, others, two_at_most);
    EXPECT_EQ(company & ~others, 0u);
    EXPECT_LE(std::popcount(company), 2);
    drawn |= uint64_t{1} << company;
  }
  EXPECT_EQ(std::popcount(drawn), 7) << "each set of at most two, nobody among them";
}

// No link and no disk is disturbed, and no interval is open.
void ExpectCalm(FakeWorld& fake) {
  for (uint16_t from = 1; from <= 7; ++from) {
    for (uint16_t to = 1; to <= 7; ++to) {
      const Link& link = fake.world.network().link(from, to);
      EXPECT_EQ(link.cuts.amount, 0u);
      EXPECT_EQ(link.loss.amount, 0u);
      EXPECT_EQ(link.duplication.amount, 0u);
      EXPECT_EQ(link.delay.amount, 0u);
      EXPECT_EQ(link.clogs.amount, 0u);
      EXPECT_EQ(link.limits.amount, 0u);
      EXPECT_TRUE(link.held.empty());
    }
  }
  for (const FaultInterval& interval : fake.world.ledger().intervals()) {
    EXPECT_TRUE(interval.instant || interval.healed || !interval.begun) << Describe(interval);
  }
  for (uint16_t id = 1; id <= 5; ++id) {
    EXPECT_FALSE(fake.world.server(id).paused());
    EXPECT_EQ(fake.world.server(id).slow_disk.amount, 0u);
  }
}

// A leader is cut off alone or with followers, for longer than an election takes; those are always
// too few to decide anything, and they still hear each other.
TEST(FaultPlan, ALeaderIsLostWithAMinority) {
  int alone = 0;
  int together = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    FakeWorld fake(seed, Sized(5, 1));
    FaultOptions options;
    options.unit = kUnit;
    options.on.insert(FaultKind::kLeaderIsolation);
    options.rates[static_cast<size_t>(FaultKind::kLeaderIsolation)] = {
        .gap_mean = kUnit, .length_min = 1, .length_max = kUnit / 4};
    FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()), Rng(seed));
    plan.leaders.Elected(GroupId(1), 3);
    plan.Attempt(FaultKind::kLeaderIsolation);
    for (const FaultInterval& interval : fake.world.ledger().intervals()) {
      if (interval.holds) continue;
      const uint64_t lost = interval.servers;
      ASSERT_TRUE(Contains(lost, 3));
      ASSERT_LE(std::popcount(lost), 2);
      const bool in_company = std::popcount(lost) == 2;
      ++(in_company ? together : alone);
      if (in_company) {
        EXPECT_GE(interval.end, interval.begin + 2 * kUnit);
      }
      for (const Direction& link : interval.links) {
        EXPECT_NE(Contains(lost, link.from), Contains(lost, link.to));
      }
    }
  }
  EXPECT_GT(alone, 50);
  EXPECT_GT(together, 50);
}

// What a leader has told its successor arrives when all others have lost the leader.
TEST(FaultPlan, ASpoiltTransferIsObeyedLate) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    FakeWorld fake(seed, Sized(5, 1));
    FaultOptions options;
    options.unit = kUnit;
    FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()), Rng(seed));
    plan.SpoilTransfer(/*leader=*/3, /*successor=*/4);
    EXPECT_GT(fake.world.network().link(3, 4).clogs.amount, 0u);
    const auto& intervals = fake.world.ledger().intervals();
    ASSERT_EQ(intervals.size(), 2u);
    const FaultInterval& late = intervals[0];
    const FaultInterval& silence = intervals[1];
    EXPECT_LE(silence.begin, late.end);
    EXPECT_LE(late.end, fake.world.timeline().now() + kUnit);
    EXPECT_GE(silence.end, late.end + kUnit);
    EXPECT_EQ(silence.links.size(), 7u) << "all but the one that is held";
  }
}

// Everything on, for a while; then the storm is called off and nothing may remain of it, neither at
// once nor later.
TEST(FaultPlan, EveryFaultEnds) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    FakeWorld fake(seed, Sized(5, 2));
    Rng rng(seed);
    const FaultOptions options = FaultOptions::Draw(rng, FaultSet::All(), true, kUnit);
    FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()),
                   Rng(seed).Split("faults"));
    AimedFaults aimed(options, plan, fake.world, Rng(seed).Split("aimed"));
    plan.Start();
    size_t handled = 0;
    const auto step_until = [&](int64_t until) {
      while (fake.world.timeline().now() < until) {
        fake.world.Step();
        while (handled < fake.observer.world_events.size()) {
          plan.OnEvent(fake.observer.world_events[handled++]);
        }
      }
    };
    step_until(100 * kUnit);
    plan.Stop();
    ExpectCalm(fake);
    const size_t intervals = fake.world.ledger().intervals().size();
    EXPECT_GT(intervals, 20u);
    step_until(130 * kUnit);
    EXPECT_EQ(fake.world.ledger().intervals().size(), intervals) << "nothing new";
    ExpectCalm(fake);
    for (uint16_t id = 1; id <= 5; ++id) {
      EXPECT_NE(fake.world.server(id).up(), Contains(plan.wiped(), id))
          << "crashed servers come back, but for those whose disks are gone";
    }
  }
}

// A log of three commits.
std::string Segment() {
  storage::wal::FrameBuilder frame;
  frame.BeginSegment({.sequence = 1, .first_batch = 1, .salt = 7});
  std::string bytes(frame.Finish());
  for (uint64_t batch = 2; batch <= 3; ++batch) {
    frame.Begin(batch, 7);
    frame.AddHardState(GroupId(1), {Term(batch), NodeId(1)});
    const absl::string_view added = frame.Finish();
    bytes.append(added.data(), added.size());
  }
  return bytes;
}

std::unique_ptr<storage::File> Write(SimFileSystem& files, const std::string& path,
                                     const std::string& bytes) {
  auto file = files.Open(path, storage::OpenMode::kCreate);
  EXPECT_TRUE(file.ok() && (*file)->Append(bytes).ok() && (*file)->Sync().ok());
  return *std::move(file);
}

// In a log only what a later commit follows.
TEST(BitRot, HitsWhatCanBeToldFromATornEnd) {
  const std::string segment = Segment();
  const uint64_t last_frame = segment.size() - 32 - 34;
  ASSERT_TRUE(storage::wal::DecodeFrameHeader(segment, last_frame).has_value());
  SimFileSystem files;
  const auto log = Write(files, "0000000000000001.log", segment);
  const auto table = Write(files, "000005.ldb", std::string(100, 't'));
  Write(files, "LOCK", "");
  uint64_t in_log = 0;
  uint64_t in_table = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    Rng rng(seed);
    const std::optional<RotSpot> spot = DrawRotSpot(rng, files);
    if (!spot.has_value()) continue;
    EXPECT_EQ(std::popcount(spot->mask), 1);
    if (spot->path == "000005.ldb") {
      ++in_table;
    } else {
      EXPECT_EQ(spot->path, "0000000000000001.log");
      EXPECT_LT(spot->offset, last_frame);
      ++in_log;
    }
  }
  EXPECT_GT(in_log, 50u);
  EXPECT_GT(in_table, 50u);
  // What a power failure may still take away proves nothing.
  ASSERT_TRUE(log->Append("x").ok());
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Rng rng(seed);
    const std::optional<RotSpot> spot = DrawRotSpot(rng, files);
    EXPECT_EQ(spot.value_or(RotSpot{.path = "000005.ldb"}).path, "000005.ldb");
  }
}

// Bytes that belong to one file lie in another one, and are missing in their own; all of it where
// damage can be told from a torn end, and never in both copies of the votes.
TEST(Misdirect, DamagesTwoPlaces) {
  const std::string segment = Segment();
  int done = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimFileSystem files;
    Write(files, "0000000000000001.log", segment);
    Write(files, "000005.ldb", std::string(300, 't'));
    Write(files, "promises-1", std::string(100, 'p'));
    Write(files, "promises-2", std::string(100, 'p'));
    Rng rng(seed);
    const std::vector<RotSpot> spots = Misdirect(rng, files);
    int of_votes = 0;
    for (const RotSpot& spot : spots) {
      EXPECT_TRUE(LiesThere(spot, files));
      of_votes += spot.path.find("promises") == 0 ? 1 : 0;
    }
    EXPECT_LT(of_votes, 2);
    const std::string& log = files.Content("0000000000000001.log")->bytes();
    EXPECT_EQ(log.substr(log.size() - 66), segment.substr(segment.size() - 66));
    done += spots.size() == 2 ? 1 : 0;
    EXPECT_EQ(files.counters().flips > 0, !spots.empty());
  }
  EXPECT_GT(done, 20);
}

// A server is lost until it has repaired the damage, so a majority never is.
TEST(FaultPlan, AMajorityNeverRots) {
  for (uint16_t servers = 1; servers <= 5; ++servers) {
    FakeWorld fake(servers, Sized(servers, 1));
    const FaultOptions options;
    FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()), Rng(servers));
    fake.RunUntil(kUnit);
    const auto flips = [&] {
      uint64_t sum = 0;
      for (uint16_t id = 1; id <= servers; ++id) {
        sum += fake.world.server(id).files().counters().flips;
      }
      return sum;
    };
    for (uint16_t id = 1; id <= servers; ++id) {
      Write(fake.world.server(id).files(), "000005.ldb", std::string(100, 't'));
    }
    uint64_t told = 0;
    plan.damaged = [&](uint16_t) { ++told; };
    for (int round = 0; round < 100; ++round) {
      for (uint16_t id = 1; id <= servers; ++id) plan.RotNow(FaultKind::kBitRot, id);
    }
    EXPECT_EQ(std::popcount(plan.lost()), (servers - 1) / 2) << servers;
    EXPECT_EQ(flips(), (servers - 1u) / 2);
    for (uint16_t id = 1; id <= servers; ++id) {
      const bool marked = fake.world.server(id).rotted_by != kNoFault;
      EXPECT_EQ(marked, Contains(plan.lost(), id));
    }
    EXPECT_EQ(told, flips());
    // The damage is gone: others may be hit now.
    for (uint16_t id = 1; id <= servers; ++id) {
      SimFileSystem& files = fake.world.server(id).files();
      for (const std::string& path : files.Files()) EXPECT_TRUE(files.Delete(path).ok());
    }
    EXPECT_EQ(plan.lost(), 0u);
    // A replica that has lost something is no better, until it promises something again.
    Note note{};
    note.kind = NoteKind::kBooted;
    note.group = GroupId(7);
    note.doubt = Term(3);
    plan.OnNote(1, note);
    EXPECT_EQ(plan.lost(), One(1));
    note.kind = NoteKind::kAppendAcked;
    plan.OnNote(1, note);
    EXPECT_EQ(plan.lost(), One(1));
    note.kind = NoteKind::kTrusted;
    plan.OnNote(1, note);
    EXPECT_EQ(plan.lost(), One(1)) << "it may still forget it";
    note.kind = NoteKind::kVoteGranted;
    plan.OnNote(1, note);
    EXPECT_EQ(plan.lost(), 0u);
  }
}

// Who has lost its disk is lost for ever, so a majority keeps theirs.
TEST(FaultPlan, AMajorityKeepsItsDisks) {
  FakeWorld fake(1, Sized(5, 1));
  const FaultOptions options;
  FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()), Rng(1));
  fake.RunUntil(kUnit);
  for (uint16_t id = 1; id <= 5; ++id) {
    Write(fake.world.server(id).files(), "000005.ldb", std::string(100, 't'));
  }
  plan.may_wipe = [] { return false; };
  plan.WipeNow(1);
  EXPECT_EQ(plan.wiped(), 0u);
  plan.may_wipe = [] { return true; };
  for (uint16_t id = 1; id <= 5; ++id) plan.WipeNow(id);
  EXPECT_EQ(plan.wiped(), One(1) | One(2));
  EXPECT_EQ(plan.lost(), plan.wiped());
  plan.RotNow(FaultKind::kBitRot, 3);
  EXPECT_EQ(plan.lost(), plan.wiped());
  fake.RunUntil(10 * kUnit);
  plan.Stop();
  EXPECT_EQ(plan.wiped(), One(1) | One(2)) << "nobody gives a disk back";
  for (uint16_t id = 1; id <= 5; ++id) {
    const bool wiped = Contains(plan.wiped(), id);
    EXPECT_NE(fake.world.server(id).up(), wiped);
    EXPECT_EQ(fake.world.server(id).files().Files().empty(), wiped);
  }
}

TEST(FaultPlan, AbandonedServersStayAway) {
  FakeWorld fake(1, Sized(5, 1));
  const FaultOptions options;
  FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()), Rng(1));
  fake.RunUntil(kUnit);
  plan.Stop();
  plan.Abandon(2, Abandonment::kDead);
  plan.Abandon(4, Abandonment::kCutOff);
  fake.RunUntil(10 * kUnit);
  EXPECT_FALSE(fake.world.server(2).up());
  EXPECT_TRUE(fake.world.server(4).up());
  EXPECT_TRUE(fake.world.network().IsCut(4, 1));
  EXPECT_TRUE(fake.world.network().IsCut(1, 4));
  EXPECT_FALSE(fake.world.network().IsCut(1, 3));
}

// A server whose log hangs still reads and applies, and the other way round.
TEST(FaultPlan, APartOfADiskMayHang) {
  FakeWorld fake(1, Sized(5, 1));
  const FaultOptions options;
  FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()), Rng(1));
  fake.RunUntil(kUnit);
  plan.Stop();
  plan.Abandon(2, Abandonment::kLogStalled);
  plan.Abandon(4, Abandonment::kTableStalled);
  fake.RunUntil(10 * kUnit);
  const auto waiting = [&](uint16_t id, Lane lane) {
    return fake.world.server(id).lane(lane).size();
  };
  EXPECT_GT(waiting(2, Lane::kLog), 5u);
  EXPECT_LE(waiting(2, Lane::kTable), 2u);
  EXPECT_LE(waiting(4, Lane::kLog), 2u);
  EXPECT_GT(waiting(4, Lane::kTable), 5u);
  EXPECT_LE(waiting(1, Lane::kLog), 2u);
  EXPECT_LE(waiting(1, Lane::kTable), 2u);
}

TEST(FaultPlan, AbandonedServersMayLimp) {
  FakeWorld fake(1, Sized(5, 1));
  const FaultOptions options;
  FaultPlan plan(options, fake.world, Quorums::OfAll(fake.world.AllServers()), Rng(1));
  fake.RunUntil(kUnit);
  plan.Stop();
  plan.Abandon(2, Abandonment::kDiskStalled);
  plan.Abandon(4, Abandonment::kHardlyLinked);
  fake.RunUntil(10 * kUnit);
  EXPECT_TRUE(fake.world.server(2).up());
  EXPECT_TRUE(fake.world.server(4).up());
  EXPECT_FALSE(fake.world.network().IsCut(4, 1));
  EXPECT_GE(fake.world.network().link(4, 1).loss.amount, 32u << 10);
  EXPECT_GE(fake.world.network().link(1, 4).loss.amount, 32u << 10);
  EXPECT_EQ(fake.world.network().link(1, 3).loss.amount, 0u);
}

}  // namespace
}  // namespace lockstep::sim
