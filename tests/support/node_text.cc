#include "tests/support/node_text.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/controller/admin.h"
#include "core/kv/command.h"
#include "core/node/describe.h"
#include "core/node/duty.h"
#include "core/proto/client.pb.h"
#include "core/raft/messages.h"
#include "core/shardkv/describe.h"
#include "tests/support/raft_text.h"

namespace lockstep::test {
namespace {

std::string Name(GroupId group) { return absl::StrCat("g", group.value()); }

// Calls of a duty are numbered apart from clients' requests: d1, d2, ...
std::string Name(RequestId id) {
  if (!node::IsDutyCall(id)) return absl::StrCat("r", id.value());
  return absl::StrCat("d", id.value() - node::kFirstDutyCall.value());
}

// " (drop shard 0 lost in 2)": what a group says to itself.
std::string DescribeInternal(const Entry& entry) {
  proto::Command command;
  const int size = static_cast<int>(entry.data.size());
  const bool readable = command.ParseFromArray(entry.data.data(), size);
  return absl::StrCat(" (", readable ? node::Describe(command) : "unreadable", ")");
}

struct JobText {
  std::string operator()(const CommitLog& job) const {
    std::string text = "write";
    const char* separator = " ";
    for (const LogBatch& batch : job.batches) {
      absl::StrAppend(&text, separator, Name(batch.group), ":", Describe(batch));
      separator = "; ";
    }
    return text;
  }
  std::string operator()(const ApplyEntries& job) const {
    std::string text =
        absl::StrCat("apply ", Name(job.group), ": ", job.entries.front().index.value(), "..",
                     job.entries.back().index.value());
    for (const Entry& entry : job.entries) {
      if (entry.kind == EntryKind::kInternal) absl::StrAppend(&text, DescribeInternal(entry));
    }
    return text;
  }
  std::string operator()(const QueryTable& job) const {
    std::string text = absl::StrCat("query ", Name(job.group), ":");
    for (const QueryTable::Item& item : job.items) absl::StrAppend(&text, " ", Name(item.id));
    return text;
  }
  std::string operator()(const Checkpoint& job) const {
    return absl::StrCat("checkpoint ", Name(job.group));
  }
  std::string operator()(const ReadSnapshot& job) const {
    return absl::StrCat("read snapshot ", Name(job.group), " for ", job.peer.value(), ": ",
                        job.snapshot.has_value() ? raft::Describe(*job.snapshot) : "new",
                        " offset=", job.offset);
  }
  std::string operator()(const CloseSnapshot& job) const {
    return absl::StrCat("close snapshot ", Name(job.group), " for ", job.peer.value());
  }
  std::string operator()(const WriteSnapshot& job) const {
    return absl::StrCat("stage snapshot ", Name(job.group), ": ", raft::Describe(job.snapshot),
                        " offset=", job.offset, " bytes=", job.data.size(),
                        job.last ? " last" : "");
  }
};

void ParseCommand(Command& command, const std::string& kind, proto::Command* out) {
  if (kind == "register") {
    *out = kv::MakeRegisterSession(1);
    return;
  }
  if (kind == "prune") {
    *out = controller::MakePruneHistory(controller::ConfigurationNum(1));
    return;
  }
  if (kind == "join") {  // join GID-NODE+NODE
    const std::string text = command.NextWord().value_or("");
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, '-');
    controller::Group group{.gid = GroupId(command.ParseNumber(parts.first))};
    for (absl::string_view node : absl::StrSplit(parts.second, '+', absl::SkipEmpty())) {
      group.members.push_back({.node = NodeId(command.ParseNumber(node))});
    }
    *out = controller::MakeJoin({group}, /*shards=*/0);
  } else {
    const std::string key = command.NextWord().value_or("");
    std::string value = command.NextWord().value_or("");
    value.append(command.Number("more", 0), 'x');
    *out = kind == "put"      ? kv::MakePut(key, value)
           : kind == "delete" ? kv::MakeDelete(key)
           : kind == "cas"    ? kv::MakeCompareAndSwap(key, std::nullopt, value)
                              : kv::MakeAppend(key, value);
  }
  const SessionId session(command.Number("session", 0));
  const uint64_t sequence = command.Number("sequence", 0);
  *out = kv::InSession(*out, session, sequence, sequence);
}

}  // namespace

std::string Describe(const StorageJob& job) { return std::visit(JobText(), job); }

