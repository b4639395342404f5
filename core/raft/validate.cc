// The door: shape and bounds of a message, before it may reach a replica. Inside, broken
// assumptions are Checks.
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/raft/codec.h"
#include "core/raft/group_configuration.h"

namespace lockstep::raft {
namespace {

// Indexes and terms beyond this are no correct replica's; it keeps all arithmetic far from
// overflow.
constexpr uint64_t kNumberMax = uint64_t{1} << 56;

absl::Status Bounded(uint64_t value, const char* what) {
  if (value <= kNumberMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " ", value, " is beyond any log's"));
}

absl::Status Bounded(LogPosition position, const char* what) {
  if (absl::Status status = Bounded(position.index.value(), what); !status.ok()) return status;
  if ((position.index == Index()) != (position.term == Term())) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " ", Describe(position), ": index 0 has term 0, no other"));
  }
  return Bounded(position.term.value(), what);
}

struct BodyCheck {
  Term term;

  absl::Status operator()(const PreVoteRequest& m) const {
    if (m.next_term <= term)
      return absl::InvalidArgumentError("a pre-vote asks for a term after the sender's");
    if (absl::Status status = Bounded(m.next_term.value(), "next term"); !status.ok())
      return status;
    return Last(m.last);
  }
  absl::Status operator()(const PreVoteReply& m) const {
    return Bounded(m.next_term.value(), "next term");
  }
  absl::Status operator()(const VoteRequest& m) const { return Last(m.last); }
  absl::Status operator()(const VoteReply&) const { return absl::OkStatus(); }
  absl::Status operator()(const AppendRequest& m) const {
    if (absl::Status status = Bounded(m.prev, "prev"); !status.ok()) return status;
    if (absl::Status status = Bounded(m.commit.value(), "commit"); !status.ok()) return status;
    Term last = m.prev.term;
    for (const Entry& entry : m.entries) {
      if (entry.term < last || entry.term > term || entry.term == Term()) {
        return absl::InvalidArgumentError(
            absl::StrCat("entry ", Describe(entry), " after term ", last.value()));
      }
      if (!IsKnown(entry.kind)) {
        return absl::InvalidArgumentError(
            absl::StrCat("entry of unknown kind ", static_cast<int>(entry.kind)));
      }
      if (absl::Status status = Configuration(entry); !status.ok()) return status;
      last = entry.term;
    }
    return m.prev.term > term
               ? absl::InvalidArgumentError("prev is of a later term than the message")
               : absl::OkStatus();
  }
  absl::Status operator()(const AppendAccepted& m) const {
    return Bounded(m.match.value(), "match");
  }
  absl::Status operator()(const AppendRejected& m) const {
    if (m.hint.index == Index() || m.hint.term > term) {
      return absl::InvalidArgumentError(absl::StrCat("hint ", Describe(m.hint), " names no entry"));
    }
    if (absl::Status status = Bounded(m.hint.index.value(), "hint"); !status.ok()) return status;
    return Bounded(m.rejected.value(), "rejected");
  }
  absl::Status operator()(const Heartbeat& m) const { return Bounded(m.commit.value(), "commit"); }
  absl::Status operator()(const HeartbeatReply& m) const {
    if (m.room > Room::kNone) return absl::InvalidArgumentError("room that no disk has");
    return Bounded(static_cast<uint64_t>(m.promise.count()), "promise");
  }
  absl::Status operator()(const SnapshotChunk& m) const {
    if (m.snapshot.index == Index() || m.snapshot.term > term) {
      return absl::InvalidArgumentError(absl::StrCat("snapshot of ", Describe(m.snapshot)));
    }
    if (absl::Status status = Bounded(m.offset, "offset"); !status.ok()) return status;
    if (absl::Status status = Configuration(m); !status.ok()) return status;
    return Bounded(m.snapshot, "snapshot");
  }
  absl::Status operator()(const SnapshotReply& m) const {
    if (absl::Status status = Bounded(m.next_offset, "offset"); !status.ok()) return status;
    return Bounded(m.snapshot, "snapshot");
  }
  absl::Status operator()(const TimeoutNow&) const { return absl::OkStatus(); }
  absl::Status operator()(const ReadIndexRequest& m) const {
    return m.seq == ReadSeq() ? absl::InvalidArgumentError("a question without a number")
                              : absl::OkStatus();
  }
  absl::Status operator()(const ReadIndexReply& m) const {
    if (m.index == Index()) return absl::InvalidArgumentError("a leader's commit index is never 0");
    return Bounded(m.index.value(), "read index");
  }

  static absl::Status Configuration(const Entry& entry) {
    if (entry.kind != EntryKind::kConfiguration) return absl::OkStatus();
    const absl::StatusOr<GroupConfiguration> members = DecodeConfiguration(entry.data.view());
    if (!members.ok()) return members.status();
    if (members->id == entry.index) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("configuration ", members->id.value(), " at index ", entry.index.value()));
  }
  static absl::Status Configuration(const SnapshotChunk& m) {
    if (m.configuration.empty()) return absl::OkStatus();
    const absl::StatusOr<GroupConfiguration> members = DecodeConfiguration(m.configuration.view());
    if (!members.ok()) return members.status();
    if (members->id <= m.snapshot.index) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("configuration ", members->id.value(),
                                                   " in a snapshot of ", Describe(m.snapshot)));
  }

  absl::Status Last(LogPosition last) const {
    if (last.term > term)
      return absl::InvalidArgumentError("the last entry is of a later term than the message");
    return Bounded(last, "last");
  }
};

}  // namespace

absl::Status Validate(const Message& message) {
  if (absl::Status status = Bounded(message.term.value(), "term"); !status.ok()) return status;
  // Candidates and leaders, and whoever answers them, have a term; pre-votes come before the first.
  const bool pre_vote = std::holds_alternative<PreVoteRequest>(message.body) ||
                        std::holds_alternative<PreVoteReply>(message.body);
  if (message.term == Term() && !pre_vote) {
    return absl::InvalidArgumentError(absl::StrCat(Describe(message), ": no term"));
  }
  return std::visit(BodyCheck{message.term}, message.body);
}

}  // namespace lockstep::raft
