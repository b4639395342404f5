// Dispatch of the commands, and how effects are printed.
#include "tests/support/raft_script.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "tests/support/raft_text.h"

namespace lockstep::test {

const std::map<std::string, RaftScript::Handler>& RaftScript::Handlers() {
  static const std::map<std::string, Handler> handlers = {
      {"cluster", &RaftScript::RunCluster},   {"boot", &RaftScript::RunBoot},
      {"crash", &RaftScript::RunCrash},       {"stop", &RaftScript::RunStop},
      {"start", &RaftScript::RunStart},       {"timeout", &RaftScript::RunTimeout},
      {"elapse", &RaftScript::RunElapse},     {"pass", &RaftScript::RunPass},
      {"recv", &RaftScript::RunRecv},         {"propose", &RaftScript::RunPropose},
      {"read", &RaftScript::RunRead},         {"transfer", &RaftScript::RunTransfer},
      {"compact", &RaftScript::RunCompact},   {"unreachable", &RaftScript::RunUnreachable},
      {"write", &RaftScript::RunWrite},       {"done", &RaftScript::RunDone},
      {"tables", &RaftScript::RunTables},     {"table", &RaftScript::RunTable},
      {"forget", &RaftScript::RunForget},     {"deliver", &RaftScript::RunDeliver},
      {"drop", &RaftScript::RunDrop},         {"duplicate", &RaftScript::RunDuplicate},
      {"messages", &RaftScript::RunMessages}, {"cut", &RaftScript::RunCut},
      {"isolate", &RaftScript::RunIsolate},   {"heal", &RaftScript::RunHeal},
      {"settle", &RaftScript::RunSettle},     {"run", &RaftScript::RunRun},
      {"status", &RaftScript::RunStatus},     {"members", &RaftScript::RunMembers},
  };
  return handlers;
}

std::string RaftScript::Run(Command& command) {
  output_.clear();
  const auto found = Handlers().find(command.name());
  if (found == Handlers().end()) {
    command.Fail("unknown command");
  } else {
    (this->*found->second)(command);
  }
  return output_;
}

Member* RaftScript::Find(Command& command) {
  const NodeId id = command.NextNode();
  const auto found = members_.find(id);
  if (found != members_.end()) return &found->second;
  command.Fail(absl::StrCat("there is no node ", id.value()));
  return nullptr;
}

void RaftScript::Turn(Member& member, raft::Input input) {
  std::vector<raft::Input> inputs;
  inputs.push_back(std::move(input));
  Finish(member, member.Turn(now_, std::move(inputs)));
}

// Prints and posts what a turn brought out, and lets the table do its work.
void RaftScript::Finish(Member& member, const TurnEffects& effects) {
  Print(member.id(), effects.output);
  PrintSends(member.id(), effects);
  for (const raft::Outgoing& outgoing : effects.released) Post(member.id(), outgoing);
  for (const raft::Outgoing& outgoing : effects.output.send) {
    if (outgoing.after <= member.raft().completed()) Post(member.id(), outgoing);
  }
  if (!tables_by_hand_) RunTableJobs(member);
}

void RaftScript::RunTableJobs(Member& member) {
  while (!member.table_jobs().empty()) Finish(member, member.RunTableJob(now_));
}

void RaftScript::Line(const std::string& text) { absl::StrAppend(&output_, indent_, text, "\n"); }

std::string RaftScript::NameOf(RequestId id) const {
  const auto found = request_names_.find(id);
  return found == request_names_.end() ? absl::StrCat("request ", id.value()) : found->second;
}

void RaftScript::Print(NodeId node, const raft::Output& output) {
  const std::string who = absl::StrCat(node.value(), ": ");
  for (const raft::LoggedNote& note : output.notes) {
    const std::string text = Describe(note);
    if (!text.empty()) Line(absl::StrCat(who, text));
  }
  for (const raft::Accepted& accepted : output.accepted) {
    Line(absl::StrCat(who, "accepts ", NameOf(accepted.id), " at ",
                      raft::Describe(accepted.position)));
  }
  for (const raft::Refused& refused : output.refused) {
    Line(absl::StrCat(who, "refuses ", NameOf(refused.id), ": ", Describe(refused.why)));
  }
  for (const raft::ReadReady& read : output.reads) {
    Line(absl::StrCat(who, "answers ", NameOf(read.id), " from ", read.at.value()));
  }
  for (const raft::SnapshotRead& read : output.snapshot_reads) {
    const std::string which = read.snapshot.has_value() ? raft::Describe(*read.snapshot) : "new";
    Line(absl::StrCat(who, "reads snapshot for ", read.peer.value(), ": ", which,
                      " offset=", read.offset));
  }
  for (const raft::SnapshotWrite& write : output.snapshot_writes) {
    Line(absl::StrCat(who, "stages snapshot ", raft::Describe(write.snapshot), " offset=",
                      write.offset, " bytes=", write.data.size(), write.last ? " last" : ""));
  }
  for (NodeId peer : output.snapshot_closes)
    Line(absl::StrCat(who, "closes snapshot for ", peer.value()));
}

void RaftScript::PrintSends(NodeId node, const TurnEffects& effects) {
  if (quiet_) return;
  const auto print = [&](const raft::Outgoing& outgoing, const std::string& suffix) {
    const bool cut = cuts_.contains({node, outgoing.to});
    Line(absl::StrCat(node.value(), " -> ", outgoing.to.value(), ": ",
                      raft::Describe(outgoing.message), suffix,
                      cut && suffix.empty() ? " (lost)" : ""));
  };
  for (const raft::Outgoing& outgoing : effects.released) print(outgoing, "");
  const PersistSeq durable = members_.at(node).raft().completed();
  for (const raft::Outgoing& outgoing : effects.output.send) {
    const bool waits = outgoing.after > durable;
    print(outgoing, waits ? absl::StrCat(" (after write ", outgoing.after.value(), ")") : "");
  }
}

void RaftScript::Post(NodeId from, const raft::Outgoing& outgoing) {
  if (cuts_.contains({from, outgoing.to})) return;
  mail_.push_back({from, outgoing.to, outgoing.message});
}

void RaftScript::Deliver(Mail mail) {
  const auto to = members_.find(mail.to);
  if (to == members_.end() || !to->second.up()) return;
  if (!quiet_) {
    Line(absl::StrCat(mail.to.value(), " <- ", mail.from.value(), ": ",
                      raft::Describe(mail.message)));
  }
  if (!quiet_) indent_ = "  ";
  Turn(to->second, raft::Received{mail.from, std::move(mail.message)});
  indent_.clear();
}

}  // namespace lockstep::test
