#include "fuzz/models/raft_limits.h"

#include <variant>

#include "core/base/check.h"
#include "core/raft/codec.h"

namespace lockstep::fuzz {
namespace {

void CheckAppend(const raft::Config& config, const raft::AppendRequest& request) {
  CheckLe(request.entries.size(), size_t{config.append_entries_max});
  uint64_t bytes = 0;
  for (const Entry& entry : request.entries) bytes += raft::CostOf(entry);
  if (request.entries.size() > 1) CheckLe(bytes, config.append_bytes_max);
}

void CheckPeer(const raft::Config& config, const raft::Progress& progress) {
  CheckLe(progress.inflight.messages(), config.inflight_messages_max);
  CheckLe(progress.transfer.unacked_ends.size(), size_t{config.snapshot_chunks_max});
  CheckLe(progress.transfer.acked_offset, progress.transfer.read_offset);
}

}  // namespace

raft::Message OverTheWire(const raft::Message& message) {
  GroupId group;
  raft::Message decoded;
  const absl::Status status =
      raft::DecodePeerMessage(raft::EncodePeerMessage(GroupId(1), message), &group, &decoded);
  Check(status.ok(), status.message());
  CheckEq(raft::Describe(decoded), raft::Describe(message));
  return decoded;
}

void CheckOutput(const raft::Config& config, const raft::Output& output, PersistSeq newest) {
  for (const raft::Outgoing& outgoing : output.send) {
    const absl::Status valid = raft::Validate(outgoing.message);
    Check(valid.ok(), valid.message());
    Check(outgoing.to != config.self, "a message to itself");
    CheckLe(outgoing.after, newest);
    const auto* append = std::get_if<raft::AppendRequest>(&outgoing.message.body);
    if (append != nullptr) CheckAppend(config, *append);
  }
  for (const raft::SnapshotRead& read : output.snapshot_reads) {
    CheckLe(read.bytes_max, config.snapshot_chunk_bytes_max);
  }
}

void CheckMemory(const raft::Raft& raft) {
  const raft::Config& config = raft.config();
  // What clients put there; no-ops and changes of members are few and small, and must have room.
  uint64_t bytes = 0;
  uint64_t largest = 0;
  for (Index i = raft.log().first_index(); i <= raft.log().last_index(); i = i.Next()) {
    const Entry& entry = raft.log().At(i);
    if (entry.kind != EntryKind::kCommand) continue;
    bytes += raft::CostOf(entry);
    largest = std::max(largest, raft::CostOf(entry));
  }
  CheckLe(bytes, config.log_bytes_max + config.uncommitted_bytes_max + largest);
  const raft::Leader* leader = raft.leader_state();
  if (leader == nullptr) return;
  // Of each peer one question beside the own clients' reads.
  CheckLe(leader->reads.size(), config.pending_reads_max + leader->peers.size());
  for (const raft::Leader::Peer& peer : leader->peers) CheckPeer(config, peer.progress);
}

}  // namespace lockstep::fuzz
