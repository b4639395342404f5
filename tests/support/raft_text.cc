#include "tests/support/raft_text.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace lockstep::test {
namespace {

// A configuration entry, as "members 5 joint voters=1,2 outgoing=1".
std::string DescribeMembersOf(const Entry& entry) {
  const absl::StatusOr<raft::GroupConfiguration> members =
      raft::DecodeConfiguration(entry.data.view());
  return members.ok() ? raft::Describe(*members) : "unreadable";
}

// "[2.5 noop]", "[2.5 3B]", "[2.5 text]".
Entry ParseEntry(Command& command, absl::string_view text, Index expected) {
  Entry entry{.index = expected, .term = Term(), .kind = EntryKind::kCommand, .data = Bytes()};
  absl::ConsumePrefix(&text, "[");
  absl::ConsumeSuffix(&text, "]");
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
  const std::pair<std::string, std::string> where = absl::StrSplit(parts.first, '.');
  entry.term = Term(command.ParseNumber(where.first));
  if (command.ParseNumber(where.second) != expected.value()) {
    command.Fail(absl::StrCat("entry [", text, "] should have index ", expected.value()));
  }
  absl::string_view data = parts.second;
  if (data == "noop") {
    entry.kind = EntryKind::kNoop;
  } else if (absl::ConsumeSuffix(&data, "B")) {
    entry.data = Bytes::Copy(std::string(command.ParseNumber(data), 'x'));
  } else {
    entry.data = Bytes::Copy(data);
  }
  return entry;
}

raft::AppendRequest ParseAppend(Command& command) {
  raft::AppendRequest request{.prev = command.Position("prev", {}),
                              .commit = Index(command.Number("commit", 0)),
                              .read_seq = ReadSeq(command.Number("read", 0)),
                              .entries = {}};
  Index index = request.prev.index;
  while (const std::optional<std::string> word = command.NextWord()) {
    index = index.Next();
    request.entries.push_back(ParseEntry(command, *word, index));
  }
  return request;
}

raft::SnapshotChunk ParseChunk(Command& command) {
  const std::optional<std::string> position = command.NextWord();
  return raft::SnapshotChunk{.snapshot = command.ParsePosition(position.value_or("")),
                             .offset = command.Number("offset", 0),
                             .data = Bytes::Copy(command.Text("data").value_or("")),
                             .last = command.Flag("last")};
}

raft::SnapshotReply ParseSnapshotReply(Command& command, bool complete) {
  const std::optional<std::string> position = command.NextWord();
  return raft::SnapshotReply{.snapshot = command.ParsePosition(position.value_or("")),
                             .next_offset = command.Number("next", 0),
                             .complete = complete};
}

raft::Room ParseRoom(Command& command) {
  const std::string name = command.Text("room").value_or("ample");
  for (const raft::Room room : {raft::Room::kAmple, raft::Room::kLow, raft::Room::kNone}) {
    if (raft::Name(room) == name) return room;
  }
  command.Fail(absl::StrCat("unknown room \"", name, "\""));
  return raft::Room::kAmple;
}

raft::Body ParseBody(Command& command) {
  const std::string kind = command.NextWord().value_or("");
  if (kind == "prevote?") {
    return raft::PreVoteRequest{.next_term = Term(command.Number("next", 0)),
                                .last = command.Position("last", {})};
  }
  if (kind == "prevote:yes" || kind == "prevote:no") {
    return raft::PreVoteReply{.next_term = Term(command.Number("next", 0)),
                              .granted = kind == "prevote:yes"};
  }
  if (kind == "vote?") {
    return raft::VoteRequest{.last = command.Position("last", {}),
                             .transfer = command.Flag("transfer")};
  }
  if (kind == "vote:yes" || kind == "vote:no")
    return raft::VoteReply{.granted = kind == "vote:yes"};
  if (kind == "append") return ParseAppend(command);
  const ReadSeq read_seq(command.Number("read", 0));
  if (kind == "append:yes") {
    return raft::AppendAccepted{.match = Index(command.Number("match", 0)), .read_seq = read_seq};
  }
  if (kind == "append:no") {
    return raft::AppendRejected{.rejected = Index(command.Number("rejected", 0)),
                                .hint = command.Position("hint", {}),
                                .read_seq = read_seq};
  }
  if (kind == "heartbeat")
    return raft::Heartbeat{.commit = Index(command.Number("commit", 0)), .read_seq = read_seq};
  if (kind == "heartbeat:ok") {
    return raft::HeartbeatReply{
        .read_seq = read_seq, .room = ParseRoom(command), .promise = command.Span("promise", {})};
  }
  if (kind == "index?") return raft::ReadIndexRequest{.seq = read_seq};
  if (kind == "index") {
    return raft::ReadIndexReply{.seq = read_seq, .index = Index(command.Number("at", 0))};
  }
  if (kind == "snapshot") return ParseChunk(command);
  if (kind == "snapshot:more") return ParseSnapshotReply(command, /*complete=*/false);
  if (kind == "snapshot:complete") return ParseSnapshotReply(command, /*complete=*/true);
  if (kind != "timeout-now") command.Fail(absl::StrCat("unknown message \"", kind, "\""));
  return raft::TimeoutNow{};
}

}  // namespace

