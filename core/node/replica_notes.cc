// What a replica tells the journal.
#include "core/node/replica.h"

namespace lockstep::node {

void Replica::Record(Note note) {
  note.group = group_;
  host_.journal.Record(note);
}

void Replica::RecordNotes() {
  for (raft::LoggedNote& logged : out_.notes) {
    logged.note.entry = logged.entry.has_value() ? &*logged.entry : nullptr;
    Record(logged.note);
  }
}

void Replica::NoteBoot(const ReplicaImage& image) {
  Record(Note{.kind = NoteKind::kBooted,
              .group = group_,
              .term = image.hard_state.term,
              .peer = image.hard_state.vote,
              .position = image.base,
              .number = image.applied.index.value(),
              .entry = nullptr,
              .doubt = image.hard_state.doubt});
  for (const Entry& entry : image.entries) {
    Record(Note{.kind = NoteKind::kBootEntry,
                .group = group_,
                .term = image.hard_state.term,
                .peer = NodeId(),
                .position = LogPosition{entry.index, entry.term},
                .number = 0,
                .entry = &entry});
  }
  // The replica sets its log beside a table that is ahead of it: see raft::Raft's constructor.
  if (raft_.log().base() != image.base) {
    Record(Note{.kind = NoteKind::kBaseMoved,
                .group = group_,
                .term = raft_.term(),
                .peer = NodeId(),
                .position = raft_.log().base(),
                .number = 1,
                .entry = nullptr});
  }
  if (raft_.hard_state().doubt != image.hard_state.doubt) {
    Record(Note{.kind = NoteKind::kTrusted,
                .group = group_,
                .term = raft_.term(),
                .peer = NodeId(),
                .position = raft_.log().last(),
                .number = 0,
                .entry = nullptr});
  }
}

}  // namespace lockstep::node
