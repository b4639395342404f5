#include "sim/faults/aimed_faults.h"

#include <bit>
#include <utility>
#include <variant>

#include "sim/network/latency.h"

namespace lockstep::sim {
namespace {

constexpr FaultKind kAimed[] = {
    FaultKind::kPowerCut,       FaultKind::kCrashUnheard,         FaultKind::kPowerCutAtBoot,
    FaultKind::kCrashInWrite,   FaultKind::kElectionStrike,       FaultKind::kSnapshotStrike,
    FaultKind::kPromiseStrike,  FaultKind::kMajorityCrashInWrite, FaultKind::kSyncFailure,
    FaultKind::kBitRot,         FaultKind::kHandoverStrike,       FaultKind::kIoFailure,
    FaultKind::kTransferStrike,
};

}  // namespace

AimedFaults::AimedFaults(const FaultOptions& options, FaultPlan& plan, World& world, Rng rng)
    : options_(options), plan_(plan), world_(world), rng_(rng) {
  armed_at_.fill(kNoTime);
  for (const FaultKind kind : kAimed) {
    if (options.on.contains(kind)) armed_at_[static_cast<size_t>(kind)] = plan.DrawGap(kind);
  }
}

bool AimedFaults::Takes(FaultKind kind) {
  int64_t& armed_at = armed_at_[static_cast<size_t>(kind)];
  if (armed_at > world_.timeline().now() || plan_.stopped()) return false;
  if (!rng_.Chance(options_.aim)) return false;
  armed_at = world_.timeline().now() + plan_.DrawGap(kind);
  world_.ledger().Attempted(kind);
  return true;
}

void AimedFaults::StrikeAfter(FaultKind kind, uint64_t servers, int64_t delay, bool may_cut_off) {
  Strike strike{.kind = kind, .servers = servers};
  if (may_cut_off) {
    strike.crash = rng_.Chance({1, 2});
    strike.clients = rng_.Chance({1, 2});
  }
  Schedule(strike, delay);
}

void AimedFaults::Schedule(const Strike& strike, int64_t delay) {
  world_.timeline().Schedule(world_.timeline().now() + delay, EventKind::kStrike, 0,
                             strikes_.Add(strike));
}

void AimedFaults::OnEvent(const Event& event) {
  const Strike strike = strikes_.Take(event.payload);
  world_.timeline().hash().Add(static_cast<uint64_t>(strike.kind) | strike.servers << 8);
  if (plan_.stopped()) return;
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!Contains(strike.servers, id)) continue;
    if (strike.successor != 0) {
      plan_.SpoilTransfer(id, strike.successor);
    } else if (strike.crash) {
      plan_.CrashNow(strike.kind, id);
    } else {
      plan_.CutOffNow(strike.kind, id, strike.clients);
    }
  }
}

// --- Opportunities ---

