// The commands that move messages, and those that show the state.
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/raft_script.h"
#include "tests/support/raft_text.h"

namespace lockstep::test {

// [from=1] [to=2] [kind=append] [n=2]: those messages under way, oldest first; `n` picks the n-th
// of them, `n=last` the newest.
std::vector<size_t> RaftScript::Select(Command& command) {
  const NodeId from = command.Node("from");
  const NodeId to = command.Node("to");
  const std::string kind = command.Text("kind").value_or("");
  const std::string n = command.Text("n").value_or("");
  std::vector<size_t> selected;
  for (size_t i = 0; i < mail_.size(); ++i) {
    const bool meant =
        (from == NodeId() || mail_[i].from == from) && (to == NodeId() || mail_[i].to == to);
    const std::string text = raft::Describe(mail_[i].message) + " ";
    const bool kind_fits = kind.empty() || absl::StrContains(text, absl::StrCat(" ", kind, " "));
    if (meant && kind_fits) selected.push_back(i);
  }
  if (n.empty()) return selected;
  const size_t number = n == "last" ? selected.size() : command.ParseNumber(n);
  if (number < 1 || number > selected.size()) {
    command.Fail("there is no such message");
    return {};
  }
  return {selected[number - 1]};
}

// deliver [selection]: they arrive; answers to them stay under way.
void RaftScript::RunDeliver(Command& command) {
  const std::vector<size_t> selected = Select(command);
  if (selected.empty()) return command.Fail("no such message is under way");
  std::vector<Mail> arriving;
  for (size_t i : selected) arriving.push_back(mail_[i]);
  for (auto i = selected.rbegin(); i != selected.rend(); ++i)
    mail_.erase(mail_.begin() + static_cast<std::ptrdiff_t>(*i));
  for (Mail& mail : arriving) Deliver(std::move(mail));
}

// drop [selection]: they are lost.
void RaftScript::RunDrop(Command& command) {
  const std::vector<size_t> selected = Select(command);
  for (auto i = selected.rbegin(); i != selected.rend(); ++i)
    mail_.erase(mail_.begin() + static_cast<std::ptrdiff_t>(*i));
}

// duplicate [selection]: each is under way once more, behind all others.
void RaftScript::RunDuplicate(Command& command) {
  for (size_t i : Select(command)) mail_.push_back(Mail(mail_[i]));
}

// messages [selection]: what is under way.
void RaftScript::RunMessages(Command& command) {
  for (size_t i : Select(command)) {
    Line(absl::StrCat(mail_[i].from.value(), " -> ", mail_[i].to.value(), ": ",
                      raft::Describe(mail_[i].message)));
  }
}

// cut 1 2: what they send each other is lost, in both directions.
void RaftScript::RunCut(Command& command) {
  const NodeId a = command.NextNode();
  const NodeId b = command.NextNode();
  cuts_.insert({a, b});
  cuts_.insert({b, a});
  std::erase_if(mail_, [&](const Mail& mail) { return cuts_.contains({mail.from, mail.to}); });
}

// isolate NODE: cut off from all others.
void RaftScript::RunIsolate(Command& command) {
  const NodeId node = command.NextNode();
  for (const auto& [id, member] : members_) {
    if (id == node) continue;
    cuts_.insert({node, id});
    cuts_.insert({id, node});
  }
  std::erase_if(mail_, [&](const Mail& mail) { return mail.from == node || mail.to == node; });
}

// heal: all links work.
void RaftScript::RunHeal(Command&) { cuts_.clear(); }

// settle [verbose]: disks write and messages arrive until nothing moves. No time passes. Prints
// decisions only.
void RaftScript::RunSettle(Command& command) {
  quiet_ = !command.Flag("verbose");
  Settle(command);
  quiet_ = false;
}

// run 500ms: time passes in a world where everything works and takes no time (but cut links stay
// cut). Prints decisions only.
void RaftScript::RunRun(Command& command) {
  const Instant until = now_ + command.ParseSpan(command.NextWord().value_or(""));
  quiet_ = true;
  Settle(command);
  while (Member* member = NextTimer(until, NodeId())) {
    now_ = std::max(now_, member->raft().wake_at());
    Turn(*member, raft::TimerFired{});
    Settle(command);
  }
  quiet_ = false;
  now_ = until;
}

void RaftScript::Settle(Command& command) {
  for (int rounds = 0; SettleOnce(); ++rounds) {
    if (rounds == 1000) return command.Fail("it does not settle: messages breed messages");
  }
}

bool RaftScript::SettleOnce() {
  bool moved = false;
  for (auto& [id, member] : members_) {
    if (!member.up()) continue;
    if (!member.table_jobs().empty() && !tables_by_hand_) RunTableJobs(member);
    if (member.StartWrite() != nullptr) moved = true;
    while (!member.writes().empty()) {
      Finish(member, member.FinishWrite(now_));
      moved = true;
    }
  }
  for (Mail& mail : std::exchange(mail_, {})) {
    Deliver(std::move(mail));
    moved = true;
  }
  return moved;
}

// status [NODE]: role, log and, of a leader, how it sees the others.
void RaftScript::RunStatus(Command& command) {
  const std::optional<std::string> only = command.NextWord();
  static constexpr const char* kStates[] = {"probe", "replicate", "snapshot"};
  for (const auto& [id, member] : members_) {
    if (only.has_value() && NodeId(command.ParseNumber(*only)) != id) continue;
    if (!member.up()) {
      Line(absl::StrCat(id.value(), ": stopped"));
      continue;
    }
    const raft::Raft& raft = member.raft();
    Line(absl::StrCat(id.value(), ": ", test::NameOf(raft.role()), " term=", raft.term().value(),
                      " vote=", raft.hard_state().vote.value(), " leader=", raft.leader().value(),
                      " commit=", raft.commit().value(), " durable=", raft.durable().value(),
                      raft.hard_state().doubt == Term()
                          ? ""
                          : absl::StrCat(" doubt=", raft.hard_state().doubt.value()),
                      " log=", DescribeLog(raft.log())));
    if (raft.configuration().id) {
      Line(absl::StrCat("  members ", raft::Describe(raft.configuration()),
                        raft.configuration_is_committed() ? "" : " (not committed)"));
    }
    if (raft.leader_state() == nullptr) continue;
    if (raft.config().lease) {
      const Duration lease = std::max(Duration(0), raft.LeaseEnd() - now_);
      Line(absl::StrCat("  lease ", lease.count() / 1000, "us"));
    }
    for (const raft::Leader::Peer& peer : raft.leader_state()->peers) {
      const raft::Progress& progress = peer.progress;
      Line(absl::StrCat(
          "  sees ", peer.id.value(), ": ", kStates[static_cast<size_t>(progress.state)],
          " match=", progress.match.value(), " next=", progress.next.value(),
          " inflight=", progress.inflight.messages(), "/", progress.inflight.bytes(), "B"));
    }
  }
}

}  // namespace lockstep::test
