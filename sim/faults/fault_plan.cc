#include "sim/faults/fault_plan.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/network/latency.h"

namespace lockstep::sim {
namespace {

// Kinds that come by chance; the others wait for their opportunity (aimed_faults.h).
constexpr FaultKind kByChance[] = {
    FaultKind::kLoss,
    FaultKind::kDuplication,
    FaultKind::kDelay,
    FaultKind::kPartition,
    FaultKind::kIsolation,
    FaultKind::kOneWay,
    FaultKind::kBridge,
    FaultKind::kClog,
    FaultKind::kSwizzle,
    FaultKind::kQueueLimit,
    FaultKind::kCrash,
    FaultKind::kPause,
    FaultKind::kMajorityCrash,
    FaultKind::kDiskStall,
    FaultKind::kDiskSlow,
    FaultKind::kLeaderIsolation,
    FaultKind::kBitRot,
    FaultKind::kGroupPartition,
    FaultKind::kMisdirectedWrite,
    FaultKind::kCrashLoop,
    FaultKind::kDiskFull,
    FaultKind::kDiskWipe,
};

}  // namespace

FaultPlan::FaultPlan(const FaultOptions& options, World& world, Quorums quorums, Rng rng)
    : options_(options),
      world_(world),
      quorums_(std::move(quorums)),
      rng_(rng),
      cast_{.servers = world.servers(), .clients = world.clients()},
      loops_(size_t{world.servers()} + 1),
      spots_(size_t{world.servers()} + 1),
      doubts_(size_t{world.servers()} + 1) {}

bool FaultPlan::on(FaultKind kind) const {
  if (stopped_ || !options_.on.contains(kind)) return false;
  return kind != FaultKind::kGroupPartition || quorums_.Differ();
}

int64_t FaultPlan::DrawLength(FaultKind kind) {
  const FaultRate& rate = options_.rate(kind);
  return rng_.Between(Duration(rate.length_min), Duration(rate.length_max)).count();
}

int64_t FaultPlan::DrawGap(FaultKind kind) {
  return ExponentialTail(rng_, options_.rate(kind).gap_mean);
}

void FaultPlan::Start() {
  for (const FaultKind kind : kByChance) {
    if (!on(kind)) continue;
    world_.timeline().Schedule(world_.timeline().now() + DrawGap(kind), EventKind::kFault, 0,
                               static_cast<uint32_t>(kind));
  }
}

void FaultPlan::OnEvent(const Event& event) {
  world_.timeline().hash().Add(event.payload);
  if (event.kind == EventKind::kFault) {
    const FaultKind kind = static_cast<FaultKind>(event.payload);
    if (!on(kind)) return;
    Attempt(kind);
    const int64_t next = world_.timeline().now() + DrawGap(kind);
    world_.timeline().Schedule(next, EventKind::kFault, 0, event.payload);
    return;
  }
  Check(event.kind == EventKind::kFaultEdge);
  if (!world_.ledger().interval(event.payload).begun) {
    if (!stopped_) Begin(event.payload);
  } else {
    End(event.payload);
  }
}

void FaultPlan::Attempt(FaultKind kind) {
  world_.ledger().Attempted(kind);
  switch (kind) {
    case FaultKind::kLoss:
    case FaultKind::kDuplication:
    case FaultKind::kDelay:
    case FaultKind::kClog:
    case FaultKind::kQueueLimit:
      return AttemptOnLinks(kind);
    case FaultKind::kPartition:
    case FaultKind::kIsolation:
    case FaultKind::kOneWay:
    case FaultKind::kBridge:
      return AttemptPartition(kind);
    case FaultKind::kGroupPartition:
      return AttemptGroupPartition();
    case FaultKind::kSwizzle:
      return AttemptSwizzle();
    case FaultKind::kCrashLoop:
      return AttemptCrashLoop();
    case FaultKind::kCrash:
      return AttemptCrash();
    case FaultKind::kMajorityCrash:
      return AttemptMajorityCrash();
    case FaultKind::kLeaderIsolation:
      return AttemptLeaderIsolation();
    case FaultKind::kBitRot:
    case FaultKind::kMisdirectedWrite:
      return RotNow(kind, DrawServer(rng_, cast_));
    case FaultKind::kDiskFull:
      return AttemptDiskFull();
    case FaultKind::kDiskWipe:
      return WipeNow(DrawServer(rng_, cast_));
    default:
      return AttemptOnServer(kind);
  }
}

FaultInterval FaultPlan::MakeInterval(FaultKind kind) {
  FaultInterval interval;
  interval.kind = kind;
  interval.begin = world_.timeline().now();
  interval.end = interval.begin + DrawLength(kind);
  return interval;
}

uint32_t FaultPlan::Add(FaultInterval interval) {
  const int64_t begin = interval.begin;
  const uint32_t fault = world_.ledger().Applied(std::move(interval));
  if (begin <= world_.timeline().now()) {
    Begin(fault);
  } else {
    world_.timeline().Schedule(begin, EventKind::kFaultEdge, 0, fault);
  }
  return fault;
}

void FaultPlan::Begin(uint32_t fault) {
  FaultInterval& interval = world_.ledger().interval(fault);
  interval.begun = true;
  world_.timeline().hash().Add(static_cast<uint64_t>(interval.kind) | interval.servers << 8);
  world_.timeline().hash().Add(interval.severity);
  world_.tracer().Add(TraceKind::kFault, 0, 0,
                      [&] { return absl::StrCat("begins: ", Describe(interval)); });
  Disturb(interval, fault);
  if (interval.end == kNoTime || interval.instant) return;
  world_.timeline().Schedule(interval.end, EventKind::kFaultEdge, 0, fault);
}

void FaultPlan::End(uint32_t fault) {
  if (!world_.ledger().Healed(fault)) return;
  const FaultInterval& interval = world_.ledger().interval(fault);
  world_.tracer().Add(TraceKind::kFault, 0, 0,
                      [&] { return absl::StrCat("ends: ", Describe(interval)); });
  Undisturb(interval);
}

void FaultPlan::Stop() {
  stopped_ = true;
  for (uint32_t fault = 0; fault < world_.ledger().intervals().size(); ++fault) {
    const FaultInterval& interval = world_.ledger().interval(fault);
    if (interval.begun && !interval.instant) End(fault);
  }
  for (uint16_t id = 1; id <= world_.servers(); ++id) world_.server(id).Recover();
}

void FaultPlan::Abandon(uint16_t server, Abandonment how) {
  FaultInterval interval;
  interval.begin = world_.timeline().now();
  interval.servers = One(server);
  switch (how) {
    case Abandonment::kDead:
      interval.kind = FaultKind::kCrash;
      interval.instant = true;
      world_.server(server).Crash(CrashKind::kPower, kNoTime);
      world_.server(server).Abandon();
      break;
    case Abandonment::kCutOff:
      interval.kind = FaultKind::kIsolation;
      break;
    case Abandonment::kDiskStalled:
    case Abandonment::kLogStalled:
    case Abandonment::kTableStalled:
      interval.kind = FaultKind::kDiskStall;
      if (how == Abandonment::kLogStalled)
        interval.severity = 1 + static_cast<uint64_t>(Lane::kLog);
      if (how == Abandonment::kTableStalled) {
        interval.severity = 1 + static_cast<uint64_t>(Lane::kTable);
      }
      break;
    case Abandonment::kHardlyLinked:
      interval.kind = FaultKind::kLoss;
      interval.severity = rng_.Between(uint64_t{32} << 10, uint64_t{62} << 10);  // of 65536
      break;
  }
  if (how == Abandonment::kCutOff || how == Abandonment::kHardlyLinked) {
    interval.links = Around(server, cast_, /*in=*/true, /*out=*/true, /*clients=*/false);
  }
  Add(std::move(interval));
}

}  // namespace lockstep::sim
