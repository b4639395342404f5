// The lives of a server: boots, crashes, pauses and stalls.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/world/node_host.h"

namespace lockstep::sim {

void NodeHost::OnBoot() {
  Check(!up());
  ++incarnation_;
  boot_at_ = kNoTime;
  services_.timeline.hash().Add(incarnation_);
  services_.tracer.Add(TraceKind::kProcess, id_, 0,
                       [&] { return absl::StrCat("boots, life ", incarnation_); });
  refused_before_ = files_.counters().refused_full;
  clock_.Draw(options_.clock, services_.timeline.now(), clock_rng_.Split("life", incarnation_));
  const Interference interference = services_.observer.BeforeBoot(*this);
  Arm(interference);
  const uint64_t life_number = uint64_t{id_} * 1000 + incarnation_;
  in_process_ = true;  // The process notes what it finds.
  absl::StatusOr<Life> life =
      services_.software.Boot(node(), files_, root_.Split("node", life_number), host_);
  in_process_ = false;
  const bool disk_failed = Disarm(interference);
  if (interference.Kills()) {
    if (life.ok()) life_ = *std::move(life);
    return Die(interference);
  }
  if (life.ok() && disk_failed) return IgnoredFailedSync("boot");
  if (!life.ok() && Explains(interference, disk_failed, life.status())) {
    services_.tracer.Add(TraceKind::kProcess, id_, 0, [&] {
      return absl::StrCat("refuses to start: ", life.status().ToString());
    });
    files_.Kill();
    if (disk_failed) BootAt(services_.timeline.now() + interference.downtime);
    if (!disk_failed) services_.observer.OnRefused(*this);
    return;
  }
  if (!life.ok() && RanOutOfSpace()) {
    services_.ledger.Effect(filled_by_);
    files_.Kill();
    return BootAt(services_.timeline.now() + filled_for_);
  }
  if (!life.ok()) {
    services_.observer.OnBroken(
        *this, "Storage Failed",
        absl::StrCat("server ", id_, " cannot recover: ", life.status().ToString()));
    return;
  }
  life_ = *std::move(life);
  NoteRepairs();
  ++measurement_;
  if (files_.limited()) Measure();
  EndTurn();
}

// --- Space ---

// A write of this life has found no space: after that nothing that fails is a surprise.
bool NodeHost::RanOutOfSpace() const {
  return files_.counters().refused_full > refused_before_ && filled_by_ != kNoFault;
}

void NodeHost::FillDisk(uint64_t free_bytes, int64_t length, uint32_t fault) {
  files_.LeaveFree(free_bytes);
  filled_by_ = fault;
  filled_for_ = std::max<int64_t>(length, 1);
  MeasureSoon();
}

void NodeHost::EmptyDisk() {
  files_.SetCapacity(SimFileSystem::kUnlimited);
  MeasureSoon();
}

// As long as space is scarce it is measured again and again, between writes and in no rhythm with
// them.
void NodeHost::MeasureSoon() {
  const uint64_t delay = space_rng_.Magnitude(1'000, 20'000'000);
  services_.timeline.Schedule(services_.timeline.now() + static_cast<int64_t>(delay),
                              EventKind::kSpace, id_, ++measurement_);
}

void NodeHost::OnSpace() {
  Measure();
  EndTurnOrHold();
}

void NodeHost::Measure() {
  const uint64_t free = files_.FreeBytes("/").value_or(0);
  services_.timeline.hash().Add(free);
  services_.tracer.Add(TraceKind::kStorage, id_, 0, [&] {
    return files_.limited() ? absl::StrCat(free, " bytes are free") : "there is space";
  });
  services_.observer.OnMeasured(*this, free);
  in_process_ = true;
  life_.process->OnSpace({.free_bytes = free});
  if (files_.limited()) MeasureSoon();
}

// Damage that no fault has done is a finding.
void NodeHost::NoteRepairs() {
  for (const std::string& repair : life_.repairs) {
    ++repairs_;
    services_.tracer.Add(TraceKind::kProcess, id_, 0, [&] { return "repairs: " + repair; });
    services_.ledger.Effect(rotted_by);
    if (rotted_by != kNoFault) continue;
    services_.observer.OnBroken(*this, "Imaginary Damage",
                                absl::StrCat("server ", id_, ": ", repair));
  }
}

// --- Storage errors ---

void NodeHost::Arm(const Interference& interference) {
  if (interference.kind == Interference::Kind::kPowerCut) {
    files_.PowerCutAfter(interference.operations);
  }
  failures_before_ = files_.counters().failed_syncs + files_.counters().failed_calls;
  using IoFailure = SimFileSystem::IoFailure;
  switch (interference.kind) {
    case Interference::Kind::kSyncFailure:
      return files_.FailSyncAfter(interference.operations);
    case Interference::Kind::kReadFailure:
      return files_.FailCallAfter(IoFailure::kRead, interference.operations);
    case Interference::Kind::kWriteFailure:
      return files_.FailCallAfter(IoFailure::kWrite, interference.operations);
    case Interference::Kind::kNoSpace:
      return files_.FailCallAfter(IoFailure::kNoSpace, interference.operations);
    default:
      return;
  }
}

bool NodeHost::Disarm(const Interference& interference) {
  if (interference.kind == Interference::Kind::kNone || interference.Kills()) return false;
  files_.FailSyncAfter(0);
  files_.FailCallAfter(SimFileSystem::IoFailure::kRead, 0);
  return files_.counters().failed_syncs + files_.counters().failed_calls > failures_before_;
}

// What a fault has done to the disk may be reported, by its own name.
bool NodeHost::Explains(const Interference& interference, bool disk_failed,
                        const absl::Status& error) {
  const uint32_t fault = disk_failed               ? interference.fault
                         : absl::IsDataLoss(error) ? rotted_by
                                                   : kNoFault;
  services_.ledger.Effect(fault);
  return fault != kNoFault;
}

void NodeHost::IgnoredFailedSync(const std::string& doing) {
  services_.observer.OnBroken(
      *this, "Failed Sync Is Fatal",
      absl::StrCat("server ", id_, ": ", doing,
                   ": a sync, a read or a write failed, and storage reported success"));
}

// A storage error is the end of the process: it hears of it, falls silent, and is stopped. The
// machine goes on, so that the next life sees what this one wrote.
void NodeHost::StopItself(Lane which, const absl::Status& error, int64_t downtime) {
  StorageLane& lane = lanes_[static_cast<size_t>(which)];
  const Ticket ticket = lane.first_ticket();
  lane.Pop();
  silenced_ = true;
  in_process_ = true;
  life_.process->OnStorage(which, ticket, error);
  EndTurn();
  Crash(CrashKind::kKill, downtime);
}

bool NodeHost::IsSilenced(absl::string_view doing) {
  if (!silenced_) return false;
  services_.observer.OnBroken(
      *this, "Storage Errors Are Fatal",
      absl::StrCat("server ", id_, " ", doing, " after it was told of a storage error"));
  return true;
}

void NodeHost::Die(const Interference& interference) {
  services_.ledger.Effect(interference.fault);
  if (up()) {
    Crash(CrashKind::kPower, interference.downtime);
    return;
  }
  // Power failed while it booted: there was no life yet, only a disk.
  files_.Crash(disk_rng_, options_.crash);
  services_.observer.OnCrashed(*this);
  boot_at_ = kNoTime;
  if (interference.downtime != kNoTime) BootAt(services_.timeline.now() + interference.downtime);
}

bool NodeHost::Crash(CrashKind kind, int64_t downtime) {
  Check(!in_process_, "a process cannot be destroyed by its own call");
  if (!up()) return false;
  services_.tracer.Add(TraceKind::kProcess, id_, 0, [&] {
    return absl::StrCat(kind == CrashKind::kKill ? "is killed in life " : "loses power in life ",
                        incarnation_, " with ", lanes_[0].size() + lanes_[1].size(),
                        " storage jobs under way");
  });
  InterruptStorage();
  // What the destructors of a database write is not written by a power failure.
  files_.PowerCutAfter(0);
  life_.process.reset();
  life_.storage.reset();
  if (kind == CrashKind::kKill) {
    files_.Kill();
  } else {
    files_.Crash(disk_rng_, options_.crash);
  }
  silenced_ = false;
  alarm_.Clear();
  // Asked before the lanes are cleared: was this a crash in a write?
  services_.observer.OnCrashed(*this);
  for (StorageLane& lane : lanes_) lane.Clear();
  paused_until_ = 0;
  first_request_ += requests_.size();
  requests_.clear();
  turn_events_ = 0;
  turn_end_scheduled_ = false;
  ++turn_;
  boot_at_ = kNoTime;
  if (downtime != kNoTime) BootAt(services_.timeline.now() + downtime);
  return true;
}

// Jobs are executed when their time is over; a crash before that would always find the disk as if
// they had never begun. In half of the crashes they had: some of their work is on the disk.
void NodeHost::InterruptStorage() {
  for (const StorageLane& lane : lanes_) {
    if (lane.empty() || !files_.powered()) continue;
    if (!disk_rng_.Chance({1, 2})) continue;
    // A log write is a write and a sync; table work may be dozens of changes to the disk.
    const uint64_t operations_max = LaneOf(lane.first()) == Lane::kLog ? 3 : 32;
    files_.PowerCutAfter(disk_rng_.Magnitude(1, operations_max));
    // Nobody hears of the result: it died with the process.
    [[maybe_unused]] const bool done = life_.storage->Run(lane.first()).ok();
  }
}

void NodeHost::BootAt(int64_t time) {
  if (up() || boot_at_ <= time) return;
  boot_at_ = time;
  services_.timeline.Schedule(time, EventKind::kBoot, id_, incarnation_);
}

void NodeHost::PauseUntil(int64_t time, uint32_t fault) {
  if (time <= paused_until_) return;
  paused_until_ = time;
  paused_by_ = fault;
  LeapClock();
}

// Nobody looks at the clock before the pause is over, so it may leap at once.
void NodeHost::LeapClock() {
  if (options_.clock.leap_max == 0) return;
  const int64_t leap =
      static_cast<int64_t>(clock_rng_.Magnitude(1, static_cast<uint64_t>(options_.clock.leap_max)));
  const bool leaps = clock_rng_.Chance({1, 2});
  if (!leaps) return;
  clock_.Leap(leap);
  if (alarm_.armed() != kNoTime) WakeAt(wake_at_);
}

void NodeHost::StallDiskUntil(Lane lane, int64_t time, uint32_t fault) {
  Stall& stall = stalls_[static_cast<size_t>(lane)];
  if (time <= stall.until) return;
  stall = {time, fault};
}

void NodeHost::Recover() {
  paused_until_ = 0;
  stalls_.fill({});
}

}  // namespace lockstep::sim
