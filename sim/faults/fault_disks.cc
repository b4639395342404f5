// What servers lose of what was durable: damage, until it is repaired, and disks, for ever.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/faults/fault_plan.h"

namespace lockstep::sim {

uint64_t FaultPlan::rotten() {
  uint64_t rotten = 0;
  for (uint16_t id = 1; id <= cast_.servers; ++id) {
    const SimFileSystem& files = world_.server(id).files();
    const size_t gone =
        std::erase_if(spots_[id], [&](const RotSpot& spot) { return !LiesThere(spot, files); });
    // Power failed while it repaired the damage: the next boot tells what it has lost.
    if (gone > 0 && !world_.server(id).up()) repairing_ |= One(id);
    if (!spots_[id].empty()) rotten |= One(id);
  }
  return rotten;
}

uint64_t FaultPlan::lost() {
  uint64_t lost = rotten();
  lost |= repairing_ | wiped_;
  for (uint16_t id = 1; id <= cast_.servers; ++id) {
    if (!doubts_[id].empty()) lost |= One(id);
  }
  return lost;
}

// A replica has got over it when it makes promises again that rest on what it has got back: until
// then it may forget that it has.
void FaultPlan::OnNote(uint16_t server, const Note& note) {
  absl::btree_map<GroupId, bool>& doubts = doubts_[server];
  switch (note.kind) {
    case NoteKind::kBooted:
      repairing_ &= ~One(server);
      doubts.erase(note.group);
      if (note.doubt) doubts[note.group] = false;
      return;
    case NoteKind::kTrusted:
      doubts[note.group] = true;
      return;
    case NoteKind::kAppendAcked:
    case NoteKind::kVoteGranted: {
      const auto found = doubts.find(note.group);
      if (found != doubts.end() && found->second) doubts.erase(found);
      return;
    }
    default:
      return;
  }
}

// A server that came back with an empty disk under its old id would be refused by the transports of
// the others, and stop (net/peer). So it stays away, and its groups go on without it.
void FaultPlan::WipeNow(uint16_t server) {
  if (!Contains(quorums_.Spare(lost()), server)) return;
  if (may_wipe && !may_wipe()) return;
  wiped_ |= One(server);
  FaultInterval interval = MakeInterval(FaultKind::kDiskWipe);
  interval.servers = One(server);
  interval.instant = true;
  world_.ledger().Effect(Add(std::move(interval)));
  NodeHost& host = world_.server(server);
  host.Crash(CrashKind::kPower, kNoTime);
  host.Abandon();
  host.files().Wipe();
}

// It has an effect when the server reads the damage: see NodeHost. Until it has repaired it, no
// other server may be hit on whom a group then depends.
void FaultPlan::RotNow(FaultKind kind, uint16_t server) {
  if (!Contains(quorums_.Spare(lost()), server)) return;
  NodeHost& host = world_.server(server);
  std::vector<RotSpot> spots;
  if (kind == FaultKind::kMisdirectedWrite) {
    spots = Misdirect(rng_, host.files());
  } else if (std::optional<RotSpot> spot = DrawRotSpot(rng_, host.files()); spot.has_value()) {
    Check(host.files().FlipBits(spot->path, spot->offset, spot->mask));
    const std::string& bytes = host.files().Content(spot->path)->bytes();
    spot->damaged = bytes[static_cast<size_t>(spot->offset)];
    spots.push_back(*std::move(spot));
  }
  if (spots.empty()) return;
  FaultInterval interval = MakeInterval(kind);
  interval.servers = One(server);
  interval.severity = spots.front().offset;
  interval.instant = true;
  host.rot_downtime = interval.end - interval.begin;
  host.rotted_by = Add(std::move(interval));
  for (RotSpot& spot : spots) {
    world_.tracer().Add(TraceKind::kFault, server, 0, [&] {
      return absl::StrCat("byte ", spot.offset, " of ", spot.path, " is damaged");
    });
    if (damaged) damaged(server);
    spots_[server].push_back(std::move(spot));
  }
}

}  // namespace lockstep::sim
