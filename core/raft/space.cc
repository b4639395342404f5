// Disks that fill up (docs/decisions/0019). Who asks for data to be taken is refused long before
// anybody runs out of space; what the group needs to decide at all goes on as long as it can.
#include <algorithm>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

void Raft::OnInput(const RoomChanged& input, Output& out) {
  room_ = input.room;
  if (is_leader()) HandOverForSpace(out);
}

// What adds data needs ample room, here and at a quorum; everything else needs some. Entries that
// a quorum cannot take would be promised to nobody, and only fill the leader's tail.
std::optional<RefusedWhy> Raft::WhyNoRoom(const Propose& input) const {
  const Room worst = input.adds_data ? Room::kAmple : Room::kLow;
  if (room_ > worst) return RefusedWhy::kNoSpace;
  if (!QuorumHasRoom(worst)) return RefusedWhy::kNoSpaceInGroup;
  return std::nullopt;
}

// Whether the voters with this room or better are enough to commit.
bool Raft::QuorumHasRoom(Room worst) const {
  const auto& peers = std::get<Leader>(role_).peers;
  const bool all = room_ <= worst && std::all_of(peers.begin(), peers.end(), [&](const auto& peer) {
                     return peer.progress.room <= worst;
                   });
  if (all) return true;
  const uint64_t agreed = membership().AgreedValue([&](NodeId voter) -> uint64_t {
    const Leader::Peer* peer = FindPeer(voter);
    if (peer == nullptr) CheckEq(voter, config_.self);
    return (peer == nullptr ? room_ : peer->progress.room) <= worst ? 1 : 0;
  });
  return agreed == 1;
}

// A follower without room takes no data: what it has left is for the compaction that makes room.
// An election's no-op and changes of membership are small, and without them there is no leader.
bool Raft::TakesNoMore(const Entry& entry) const {
  const bool data = entry.kind == EntryKind::kCommand || entry.kind == EntryKind::kInternal;
  return room_ == Room::kNone && data;
}

// Others may have the space that this leader lacks: then clients need not wait for it.
void Raft::HandOverForSpace(Output& out) {
  const Leader& leader = std::get<Leader>(role_);
  if (room_ == Room::kAmple || leader.transfer.has_value()) return;
  if (!QuorumHasRoom(Room::kAmple)) return;
  const Leader::Peer* best = CloseSuccessor();
  if (best != nullptr) BeginTransfer(best->id, out);
}

}  // namespace lockstep::raft
