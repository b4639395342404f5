// The commands of the node scripts (tests/testdata/node): one node's shell, made as everywhere by
// MakeNode, on a Host that is moved by hand. The other nodes and the clients are the script's.
//
// What the node does is printed as it does it: messages, storage jobs, replies, the alarm. A job
// waits in its lane until the script says that it is done.
#ifndef LOCKSTEP_TESTS_SUPPORT_NODE_SCRIPT_H_
#define LOCKSTEP_TESTS_SUPPORT_NODE_SCRIPT_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "core/node/roles.h"
#include "core/runtime/host.h"
#include "core/runtime/process.h"
#include "tests/support/datadriven.h"
#include "tests/support/map_tables.h"

namespace lockstep::test {

class NodeScript final : private Clock,
                         private Transport,
                         private Disk,
                         private Replies,
                         private Journal {
 public:
  // Executes one command and returns its output.
  std::string Run(Command& command);

 private:
  struct Job {
    Ticket ticket;
    StorageJob job;
  };
  using Handler = void (NodeScript::*)(Command&);
  static const std::map<std::string, Handler>& Handlers();

  // The host.
  Instant Now() const override { return now_; }
  void WakeAt(Instant when) override;
  void Send(NodeId to, Bytes message) override;
  Ticket Submit(StorageJob job) override;
  void Reply(RequestId id, Bytes reply) override;
  bool listening() const override { return listening_; }
  void Record(const Note& note) override;

  // The commands; each is explained at its handler.
  void RunNode(Command& command);
  void RunJournal(Command& command);
  void RunMessage(Command& command);
  void RunPeer(Command& command);
  void RunBytes(Command& command);
  void RunRequest(Command& command);
  void RunLink(Command& command);
  void RunPass(Command& command);
  void RunSpace(Command& command);
  void RunWake(Command& command);
  void RunTurn(Command& command);
  void RunDone(Command& command);
  void RunFail(Command& command);
  void RunJobs(Command& command);
  void RunLead(Command& command);
  void RunRun(Command& command);

  // Ends the turn unless the command says `hold`.
  void EndTurn(Command& command);
  std::deque<Job>* LaneNamed(Command& command);
  void Complete(Lane lane);
  void ReadLimits(Command& command);
  void FinishAll(Lane lane);
  void Line(const std::string& text);
  void JobLine(const std::string& text);
  std::string Ago(Instant when) const;

  const Instant start_ = Instant(std::chrono::seconds(100));
  Instant now_ = start_;
  node::NodeOptions options_;
  std::unique_ptr<Process> node_;
  std::unique_ptr<MapTables> tables_;
  std::deque<Job> log_jobs_;
  std::deque<Job> table_jobs_;
  Ticket log_ticket_;
  Ticket table_ticket_;
  Instant alarm_ = kNever;
  bool listening_ = false;
  bool quiet_ = false;
  bool quiet_jobs_ = false;  // and the alarm
  std::string output_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_NODE_SCRIPT_H_
