#include "core/raft/messages.h"

#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/raft/group_configuration.h"

namespace lockstep::raft {
namespace {

std::string YesNo(bool yes) { return yes ? "yes" : "no"; }

std::string Seq(ReadSeq seq) { return seq == ReadSeq() ? "" : absl::StrCat(" read=", seq.value()); }

}  // namespace

absl::string_view Name(Room room) {
  switch (room) {
    case Room::kAmple:
      return "ample";
    case Room::kLow:
      return "low";
    case Room::kNone:
      return "none";
  }
  return "";
}

namespace {

struct BodyText {
  std::string operator()(const PreVoteRequest& m) const {
    return absl::StrCat("prevote? next=", m.next_term.value(), " last=", Describe(m.last));
  }
  std::string operator()(const PreVoteReply& m) const {
    return absl::StrCat("prevote:", YesNo(m.granted), " next=", m.next_term.value());
  }
  std::string operator()(const VoteRequest& m) const {
    return absl::StrCat("vote? last=", Describe(m.last), m.transfer ? " transfer" : "");
  }
  std::string operator()(const VoteReply& m) const {
    return absl::StrCat("vote:", YesNo(m.granted));
  }
  std::string operator()(const AppendRequest& m) const {
    std::string text = absl::StrCat("append prev=", Describe(m.prev), " commit=", m.commit.value(),
                                    Seq(m.read_seq));
    for (const Entry& entry : m.entries) absl::StrAppend(&text, " ", Describe(entry));
    return text;
  }
  std::string operator()(const AppendAccepted& m) const {
    return absl::StrCat("append:yes match=", m.match.value(), Seq(m.read_seq));
  }
  std::string operator()(const AppendRejected& m) const {
    return absl::StrCat("append:no rejected=", m.rejected.value(), " hint=", Describe(m.hint),
                        Seq(m.read_seq));
  }
  std::string operator()(const Heartbeat& m) const {
    return absl::StrCat("heartbeat commit=", m.commit.value(), Seq(m.read_seq));
  }
  std::string operator()(const HeartbeatReply& m) const {
    return absl::StrCat("heartbeat:ok", Seq(m.read_seq),
                        m.room == Room::kAmple ? "" : absl::StrCat(" room=", Name(m.room)),
                        m.promise == Duration(0)
                            ? std::string()
                            : absl::StrCat(" promise=", m.promise.count() / 1000, "us"));
  }
  std::string operator()(const SnapshotChunk& m) const {
    return absl::StrCat("snapshot ", Describe(m.snapshot), " offset=", m.offset,
                        " bytes=", m.data.size(), m.last ? " last" : "",
                        m.configuration.empty() ? "" : " with configuration");
  }
  std::string operator()(const SnapshotReply& m) const {
    return absl::StrCat("snapshot:", m.complete ? "complete" : "more", " ", Describe(m.snapshot),
                        " next=", m.next_offset);
  }
  std::string operator()(const TimeoutNow&) const { return "timeout-now"; }
  std::string operator()(const ReadIndexRequest& m) const {
    return absl::StrCat("index?", Seq(m.seq));
  }
  std::string operator()(const ReadIndexReply& m) const {
    return absl::StrCat("index at=", m.index.value(), Seq(m.seq));
  }
};

}  // namespace

std::string Describe(LogPosition position) {
  return absl::StrCat("(", position.term.value(), ",", position.index.value(), ")");
}

std::string Describe(const Entry& entry) {
  const std::string where = absl::StrCat(entry.term.value(), ".", entry.index.value());
  if (entry.kind == EntryKind::kConfiguration) {
    const absl::StatusOr<GroupConfiguration> members = DecodeConfiguration(entry.data.view());
    return absl::StrCat("[", where, " members ",
                        members.ok() ? DescribeMembers(*members) : "unreadable", "]");
  }
  return entry.kind == EntryKind::kNoop ? absl::StrCat("[", where, " noop]")
                                        : absl::StrCat("[", where, " ", entry.data.size(), "B]");
}

std::string Describe(const Message& message) {
  return absl::StrCat("term=", message.term.value(), " ", std::visit(BodyText{}, message.body),
                      message.incarnation
                          ? absl::StrCat(" incarnation=", message.incarnation.value())
                          : std::string());
}

}  // namespace lockstep::raft
