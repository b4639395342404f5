#include "sim/check/space_checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/node/door.h"
#include "core/proto/client.pb.h"

namespace lockstep::sim {

void SpaceChecker::OnMeasured(NodeId server, uint32_t turn, uint64_t free_bytes) {
  Disk& disk = disks_[server];
  disk.before = disk.turn == turn ? std::max(disk.before, disk.free_bytes) : disk.free_bytes;
  disk.turn = turn;
  disk.free_bytes = free_bytes;
  if (free_bytes < limits_.soft_bytes) ++measured_low_;
}

void SpaceChecker::OnNote(NodeId server, uint32_t turn, bool leads, const Note& note,
                          Findings& findings) {
  Disk& disk = disks_[server];
  switch (note.kind) {
    case NoteKind::kBooted:
      disk.truncated.erase(note.group);
      // A life begins with this note: nobody has measured anything yet.
      disk.free_bytes = UINT64_MAX;
      disk.before = UINT64_MAX;
      return;
    case NoteKind::kTruncated:
      disk.truncated[note.group] = true;
      return;
    case NoteKind::kAppended: {
      const bool replaces = std::exchange(disk.truncated[note.group], false);
      // At the end of turn T its number is T + 1 already.
      const bool in_force = turn > disk.turn + 1;
      const uint64_t free = in_force ? disk.free_bytes : std::max(disk.before, disk.free_bytes);
      return OnAppended(server, free, replaces, leads, note, findings);
    }
    default:
      return;
  }
}

void SpaceChecker::OnAppended(NodeId server, uint64_t free_bytes, bool replaces, bool leads,
                              const Note& note, Findings& findings) const {
  const Entry& entry = *note.entry;
  const bool command = entry.kind == EntryKind::kCommand;
  const auto report = [&](absl::string_view what, uint64_t limit) {
    findings.Report("Disks Are Not Filled",
                    absl::StrCat("server ", server.value(), " was told that ", free_bytes,
                                 " bytes are free, which is below ", limit, ", and took ", what,
                                 ": entry ", entry.index.value(), " of term ", entry.term.value(),
                                 " of group ", note.group.value()));
  };
  if (free_bytes < limits_.hard_bytes && !replaces &&
      (command || entry.kind == EntryKind::kInternal)) {
    return report("an entry for the state machine", limits_.hard_bytes);
  }
  const bool own = leads && command && entry.term == note.term;
  if (free_bytes >= limits_.soft_bytes || !own) return;
  proto::Command parsed;
  if (!parsed.ParseFromArray(entry.data.data(), static_cast<int>(entry.data.size()))) return;
  if (node::AddsData(parsed)) report("a client's data", limits_.soft_bytes);
}

}  // namespace lockstep::sim
