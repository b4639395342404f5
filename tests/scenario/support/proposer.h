// Proposes commands at one server of the scenario's choice, as the labs' Start() does: no retries,
// no looking for a leader. It speaks to the servers over links that are never cut and never bad, so
// that a proposal is a thing of the server alone.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_PROPOSER_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_PROPOSER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "core/runtime/journal.h"
#include "sim/check/command_identity.h"
#include "sim/workload/recorder.h"
#include "sim/workload/sim_client.h"

namespace lockstep::scenario {

// A command put before one server. A copy is the same proposal.
class Proposal {
 public:
  enum class Fate : uint8_t {
    kOnItsWay,
    kAccepted,  // it is in the log of the leader that it was put before
    kRefused,   // certainly not executed
    kAnswered,  // executed
  };
  struct State {
    Fate fate = Fate::kOnItsWay;
    NodeId server;
    LogPosition position;  // kAccepted: where in the leader's log
    sim::CommandIdentity command;
    sim::Recorder::Open open;
  };
  explicit Proposal(std::shared_ptr<State> state) : state_(std::move(state)) {}

  Fate fate() const { return state_->fate; }
  bool accepted() const { return fate() == Fate::kAccepted || fate() == Fate::kAnswered; }
  bool answered() const { return fate() == Fate::kAnswered; }
  // Where the leader has it, or had it. REQUIRES: accepted().
  LogPosition position() const { return state_->position; }
  Index index() const { return position().index; }
  const sim::CommandIdentity& command() const { return state_->command; }

 private:
  std::shared_ptr<State> state_;
};

class Proposer : public sim::SimClient {
 public:
  // `recorder` outlives the proposer.
  Proposer(GroupId group, sim::Recorder& recorder) : group_(group), recorder_(recorder) {}
  // `port` outlives the proposer.
  void Bind(sim::ClientPort& port) { port_ = &port; }

  // Asks the server for a session, which proposals need.
  void OpenSession(NodeId server);
  bool has_session() const { return session_.value() != 0; }

  // A Put of `value` under a key of its own. REQUIRES: has_session().
  Proposal Propose(NodeId server, const std::string& value);
  // What a server notes: proposals are found in it.
  void OnNote(NodeId node, const Note& note);
  // Nothing more is awaited: what was not answered may take effect at any time.
  void AbandonAll();

  // sim::SimClient.
  void Start() override {}
  void OnReply(uint64_t attempt, const Bytes& reply) override;
  void OnWake() override {}
  bool Done() const override { return true; }
  std::string WaitingFor() const override { return ""; }

 private:
  void Send(NodeId server, const proto::ClientRequest& request);

  const GroupId group_;
  sim::Recorder& recorder_;
  sim::ClientPort* port_ = nullptr;
  SessionId session_;
  uint64_t attempts_ = 0;
  uint64_t sequence_ = 0;
  std::map<uint64_t, std::shared_ptr<Proposal::State>> open_;  // by attempt
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_PROPOSER_H_
