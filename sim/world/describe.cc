#include "sim/world/describe.h"

#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/gateway/gateway.h"
#include "core/node/describe.h"
#include "core/proto/client.pb.h"
#include "core/proto/wire.h"
#include "core/raft/group_configuration.h"

namespace lockstep::sim {
namespace {

std::string Quote(absl::string_view bytes) {
  constexpr size_t kShown = 24;
  std::string text = absl::StrCat("\"", absl::CHexEscape(bytes.substr(0, kShown)), "\"");
  if (bytes.size() > kShown) absl::StrAppend(&text, "+", bytes.size() - kShown, " B");
  return text;
}

std::string DescribeCommand(const proto::Command& command) {
  const std::string session = absl::StrCat("s", command.session(), "#", command.sequence(), " ");
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
      return absl::StrCat("register session, nonce ", command.register_session().nonce());
    case proto::Command::kCloseSession:
      return absl::StrCat(session, "close session");
    case proto::Command::kPut:
      return absl::StrCat(session, "put ", Quote(command.put().key()), " = ",
                          Quote(command.put().value()));
    case proto::Command::kAppend:
      return absl::StrCat(session, "append ", Quote(command.append().key()),
                          " += ", Quote(command.append().value()));
    case proto::Command::kDelete:
      return absl::StrCat(session, "delete ", Quote(command.delete_().key()));
    case proto::Command::kCompareAndSwap:
      return absl::StrCat(session, "cas ", Quote(command.compare_and_swap().key()));
    default:
      return node::Describe(command);
  }
}

std::string DescribeEntry(const Entry& entry) {
  const std::string place = absl::StrCat("(", entry.index.value(), ",", entry.term.value(), ") ");
  if (entry.kind == EntryKind::kNoop) return absl::StrCat(place, "no-op");
  if (entry.kind == EntryKind::kConfiguration) {
    const absl::StatusOr<raft::GroupConfiguration> members =
        raft::DecodeConfiguration(entry.data.view());
    return absl::StrCat(place, "members ",
                        members.ok() ? raft::DescribeMembers(*members) : "unreadable");
  }
  proto::Command command;
  if (!command.ParseFromArray(entry.data.data(), static_cast<int>(entry.data.size()))) {
    return absl::StrCat(place, "not a command, ", entry.data.size(), " B");
  }
  return absl::StrCat(place, DescribeCommand(command));
}

std::string At(LogPosition position) {
  return absl::StrCat("(", position.index.value(), ",", position.term.value(), ")");
}

// What it is about: "g7 ".
std::string Named(GroupId group) { return absl::StrCat("g", group.value(), " "); }

struct JobDescriber {
  std::string operator()(const CommitLog& job) const {
    std::string text = "log";
    for (const LogBatch& batch : job.batches) {
      absl::StrAppend(&text, " g", batch.group.value());
      if (batch.hard_state.has_value()) {
        absl::StrAppend(&text, " term=", batch.hard_state->term.value(),
                        " vote=", batch.hard_state->vote.value());
      }
      if (batch.base.has_value()) absl::StrAppend(&text, " base=", At(*batch.base));
      if (batch.truncate_from.has_value()) {
        absl::StrAppend(&text, " truncate-from=", batch.truncate_from->value());
      }
      if (!batch.append.empty()) {
        absl::StrAppend(&text, " append ", batch.append.front().index.value(), "..",
                        batch.append.back().index.value());
      }
    }
    return text;
  }
  std::string operator()(const ApplyEntries& job) const {
    if (job.entries.empty()) return Named(job.group) + "apply nothing";
    return absl::StrCat(Named(job.group), "apply ", job.entries.front().index.value(), "..",
                        job.entries.back().index.value());
  }
  std::string operator()(const QueryTable& job) const {
    return absl::StrCat(Named(job.group), "query, ", job.items.size(), " items");
  }
  std::string operator()(const Checkpoint& job) const { return Named(job.group) + "checkpoint"; }
  std::string operator()(const ReadSnapshot& job) const {
    return absl::StrCat(Named(job.group), "read snapshot for ", job.peer.value(), " ",
                        job.snapshot.has_value() ? At(*job.snapshot) : "new", " at ", job.offset);
  }
  std::string operator()(const CloseSnapshot& job) const {
    return absl::StrCat(Named(job.group), "close snapshot for ", job.peer.value());
  }
  std::string operator()(const WriteSnapshot& job) const {
    return absl::StrCat(Named(job.group), "write snapshot ", At(job.snapshot), " at ", job.offset,
                        " ", job.data.size(), " B", job.last ? " last" : "");
  }
};

std::string DescribeAsked(const proto::ClientRequest& request) {
  switch (request.body_case()) {
    case proto::ClientRequest::kCommand:
      return DescribeCommand(request.command());
    case proto::ClientRequest::kQuery:
      if (request.query().has_get()) {
        return absl::StrCat("get ", Quote(request.query().get().key()));
      }
      return node::Describe(request.query());
    case proto::ClientRequest::kTransferLeadership:
      return "transfer leadership";
    case proto::ClientRequest::kChangeMembership: {
      std::string text =
          absl::StrCat("members after ", request.change_membership().expected(), ":");
      for (const proto::WantedMember& member : request.change_membership().members()) {
        absl::StrAppend(&text, " ", member.node(), member.learner() ? " (learner)" : "");
      }
      return text;
    }
    case proto::ClientRequest::kGetNodeStatus:
      return "status";
    case proto::ClientRequest::BODY_NOT_SET:
      return "empty request";
  }
  return "unknown request";
}

std::string DescribeNoted(const Note& note) {
  const uint64_t term = note.term.value();
  const uint64_t peer = note.peer.value();
  const std::string entry = note.entry == nullptr ? At(note.position) : DescribeEntry(*note.entry);
  switch (note.kind) {
    case NoteKind::kBooted:
      return absl::StrCat("booted: term=", term, " vote=", peer, " base=", At(note.position),
                          " applied=", note.number);
    case NoteKind::kBootEntry:
      return absl::StrCat("found ", entry);
    case NoteKind::kHardState:
      return absl::StrCat("term=", term, " vote=", peer);
    case NoteKind::kAppended:
      return absl::StrCat("appended ", entry);
    case NoteKind::kTruncated:
      return absl::StrCat("truncated from ", note.position.index.value(), ", leader ", peer);
    case NoteKind::kBaseMoved:
      return absl::StrCat("log begins after ", At(note.position),
                          note.number == 1 ? " (snapshot)" : "");
    case NoteKind::kBecameLeader:
      return absl::StrCat("LEADER of term ", term, ", log ends at ", At(note.position));
    case NoteKind::kBecameFollower:
      return absl::StrCat("follower in term ", term, ", leader ", peer);
    case NoteKind::kBecameCandidate:
      return absl::StrCat("candidate in term ", term);
    case NoteKind::kBecamePreCandidate:
      return absl::StrCat("pre-candidate in term ", term);
    case NoteKind::kCommitted:
      return absl::StrCat("committed ", note.position.index.value());
    case NoteKind::kVoteGranted:
      return absl::StrCat("vote for ", peer, " in term ", term, " leaves");
    case NoteKind::kAppendAcked:
      return absl::StrCat("acknowledgement of ", note.position.index.value(), " to ", peer,
                          " in term ", term, " leaves");
    case NoteKind::kApplied:
      return absl::StrCat("applied ", entry);
    case NoteKind::kTrusted:
      return absl::StrCat("has got back what its log had lost, up to ", At(note.position));
    case NoteKind::kSnapshotInstalled:
      return absl::StrCat("snapshot ", At(note.position), " installed");
    case NoteKind::kSnapshotSent:
      return absl::StrCat("snapshot ", At(note.position), " sent to ", peer);
    case NoteKind::kSnapshotResumed:
      return absl::StrCat("snapshot ", At(note.position), " to ", peer, " goes on at ",
                          note.number);
    case NoteKind::kTransferStarted:
      return absl::StrCat("hands leadership to ", peer);
    case NoteKind::kLease:
      return note.number == 0 ? "holds no lease"
                              : absl::StrCat("holds a lease until ", note.number / 1000, " us");
    case NoteKind::kReplied:
      return absl::StrCat("answered request ", note.number, " at ", note.position.index.value());
    case NoteKind::kMalformed:
      return absl::StrCat("dropped a malformed message of ", note.number, " B");
  }
  return "unknown note";
}

std::string DescribeCall(const proto::GatewayRequest& call) {
  switch (call.body_case()) {
    case proto::GatewayRequest::kCommand:
      return DescribeCommand(call.command());
    case proto::GatewayRequest::kQuery:
      if (call.query().has_get()) return absl::StrCat("get ", Quote(call.query().get().key()));
      return node::Describe(call.query());
    case proto::GatewayRequest::kBulk:
      return absl::StrCat("bulk of ", call.bulk().operations_size());
    case proto::GatewayRequest::kClusterStatus:
      return "cluster status";
    case proto::GatewayRequest::kTransfer:
      return absl::StrCat("transfer of group ", call.transfer().group());
    case proto::GatewayRequest::kJoin:
      return "join";
    case proto::GatewayRequest::kChangeNodes:
      return absl::StrCat("change of nodes: add ", call.change_nodes().add(), ", remove ",
                          call.change_nodes().remove());
    case proto::GatewayRequest::BODY_NOT_SET:
      return "nothing";
  }
  return "unknown call";
}

std::string DescribeResult(const proto::Result& result) {
  std::string text = proto::Code_IsValid(result.code()) ? proto::Code_Name(result.code()) : "?";
  if (result.has_value()) absl::StrAppend(&text, " ", Quote(result.value()));
  if (result.session() != 0) absl::StrAppend(&text, " session ", result.session());
  if (result.pairs_size() != 0) absl::StrAppend(&text, " ", result.pairs_size(), " pairs");
  if (result.replayed()) absl::StrAppend(&text, " replayed");
  if (result.stale()) absl::StrAppend(&text, " stale");
  if (result.index() != 0) absl::StrAppend(&text, " at ", result.index());
  return text;
}

// An answer of a gateway begins with its kind, one of a node with a message.
bool IsGatewayReply(const Bytes& reply) {
  wire::Reader reader(reply.view());
  return reader.Next() && reader.text().empty();
}

std::string DescribeGatewayReply(const Bytes& reply) {
  proto::GatewayReply decoded;
  if (!decoded.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) {
    return absl::StrCat("malformed, ", reply.size(), " B");
  }
  std::string text = proto::GatewayReply::Kind_Name(decoded.kind());
  if (decoded.has_result()) absl::StrAppend(&text, " ", DescribeResult(decoded.result()));
  if (!decoded.message().empty()) absl::StrAppend(&text, ": ", decoded.message());
  return text;
}

}  // namespace

std::string DescribePeer(const Bytes& message) { return node::DescribeMessage(message); }

std::string DescribeRequest(const Bytes& request) {
  proto::GatewayRequest call;
  if (gateway::IsGatewayRequest(request) &&
      call.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return absl::StrCat("call: ", DescribeCall(call));
  }
  proto::ClientRequest decoded;
  if (!decoded.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return absl::StrCat("malformed, ", request.size(), " B");
  }
  return Named(GroupId(decoded.group())) + DescribeAsked(decoded);
}

std::string DescribeReply(const Bytes& reply) {
  if (IsGatewayReply(reply)) return DescribeGatewayReply(reply);
  proto::ClientReply decoded;
  if (!decoded.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) {
    return absl::StrCat("malformed, ", reply.size(), " B");
  }
  std::string text = DescribeResult(decoded.result());
  if (decoded.leader() != 0) absl::StrAppend(&text, " leader ", decoded.leader());
  return text;
}

std::string DescribeJob(const StorageJob& job) { return std::visit(JobDescriber{}, job); }

std::string DescribeNote(const Note& note) { return Named(note.group) + DescribeNoted(note); }

}  // namespace lockstep::sim