Bytes ParseRequest(Command& command) {
  proto::ClientRequest request;
  request.set_group(command.Number("group", 1));
  const std::string kind = command.NextWord().value_or("");
  if (kind == "register" || kind == "put" || kind == "append" || kind == "delete" ||
      kind == "cas" || kind == "join" || kind == "prune") {
    ParseCommand(command, kind, request.mutable_command());
  } else if (kind == "get") {
    *request.mutable_query() = kv::MakeGet(command.NextWord().value_or(""));
  } else if (kind == "configuration") {
    *request.mutable_query() = controller::MakeGetConfiguration();
  } else if (kind == "shards") {
    request.mutable_query()->mutable_get_shards();
  } else if (kind == "tenure") {
    request.mutable_query()->mutable_read_tenure();
  } else if (kind == "transfer") {
    request.mutable_transfer_leadership()->set_to(command.Number("to", 0));
  } else if (kind == "members") {  // members [after=2] 1 2 4: all voters
    request.mutable_change_membership()->set_expected(command.Number("after", 0));
    while (const std::optional<std::string> node = command.NextWord()) {
      request.mutable_change_membership()->add_members()->set_node(command.ParseNumber(*node));
    }
  } else if (kind == "status") {
    request.mutable_get_node_status();
  } else if (kind != "nothing") {
    command.Fail(absl::StrCat("unknown request \"", kind, "\""));
  }
  return kv::Encode(request);
}

// "members 2 CATCHING_UP: 1 voter match=1, 4 learner joins match=0".
std::string DescribeMembership(const lockstep::v1::ReplicaStatus& replica) {
  std::string text = absl::StrCat("members ", replica.membership_id(), " ",
                                  lockstep::v1::ChangePhase_Name(replica.change_phase()),
                                  replica.membership_committed() ? ":" : " not committed:");
  for (const lockstep::v1::GroupMemberStatus& member : replica.group_members()) {
    absl::StrAppend(&text, " [", member.node(), member.voter() ? " voter" : " learner",
                    member.joins() ? " joins" : "", member.leaves() ? " leaves" : "",
                    " match=", member.match(), member.caught_up() ? " caught up" : "", "]");
  }
  return text;
}

std::string DescribeReply(const Bytes& bytes) {
  proto::ClientReply reply;
  if (!reply.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "unreadable";
  const proto::Result& result = reply.result();
  std::string text = proto::Code_Name(result.code());
  if (reply.leader() != 0) absl::StrAppend(&text, " leader=", reply.leader());
  if (result.session() != 0) absl::StrAppend(&text, " session=", result.session());
  if (result.has_value()) absl::StrAppend(&text, " value=", result.value());
  if (result.index() != 0) absl::StrAppend(&text, " index=", result.index());
  if (result.replayed()) absl::StrAppend(&text, " replayed");
  if (result.configuration_num() != 0) {
    absl::StrAppend(&text, " num=", result.configuration_num());
  }
  if (result.has_configuration()) {
    absl::StrAppend(&text, " configuration with ", result.configuration().groups_size(),
                    " groups and ", result.configuration().owners_size(), " shards");
  }
  if (result.has_shards()) absl::StrAppend(&text, " at configuration ", result.shards().num());
  for (const proto::ShardTenure& tenure : result.shards().tenures()) {
    absl::StrAppend(&text, "\n  ", shardkv::Describe(tenure));
  }
  if (reply.has_membership()) {
    absl::StrAppend(&text, " ", proto::MembershipAnswer::Refusal_Name(reply.membership().refusal()),
                    " in ", reply.membership().configuration().id());
  }
  for (const lockstep::v1::ReplicaStatus& replica : reply.node_status().replicas()) {
    absl::StrAppend(&text, "\n  ", DescribeMembership(replica));
  }
  if (!result.message().empty()) absl::StrAppend(&text, ": ", result.message());
  return text;
}

std::string Describe(const Note& note) {
  const std::string group = Name(note.group);
  switch (note.kind) {
    case NoteKind::kBooted:
      return absl::StrCat(group, " booted term=", note.term.value(), " vote=", note.peer.value(),
                          " base=", raft::Describe(note.position), " applied=", note.number);
    case NoteKind::kBootEntry:
      return absl::StrCat(group, " found ", raft::Describe(*note.entry));
    case NoteKind::kAppended:
      return absl::StrCat(group, " appended ", raft::Describe(*note.entry));
    case NoteKind::kCommitted:
      return absl::StrCat(group, " committed ", note.position.index.value());
    case NoteKind::kVoteGranted:
      return absl::StrCat(group, " promises its vote in term ", note.term.value(), " to ",
                          note.peer.value());
    case NoteKind::kAppendAcked:
      return absl::StrCat(group, " promises ", note.position.index.value(), " in term ",
                          note.term.value(), " to ", note.peer.value());
    case NoteKind::kApplied:
      return absl::StrCat(group, " applied ", raft::Describe(*note.entry));
    case NoteKind::kReplied:
      return absl::StrCat(group, " replied r", note.number, " at ", note.position.index.value());
    case NoteKind::kBaseMoved:
      return absl::StrCat(group, " log begins after ", raft::Describe(note.position));
    case NoteKind::kTrusted:
      return absl::StrCat(group, " trusts its log again");
    case NoteKind::kMalformed:
      return absl::StrCat("malformed message of ", note.number, " bytes from ", note.peer.value());
    default:
      return "";
  }
}

}  // namespace lockstep::test
