// What goes wrong with disks.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "sim/faults/bit_rot.h"
#include "tests/scenario/support/stage.h"

namespace lockstep::scenario {
namespace {

template <class Job>
bool IsA(const StorageJob& job) {
  return std::holds_alternative<Job>(job);
}

}  // namespace

// A storage error without a fault that explains it is a finding.
uint32_t Stage::NoteFault(sim::FaultKind kind, NodeId server) {
  sim::FaultInterval interval;
  interval.kind = kind;
  interval.begin = world_.timeline().now();
  interval.servers = uint64_t{1} << server.value();
  interval.instant = true;
  return world_.ledger().Applied(std::move(interval));
}

void Stage::SetPowerTrap(NodeId server, uint64_t change,
                         std::function<bool(const StorageJob&)> fits) {
  watch_.Set(server, {.fits = std::move(fits),
                      .what = {.kind = sim::Interference::Kind::kPowerCut,
                               .operations = change,
                               .fault = NoteFault(sim::FaultKind::kPowerCut, server),
                               .downtime = sim::kNoTime}});
}

void Stage::LosePowerInNextLogWrite(NodeId server, uint64_t change) {
  SetPowerTrap(server, change, &IsA<CommitLog>);
}

void Stage::LosePowerInNextCheckpoint(NodeId server, uint64_t change) {
  SetPowerTrap(server, change, &IsA<Checkpoint>);
}

void Stage::LosePowerInNextSnapshotPart(NodeId server, uint64_t change) {
  SetPowerTrap(server, change, &IsA<WriteSnapshot>);
}

void Stage::LosePowerInNextBoot(NodeId server, uint64_t change) {
  watch_.SetAtBoot(server, {.kind = sim::Interference::Kind::kPowerCut,
                            .operations = change,
                            .fault = NoteFault(sim::FaultKind::kPowerCutAtBoot, server),
                            .downtime = sim::kNoTime});
}

void Stage::FailNextFsync(NodeId server) {
  watch_.Set(server, {.fits = &IsA<CommitLog>,
                      .what = {.kind = sim::Interference::Kind::kSyncFailure,
                               .operations = 1,
                               .fault = NoteFault(sim::FaultKind::kSyncFailure, server),
                               .downtime = sim::kNoTime}});
}

void Stage::ExpectTrapSprings(NodeId server) {
  EXPECT_TRUE(RunUntil([&] { return !watch_.IsSet(server); }, std::chrono::seconds(10)))
      << "server " << server << " did nothing that could go wrong";
}

void Stage::FlipBit(NodeId server, Part part) {
  sim::NodeHost& host = HostOf(server);
  const std::vector<std::string> files = FilesOf(host, part);
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) {
    const std::optional<sim::RotSpot> spot = sim::DrawRotSpot(rng_, host.files());
    if (!spot.has_value()) continue;
    if (std::find(files.begin(), files.end(), spot->path) == files.end()) continue;
    if (absl::StrContains(spot->path, "promises")) continue;  // There are two of them.
    EXPECT_TRUE(host.files().FlipBits(spot->path, spot->offset, spot->mask));
    host.rotted_by = NoteFault(sim::FaultKind::kBitRot, server);
    watch_.checkers().OnDamage(server);
    if (part == Part::kTable) lost_.insert(server);
    return;
  }
  ADD_FAILURE() << "server " << server << " has nothing durable there that could rot";
}

void Stage::StallDisk(NodeId server, Part part, Duration span) {
  HostOf(server).StallDiskUntil(part == Part::kLog ? Lane::kLog : Lane::kTable,
                                world_.timeline().now() + span.count(), sim::kNoFault);
}

uint64_t Stage::BytesOnDisk(NodeId server, Part part) {
  return scenario::BytesOnDisk(HostOf(server), part);
}

}  // namespace lockstep::scenario
