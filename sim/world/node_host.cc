#include "sim/world/node_host.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/world/describe.h"

namespace lockstep::sim {
namespace {

// ns, within which a server that stood still finds what has piled up.
constexpr uint64_t kResumeSpread = 10'000;

}  // namespace

NodeHost::NodeHost(uint16_t id, const HostOptions& options, const Services& services,
                   const Rng& root)
    : id_(id),
      options_(options),
      services_(services),
      root_(root),
      disk_rng_(root.Split("disk", id)),
      turn_rng_(root.Split("turn", id)),
      space_rng_(root.Split("space", id)),
      clock_rng_(root.Split("clock", id)),
      host_{.clock = *this, .transport = *this, .disk = *this, .replies = *this, .journal = *this} {
}

NodeHost::~NodeHost() { life_.process.reset(); }

// --- Seams ---

void NodeHost::WakeAt(Instant when) {
  wake_at_ = when;
  alarm_.Set(services_.timeline, id_, clock_.WorldTime(when));
}

void NodeHost::Send(NodeId to, Bytes message) {
  if (IsSilenced("sent a message")) return;
  services_.observer.OnSent(*this, to, message);
  services_.tracer.Add(TraceKind::kSend, id_, static_cast<uint16_t>(to.value()), [&] {
    return absl::StrCat("to ", to.value(), ": ",
                        services_.software.Describe(PacketKind::kPeer, message));
  });
  services_.network.Send({.data = std::move(message),
                          .from = id_,
                          .to = static_cast<uint16_t>(to.value()),
                          .kind = PacketKind::kPeer});
}

Ticket NodeHost::Submit(StorageJob job) {
  const Lane which = LaneOf(job);
  if (IsSilenced("asked for storage")) return Ticket();
  StorageLane& lane = lanes_[static_cast<size_t>(which)];
  const bool idle = lane.empty();
  services_.tracer.Add(TraceKind::kStorage, id_, 0,
                       [&] { return absl::StrCat("submit ", DescribeJob(job)); });
  const Ticket ticket = lane.Push(std::move(job));
  if (idle) StartNext(which);
  services_.observer.OnSubmitted(*this, lane.last());
  return ticket;
}

void NodeHost::Reply(RequestId id, Bytes reply) {
  if (IsSilenced("answered a request")) return;
  if (id.value() < first_request_ || id.value() - first_request_ >= requests_.size() ||
      requests_[id.value() - first_request_].answered) {
    services_.observer.OnBroken(*this, "One Answer per Request",
                                absl::StrCat("server ", id_, " answered request ", id.value(),
                                             " which it does not have or had answered before"));
    return;
  }
  Pending& pending = requests_[id.value() - first_request_];
  pending.answered = true;
  services_.network.Send({.data = std::move(reply),
                          .attempt = pending.attempt,
                          .from = id_,
                          .to = pending.client,
                          .kind = PacketKind::kReply});
  while (!requests_.empty() && requests_.front().answered) {
    requests_.pop_front();
    ++first_request_;
  }
}

uint64_t NodeHost::unanswered() const {
  return static_cast<uint64_t>(
      std::count_if(requests_.begin(), requests_.end(),
                    [](const Pending& request) { return !request.answered; }));
}

void NodeHost::Record(const Note& note) {
  TraceHash& hash = services_.timeline.hash();
  hash.Add(static_cast<uint64_t>(note.kind) | note.term.value() << 8);
  hash.Add(note.position.index.value() << 16 | note.peer.value());
  if (note.kind != NoteKind::kLease) return services_.observer.OnNote(*this, note);
  Note lease = note;  // For others in the world's time, the only one that they have in common.
  const Instant end(Duration(static_cast<int64_t>(note.number)));
  if (note.number != 0) lease.number = static_cast<uint64_t>(clock_.WorldTime(end));
  hash.Add(lease.number);
  services_.observer.OnNote(*this, lease);
}

// --- Storage ---

int64_t NodeHost::DrawLatency(const StorageLane& lane) {
  const StorageJob& job = lane.first();
  const Latency& latency =
      LaneOf(job) == Lane::kLog ? options_.log_latency : options_.table_latency;
  int64_t drawn = latency.Draw(disk_rng_);
  // A checkpoint syncs the whole table.
  if (std::holds_alternative<Checkpoint>(job)) drawn += latency.Draw(disk_rng_) * 4;
  drawn += TimeFor(BytesOf(job) + lane.bytes_read, options_.disk_bytes_per_second);
  if (slow_disk.amount == 0) return drawn;
  services_.ledger.Effect(slow_disk.by);
  return drawn * static_cast<int64_t>(1 + slow_disk.amount);
}

void NodeHost::StartNext(Lane which) {
  StorageLane& lane = lanes_[static_cast<size_t>(which)];
  if (lane.empty()) return;
  const size_t links = Network::ChainsFor(services_.network.actors());
  const size_t chain = links + 2 * (id_ - size_t{1}) + static_cast<size_t>(which);
  const int64_t held = services_.schedule.Hold(chain);
  lane.completes_at = services_.timeline.now() + DrawLatency(lane) + held;
  services_.timeline.Schedule(lane.completes_at, EventKind::kStorage, id_,
                              incarnation_ << 1 | static_cast<uint32_t>(which));
}

LogPosition NodeHost::applied(GroupId group) const {
  for (const HostedTable& table : life_.tables) {
    if (table.group == group) return table.applied;
  }
  return LogPosition{};
}

void NodeHost::NoteApplied(const StorageResult& result) {
  const auto note = [this](GroupId group, LogPosition applied) {
    for (HostedTable& table : life_.tables) {
      if (table.group != group) continue;
      table.applied = applied;
      return;
    }
    life_.tables.push_back({.group = group, .applied = applied});  // It was not there at boot.
  };
  if (const auto* done = std::get_if<ApplyDone>(&result)) note(done->group, done->applied);
  if (const auto* done = std::get_if<WriteSnapshotDone>(&result)) note(done->group, done->applied);
}

void NodeHost::OnStorage(Lane which) {
  StorageLane& lane = lanes_[static_cast<size_t>(which)];
  const StorageJob& job = lane.first();
  const Ticket ticket = lane.first_ticket();
  services_.timeline.hash().Add(ticket.value() << 1 | static_cast<uint64_t>(which));

  const Interference interference = services_.observer.BeforeStorage(*this, job);
  Arm(interference);
  absl::StatusOr<StorageResult> result = life_.storage->Run(job);
  const bool disk_failed = Disarm(interference);
  if (interference.Kills()) {
    lane.Pop();  // Executed, wholly or in part: the crash must not begin it again.
    return Die(interference);
  }
  services_.timeline.hash().Add(result.ok() ? 1 : 0);
  services_.tracer.Add(TraceKind::kStorage, id_, 0, [&] {
    return absl::StrCat("done ", DescribeJob(job),
                        result.ok() ? "" : absl::StrCat(": ", result.status().ToString()));
  });
  if (result.ok() && disk_failed) return IgnoredFailedSync(DescribeJob(job));
  if (!result.ok() && Explains(interference, disk_failed, result.status())) {
    return StopItself(which, result.status(), disk_failed ? interference.downtime : rot_downtime);
  }
  if (!result.ok() && RanOutOfSpace()) {
    services_.ledger.Effect(filled_by_);
    return StopItself(which, result.status(), filled_for_);
  }
  if (!result.ok()) {
    services_.observer.OnBroken(
        *this, "Storage Failed",
        absl::StrCat("server ", id_, ": ", DescribeJob(job), ": ", result.status().ToString()));
    return;
  }
  NoteApplied(*result);
  services_.observer.OnStored(*this, job, *result);
  lane.Pop();
  lane.bytes_read = BytesOf(*result);
  StartNext(which);
  in_process_ = true;
  life_.process->OnStorage(which, ticket, std::move(result));
  EndTurnOrHold();
}

// --- Events ---

bool NodeHost::IsDue(const Event& event) {
  switch (event.kind) {
    case EventKind::kAlarm:
      return up() && alarm_.Rings(services_.timeline, event);
    case EventKind::kStorage:
      return up() && event.payload >> 1 == incarnation_;
    case EventKind::kTurnEnd:
      return up() && turn_events_ > 0 && event.payload == turn_;
    case EventKind::kBoot:
      return !up() && event.payload == incarnation_ && event.time == boot_at_;
    case EventKind::kSpace:
      return up() && event.payload == measurement_;
    default:
      return true;
  }
}

bool NodeHost::PutOff(const Event& event) {
  int64_t until = paused_until_;
  uint32_t fault = paused_by_;
  if (event.kind == EventKind::kStorage) {
    const Stall& stall = stalls_[event.payload & 1];
    if (stall.until > until) fault = stall.by;
    until = std::max(until, stall.until);
  }
  if (until <= event.time || event.kind == EventKind::kBoot) return false;
  const bool ours = event.kind == EventKind::kAlarm && alarm_.Owns(event);
  // What has piled up is found in any order: it lies in many sockets, and timers have no say.
  if (until < kNoTime) until += static_cast<int64_t>(turn_rng_.Below(kResumeSpread));
  const uint64_t sequence = services_.timeline.Postpone(event, until);
  if (ours) alarm_.Postponed(sequence, until);
  services_.ledger.Effect(fault);
  return true;
}

RequestId NodeHost::Register(const Packet& request) {
  requests_.push_back({.attempt = request.attempt, .client = request.from});
  return RequestId(first_request_ + requests_.size() - 1);
}

void NodeHost::OnPacket(const Packet& packet) {
  if (!up()) {
    services_.tracer.Add(TraceKind::kLost, id_, packet.from, [&] {
      return absl::StrCat(packet.data.size(), " B from ", packet.from, " lost: nobody is there");
    });
    return;
  }
  if (packet.kind == PacketKind::kPeer) {
    services_.tracer.Add(TraceKind::kDeliver, id_, packet.from, [&] {
      return absl::StrCat("from ", packet.from, ": ",
                          services_.software.Describe(packet.kind, packet.data));
    });
    in_process_ = true;
    life_.process->OnMessage(NodeId(packet.from), packet.data);
  } else {
    const RequestId id = Register(packet);
    services_.tracer.Add(TraceKind::kRequest, id_, packet.from, [&] {
      return absl::StrCat("request ", id.value(), " from client ", packet.from, ": ",
                          services_.software.Describe(packet.kind, packet.data));
    });
    services_.observer.OnRequest(*this, id);
    in_process_ = true;
    life_.process->OnRequest(id, packet.data);
  }
  EndTurnOrHold();
}

void NodeHost::OnAlarm() {
  services_.tracer.Add(TraceKind::kAlarm, id_, 0, [] { return "rings"; });
  in_process_ = true;
  life_.process->OnWake();
  EndTurnOrHold();
}

void NodeHost::OnLinkHint(NodeId peer, bool link_up) {
  if (!up()) return;
  services_.tracer.Add(TraceKind::kLink, id_, static_cast<uint16_t>(peer.value()), [&] {
    return absl::StrCat("connection to ", peer.value(), link_up ? " made" : " lost");
  });
  in_process_ = true;
  life_.process->OnPeerLink(peer, link_up);
  EndTurnOrHold();
}

// --- Turns ---

void NodeHost::EndTurnOrHold() {
  if (turn_events_ == 0 && options_.turn_events_max > 1) {
    turn_size_ = static_cast<uint32_t>(turn_rng_.Between(1, options_.turn_events_max));
  }
  ++turn_events_;
  if (turn_events_ >= turn_size_) return EndTurn();
  if (!turn_end_scheduled_) {
    turn_end_scheduled_ = true;
    const uint64_t hold = turn_rng_.Below(static_cast<uint64_t>(options_.turn_hold_max) + 1);
    services_.timeline.Schedule(services_.timeline.now() + static_cast<int64_t>(hold),
                                EventKind::kTurnEnd, id_, turn_);
  }
  in_process_ = false;
}

void NodeHost::OnTurnEnd() {
  services_.tracer.Add(TraceKind::kTurn, id_, 0,
                       [&] { return absl::StrCat("ends after ", turn_events_, " events"); });
  EndTurn();
}

void NodeHost::EndTurn() {
  ++turn_;
  turn_events_ = 0;
  turn_end_scheduled_ = false;
  in_process_ = true;
  life_.process->OnTurnEnd();
  in_process_ = false;
}

}  // namespace lockstep::sim