raft::Message ParseMessage(Command& command) {
  const Term term(command.Number("term", 0));
  const IncarnationId incarnation(command.Number("incarnation", 0));
  return raft::Message{term, ParseBody(command), incarnation};
}

std::vector<Entry> ParseTerms(Command& command, const std::string& text, Index first) {
  std::vector<Entry> entries;
  if (text.empty()) return entries;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const std::vector<std::string> run = absl::StrSplit(part, 'x');
    const uint64_t count = run.size() == 2 ? command.ParseNumber(run[1]) : 1;
    for (uint64_t i = 0; i < count; ++i) {
      entries.push_back(Entry{.index = first.Plus(entries.size()),
                              .term = Term(command.ParseNumber(run[0])),
                              .kind = EntryKind::kCommand,
                              .data = Bytes::Copy("x")});
    }
  }
  return entries;
}

std::string DescribeLog(const raft::RaftLog& log) {
  std::string text = absl::StrCat(raft::Describe(log.base()), ":");
  const char* comma = "";
  for (Index index = log.first_index(); index <= log.last_index(); index = index.Next()) {
    absl::StrAppend(&text, comma, log.At(index).term.value());
    comma = ",";
  }
  return text;
}

std::string Describe(const LogBatch& batch) {
  std::string text;
  if (batch.hard_state.has_value()) {
    absl::StrAppend(&text, " term=", batch.hard_state->term.value(),
                    " vote=", batch.hard_state->vote.value());
    if (batch.hard_state->doubt != Term()) {
      absl::StrAppend(&text, " doubt=", batch.hard_state->doubt.value());
    }
  }
  if (batch.base.has_value()) absl::StrAppend(&text, " base=", raft::Describe(*batch.base));
  if (batch.truncate_from.has_value())
    absl::StrAppend(&text, " truncate=", batch.truncate_from->value());
  for (const Entry& entry : batch.append) absl::StrAppend(&text, " ", raft::Describe(entry));
  return text;
}

std::string Describe(const raft::LoggedNote& logged) {
  const Note& note = logged.note;
  const std::string leader =
      note.peer == NodeId() ? std::string() : absl::StrCat(" leader=", note.peer.value());
  switch (note.kind) {
    case NoteKind::kAppended:
      return logged.entry->kind == EntryKind::kConfiguration
                 ? absl::StrCat("members ", DescribeMembersOf(*logged.entry))
                 : "";
    case NoteKind::kTruncated:
      return absl::StrCat("truncates from ", note.position.index.value());
    case NoteKind::kBaseMoved:
      return absl::StrCat("log begins after ", raft::Describe(note.position));
    case NoteKind::kBecameLeader:
      return absl::StrCat("leader term=", note.term.value());
    case NoteKind::kBecameFollower:
      return absl::StrCat("follower term=", note.term.value(), leader);
    case NoteKind::kBecameCandidate:
      return absl::StrCat("candidate term=", note.term.value());
    case NoteKind::kBecamePreCandidate:
      return absl::StrCat("pre-candidate term=", note.term.value());
    case NoteKind::kCommitted:
      return absl::StrCat("commit ", note.position.index.value());
    case NoteKind::kSnapshotInstalled:
      return absl::StrCat("snapshot ", raft::Describe(note.position), " installed");
    case NoteKind::kSnapshotResumed:
      return absl::StrCat("snapshot for ", note.peer.value(), " goes on from ", note.number);
    case NoteKind::kTransferStarted:
      return absl::StrCat("hands over to ", note.peer.value());
    default:
      return "";
  }
}

std::string Describe(raft::RefusedWhy why) {
  switch (why) {
    case raft::RefusedWhy::kNotLeader:
      return "not leader";
    case raft::RefusedWhy::kTailFull:
      return "tail full";
    case raft::RefusedWhy::kLogFull:
      return "log full";
    case raft::RefusedWhy::kNoSpace:
      return "no space";
    case raft::RefusedWhy::kNoSpaceInGroup:
      return "no space in the group";
    case raft::RefusedWhy::kReadsFull:
      return "reads full";
    case raft::RefusedWhy::kTransferring:
      return "transferring";
    case raft::RefusedWhy::kLeadershipLost:
      return "leadership lost";
    case raft::RefusedWhy::kNoEntryOfTerm:
      return "no entry of the term is committed";
    case raft::RefusedWhy::kConfigurationMoved:
      return "another configuration";
    case raft::RefusedWhy::kChangePending:
      return "a change is pending";
    case raft::RefusedWhy::kSameMembers:
      return "the same members";
    case raft::RefusedWhy::kUnsafe:
      return "unsafe";
    case raft::RefusedWhy::kOtherIncarnation:
      return "another incarnation";
  }
  return "";
}

const char* NameOf(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return "follower";
    case raft::Role::kPreCandidate:
      return "pre-candidate";
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kLeader:
      return "leader";
  }
  return "";
}

}  // namespace lockstep::test