void AimedFaults::OnNote(NodeHost& host, const Note& note) {
  switch (note.kind) {
    case NoteKind::kBecameLeader:
      if (Takes(FaultKind::kElectionStrike)) {
        const uint64_t delay = rng_.Magnitude(1'000, 20'000'000);
        StrikeAfter(FaultKind::kElectionStrike, One(host.id()), static_cast<int64_t>(delay),
                    /*may_cut_off=*/true);
      }
      return;
    case NoteKind::kVoteGranted:
      if (Takes(FaultKind::kElectionStrike)) {
        const bool candidate = rng_.Chance({1, 3});
        const uint64_t delay = rng_.Magnitude(1'000, 5'000'000);
        const uint16_t target = candidate ? static_cast<uint16_t>(note.peer.value()) : host.id();
        StrikeAfter(FaultKind::kElectionStrike, One(target), static_cast<int64_t>(delay),
                    /*may_cut_off=*/true);
      }
      [[fallthrough]];
    case NoteKind::kAppendAcked:
      if (Takes(FaultKind::kPromiseStrike)) {
        const uint64_t delay = rng_.Magnitude(1, 200'000);
        StrikeAfter(FaultKind::kPromiseStrike, One(host.id()), static_cast<int64_t>(delay),
                    /*may_cut_off=*/false);
      }
      return;
    case NoteKind::kApplied:
      if (note.entry->kind == EntryKind::kInternal) OnHandover(host);
      return;
    case NoteKind::kTransferStarted:
      if (Takes(FaultKind::kTransferStrike)) {
        Schedule({.kind = FaultKind::kTransferStrike,
                  .servers = One(host.id()),
                  .successor = static_cast<uint16_t>(note.peer.value())},
                 /*delay=*/0);
      }
      return;
    case NoteKind::kSnapshotSent:
    case NoteKind::kSnapshotResumed:
      return OnSnapshot(host, note.peer);
    case NoteKind::kSnapshotInstalled:
    case NoteKind::kBaseMoved:
      return OnSnapshot(host, NodeId());
    default:
      return;
  }
}

void AimedFaults::OnSnapshot(const NodeHost& host, NodeId peer) {
  if (!Takes(FaultKind::kSnapshotStrike)) return;
  const bool other = rng_.Chance({1, 2});
  const uint16_t target = other && peer ? static_cast<uint16_t>(peer.value()) : host.id();
  const uint64_t delay = rng_.Magnitude(1, 5'000'000);
  StrikeAfter(FaultKind::kSnapshotStrike, One(target), static_cast<int64_t>(delay),
              /*may_cut_off=*/true);
}

// Here, or where somebody waits for it: any server may be that.
void AimedFaults::OnHandover(const NodeHost& host) {
  if (!Takes(FaultKind::kHandoverStrike)) return;
  const bool here = rng_.Chance({2, 3});
  const uint64_t other = 1 + rng_.Below(world_.servers());
  const uint64_t delay = rng_.Magnitude(1, 5'000'000);
  const uint16_t target = here ? host.id() : static_cast<uint16_t>(other);
  StrikeAfter(FaultKind::kHandoverStrike, One(target), static_cast<int64_t>(delay),
              /*may_cut_off=*/true);
}

uint64_t AimedFaults::Writing() {
  uint64_t writing = 0;
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!world_.server(id).lane(Lane::kLog).empty()) writing |= One(id);
  }
  return writing;
}

void AimedFaults::OnSubmitted(NodeHost& host, const StorageJob& job) {
  if (const ReadSnapshot* read = std::get_if<ReadSnapshot>(&job)) {
    return OnSnapshot(host, read->peer);
  }
  if (std::holds_alternative<WriteSnapshot>(job)) return OnSnapshot(host, NodeId());
  if (LaneOf(job) != Lane::kLog) return;
  const int64_t window = host.lane(Lane::kLog).completes_at - world_.timeline().now();
  if (window <= 0) return;  // put off by a pause: its end is not known
  if (Takes(FaultKind::kCrashInWrite)) {
    const uint64_t delay = rng_.Below(static_cast<uint64_t>(window));
    StrikeAfter(FaultKind::kCrashInWrite, One(host.id()), static_cast<int64_t>(delay),
                /*may_cut_off=*/false);
  }
  const uint64_t writing = Writing();
  if (std::popcount(writing) * 2 <= world_.servers()) return;
  if (!Takes(FaultKind::kMajorityCrashInWrite)) return;
  const uint64_t delay = rng_.Below(static_cast<uint64_t>(window));
  const bool everybody = rng_.Chance({1, 2});
  StrikeAfter(FaultKind::kMajorityCrashInWrite, everybody ? world_.AllServers() : writing,
              static_cast<int64_t>(delay), /*may_cut_off=*/false);
}

Interference AimedFaults::Interfere(FaultKind kind, NodeHost& host, Interference::Kind how,
                                    uint64_t operations_max) {
  FaultInterval interval;
  interval.kind = kind;
  interval.begin = world_.timeline().now();
  interval.servers = One(host.id());
  interval.instant = true;
  interval.begun = true;
  if (operations_max > 0) interval.severity = rng_.Magnitude(1, operations_max);
  Interference interference{.kind = how,
                            .operations = interval.severity,
                            .fault = kNoFault,
                            .downtime = plan_.DrawLength(kind)};
  world_.timeline().hash().Add(static_cast<uint64_t>(kind) | interval.severity << 8);
  world_.tracer().Add(TraceKind::kFault, host.id(), 0, [&] { return Describe(interval); });
  interference.fault = world_.ledger().Applied(std::move(interval));
  return interference;
}

Interference AimedFaults::FailCall(NodeHost& host, bool log, uint64_t calls_max) {
  static constexpr Interference::Kind kKinds[] = {Interference::Kind::kReadFailure,
                                                  Interference::Kind::kWriteFailure,
                                                  Interference::Kind::kNoSpace};
  const uint64_t drawn = rng_.Below(log ? 2 : 3);
  const Interference::Kind how = kKinds[log ? 1 + drawn : drawn];
  return Interfere(FaultKind::kIoFailure, host, how, calls_max);
}

Interference AimedFaults::BeforeStorage(NodeHost& host, const StorageJob& job) {
  if (Takes(FaultKind::kPowerCut)) {
    // A log write is a write and a sync; table work may be dozens of changes to the disk.
    const uint64_t operations_max = LaneOf(job) == Lane::kLog ? 4 : 64;
    return Interfere(FaultKind::kPowerCut, host, Interference::Kind::kPowerCut, operations_max);
  }
  if (Takes(FaultKind::kCrashUnheard)) {
    return Interfere(FaultKind::kCrashUnheard, host, Interference::Kind::kUnheard, 0);
  }
  const bool syncs = LaneOf(job) == Lane::kLog || std::holds_alternative<Checkpoint>(job) ||
                     std::holds_alternative<WriteSnapshot>(job);
  if (syncs && Takes(FaultKind::kSyncFailure)) {
    const uint64_t syncs_max = LaneOf(job) == Lane::kLog ? 2 : 8;
    return Interfere(FaultKind::kSyncFailure, host, Interference::Kind::kSyncFailure, syncs_max);
  }
  // Of the log only a compaction reads, and of a table little that is not in memory.
  if (Takes(FaultKind::kIoFailure)) {
    const bool log = LaneOf(job) == Lane::kLog;
    return FailCall(host, log, /*calls_max=*/log ? 2 : 6);
  }
  return {};
}

Interference AimedFaults::BeforeBoot(NodeHost& host) {
  if (Takes(FaultKind::kBitRot)) plan_.RotNow(FaultKind::kBitRot, host.id());
  const std::optional<int64_t> age = plan_.NextDeath(host.id());
  if (age.has_value()) {
    StrikeAfter(FaultKind::kCrashLoop, One(host.id()), *age, /*may_cut_off=*/false);
  }
  if (Takes(FaultKind::kPowerCutAtBoot)) {
    return Interfere(FaultKind::kPowerCutAtBoot, host, Interference::Kind::kPowerCut, 64);
  }
  if (Takes(FaultKind::kSyncFailure)) {
    return Interfere(FaultKind::kSyncFailure, host, Interference::Kind::kSyncFailure, 8);
  }
  if (Takes(FaultKind::kIoFailure)) return FailCall(host, /*log=*/false, /*calls_max=*/16);
  return {};
}

}  // namespace lockstep::sim
