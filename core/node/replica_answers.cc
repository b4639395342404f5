// What a replica answers its callers: results, and why not.
#include <utility>

#include "core/node/client_reply.h"
#include "core/node/replica.h"

namespace lockstep::node {

// A leader's answer: who does not lead says so instead, or callers would come back again and again.
bool Replica::AtRequestLimit(RequestId id) {
  const uint64_t waiting = proposals_.size() + queries_.size() + stale_queries_.size() +
                           queries_under_way_ + out_.accepted.size();
  const bool refuses = raft_.is_leader() || stale_queries_.size() >= options_.requests_max;
  if (waiting < options_.requests_max || !refuses) return false;
  Answer(id, OverloadedReply("requests_max", options_.requests_max), Index());
  return true;
}

void Replica::Answer(RequestId id, Bytes reply, Index index) {
  if (IsDutyCall(id)) return duty_->OnLost(host_.clock.Now(), id);
  answers_.push_back({id, std::move(reply), index});
}

void Replica::SendAnswers() {
  for (ReadyAnswer& answer : answers_) {
    if (out_.notes_wanted) {
      Record(Note{.kind = NoteKind::kReplied,
                  .group = group_,
                  .term = raft_.term(),
                  .peer = NodeId(),
                  .position = LogPosition{answer.index, Term()},
                  .number = answer.id.value(),
                  .entry = nullptr});
    }
    host_.replies.Reply(answer.id, std::move(answer.reply));
  }
  answers_.clear();
}

// Whom to ask instead; none: nobody is known. Who has left the group hears of no leader any more,
// but knows who came after it.
NodeId Replica::WhoMayLead() {
  if (raft_.is_leader()) return NodeId();
  const raft::Membership& members = raft_.membership();
  const bool follows = raft_.leader() != NodeId() || members.IsIncoming(options_.self);
  if (follows || members.incoming().empty()) return raft_.leader();
  return members.incoming()[named_++ % members.incoming().size()];
}

void Replica::Refuse(RequestId id, raft::RefusedWhy why) {
  const raft::Config& limits = options_.raft;
  queries_.erase(id);
  switch (why) {
    case raft::RefusedWhy::kNotLeader:
    case raft::RefusedWhy::kLeadershipLost:  // Only reads, which were not answered.
    case raft::RefusedWhy::kTransferring:
      return Answer(id, NotLeaderReply(WhoMayLead()), Index());
    case raft::RefusedWhy::kTailFull:
      ++counters_.proposals_failed;
      return Answer(id, OverloadedReply("uncommitted_bytes_max", limits.uncommitted_bytes_max),
                    Index());
    case raft::RefusedWhy::kLogFull:
      ++counters_.proposals_failed;
      return Answer(id, OverloadedReply("log_bytes_max", limits.log_bytes_max), Index());
    case raft::RefusedWhy::kNoSpace:
      ++counters_.proposals_failed;
      return Answer(id, NoSpaceReply(space_.free_bytes(), space_.need_bytes()), Index());
    case raft::RefusedWhy::kNoSpaceInGroup:
      ++counters_.proposals_failed;
      return Answer(id, NoSpaceInGroupReply(space_.need_bytes()), Index());
    case raft::RefusedWhy::kReadsFull:
      return Answer(id, OverloadedReply("pending_reads_max", limits.pending_reads_max), Index());
    case raft::RefusedWhy::kNoEntryOfTerm:
    case raft::RefusedWhy::kConfigurationMoved:
    case raft::RefusedWhy::kChangePending:
    case raft::RefusedWhy::kSameMembers:
    case raft::RefusedWhy::kUnsafe:
    case raft::RefusedWhy::kOtherIncarnation:
      return Answer(id, ChangeRefusedReply(why, raft_.configuration()), Index());
  }
}

}  // namespace lockstep::node
