// The commands of the Raft scripts (tests/testdata/raft): a cluster of raft::Raft values whose
// clock, disks, tables and network are moved by hand. docs of each command stand at its handler in
// raft_script_*.cc.
//
// What a turn brings out is printed one effect a line, `NODE: effect` or `FROM -> TO: message`; a
// message that waits for its node's disk says "(after write N)" and appears again, without it, when
// it leaves.
#ifndef LOCKSTEP_TESTS_SUPPORT_RAFT_SCRIPT_H_
#define LOCKSTEP_TESTS_SUPPORT_RAFT_SCRIPT_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/datadriven.h"
#include "tests/support/raft_member.h"

namespace lockstep::test {

class RaftScript {
 public:
  // Executes one command and returns its output.
  std::string Run(Command& command);

 private:
  struct Mail {
    NodeId from;
    NodeId to;
    raft::Message message;
  };
  using Handler = void (RaftScript::*)(Command&);
  static const std::map<std::string, Handler>& Handlers();

  // raft_script_nodes.cc: nodes, their inputs and their disks.
  void RunCluster(Command& command);
  void RunBoot(Command& command);
  void RunCrash(Command& command);
  void RunStop(Command& command);
  void RunStart(Command& command);
  void RunTimeout(Command& command);
  void RunElapse(Command& command);
  void RunPass(Command& command);
  void RunRecv(Command& command);
  void RunPropose(Command& command);
  void RunRead(Command& command);
  void RunTransfer(Command& command);
  void RunMembers(Command& command);
  void RunCompact(Command& command);
  void RunUnreachable(Command& command);
  void RunWrite(Command& command);
  void RunDone(Command& command);
  void RunTables(Command& command);
  void RunTable(Command& command);
  void RunForget(Command& command);

  // raft_script_network.cc: the network, and what shows the state.
  void RunDeliver(Command& command);
  void RunDrop(Command& command);
  void RunDuplicate(Command& command);
  void RunMessages(Command& command);
  void RunCut(Command& command);
  void RunIsolate(Command& command);
  void RunHeal(Command& command);
  void RunSettle(Command& command);
  void RunRun(Command& command);
  void RunStatus(Command& command);

  // raft_script.cc
  Member* Find(Command& command);  // the node named next; nullptr and an error when there is none
  void Turn(Member& member, raft::Input input);
  void Finish(Member& member, const TurnEffects& effects);
  void Print(NodeId node, const raft::Output& output);
  void PrintSends(NodeId node, const TurnEffects& effects);
  void Post(NodeId from, const raft::Outgoing& outgoing);
  void Deliver(Mail mail);
  void RunTableJobs(Member& member);
  std::vector<size_t> Select(Command& command);
  Member* NextTimer(Instant until, NodeId only);  // nullptr: none is due by then
  void Settle(Command& command);
  bool SettleOnce();
  void Line(const std::string& text);
  std::string NameOf(RequestId id) const;

  Instant now_ = Instant(std::chrono::seconds(100));
  std::map<NodeId, Member> members_;
  std::map<NodeId, raft::Config> configs_;
  std::vector<Mail> mail_;                    // under way, oldest first
  std::set<std::pair<NodeId, NodeId>> cuts_;  // links on which everything is lost
  bool tables_by_hand_ = false;
  uint64_t requests_ = 0;
  std::map<RequestId, std::string> request_names_;

  std::string output_;
  std::string indent_;
  bool quiet_ = false;  // messages are not printed
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_RAFT_SCRIPT_H_
