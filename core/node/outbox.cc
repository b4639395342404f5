#include "core/node/outbox.h"

#include <utility>
#include <variant>

namespace lockstep::node {
namespace {

// A slow disk under a flood of messages: beyond this the oldest are dropped, as a network may.
constexpr size_t kWaitingMax = 16384;

}  // namespace

void Outbox::Post(std::vector<raft::Outgoing>& messages, PersistSeq durable) {
  for (raft::Outgoing& outgoing : messages) {
    if (outgoing.after <= durable) {
      Send(outgoing);
    } else {
      waiting_.push_back(std::move(outgoing));
    }
  }
  messages.clear();
  while (waiting_.size() > kWaitingMax) waiting_.pop_front();
}

void Outbox::Release(PersistSeq durable) {
  if (durable <= released_) return;
  released_ = durable;
  size_t kept = 0;
  for (raft::Outgoing& outgoing : waiting_) {
    if (outgoing.after <= durable) {
      Send(outgoing);
    } else {
      raft::Outgoing& place = waiting_[kept++];
      if (&place != &outgoing) place = std::move(outgoing);
    }
  }
  waiting_.resize(kept);
}

void Outbox::Send(const raft::Outgoing& outgoing) {
  if (host_.journal.listening()) NotePromise(outgoing);
  courier_.Send(outgoing.to, group_, outgoing.message);
}

void Outbox::NotePromise(const raft::Outgoing& outgoing) {
  Note note{.kind = NoteKind::kVoteGranted,
            .group = group_,
            .term = outgoing.message.term,
            .peer = outgoing.to,
            .position = LogPosition{},
            .number = 0,
            .entry = nullptr};
  const raft::Body& body = outgoing.message.body;
  if (const auto* vote = std::get_if<raft::VoteReply>(&body); vote != nullptr && vote->granted) {
    host_.journal.Record(note);
  }
  if (const auto* accepted = std::get_if<raft::AppendAccepted>(&body); accepted != nullptr) {
    note.kind = NoteKind::kAppendAcked;
    note.position.index = accepted->match;
    host_.journal.Record(note);
  }
  if (const auto* snapshot = std::get_if<raft::SnapshotReply>(&body);
      snapshot != nullptr && snapshot->complete) {
    note.kind = NoteKind::kAppendAcked;
    note.position.index = snapshot->snapshot.index;
    host_.journal.Record(note);
  }
}

}  // namespace lockstep::node
