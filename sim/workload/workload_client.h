// One simulated client: the real client state machine (core/client), driven by processes that each
// issue one operation at a time.
//
// A process whose operation ended without a known outcome goes on under a new process number. A
// client may forget everything and begin a new session; what it had under way stays open for ever.
#ifndef LOCKSTEP_SIM_WORKLOAD_WORKLOAD_CLIENT_H_
#define LOCKSTEP_SIM_WORKLOAD_WORKLOAD_CLIENT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/caller.h"
#include "sim/workload/operation_source.h"
#include "sim/workload/recorder.h"
#include "sim/workload/sim_client.h"

namespace lockstep::sim {

// Makes the client library of one life, near that server, or near any if it names none.
using MakeCaller = std::function<std::unique_ptr<client::Caller>(NodeId near, Rng rng)>;

class WorkloadClient : public SimClient {
 public:
  // `source` and `recorder` are shared by all clients and outlive this one.
  WorkloadClient(uint64_t number, MakeCaller make, uint32_t processes, Rng rng,
                 OperationSource& source, Recorder& recorder);

  void Bind(ClientPort& port) { port_ = &port; }
  // The source hurries from now on: do not sit out a long pause. Perhaps begin anew, near a server
  // of the `cut_off`, of which there may be none.
  void Hurry(Instant until, const std::vector<NodeId>& cut_off);
  void BeginFinalRound();

  void Start() override;
  void OnReply(uint64_t attempt, const Bytes& reply) override;
  void OnWake() override;
  bool Done() const override;
  std::string WaitingFor() const override;
  // Adds what is under way, as open.
  void AppendOpen(linearizability::History* history) const;

 private:
  struct Process {
    uint64_t number = 0;          // in the history
    Instant next_at{};            // not before this: the think time
    client::OperationId current;  // none: idle
    std::optional<Recorder::Open> open;
    std::optional<ListPosition> page;
    std::optional<PlannedOperation> final_task;  // what it is doing in the final round
  };

  void Turn();
  bool IssueOne(Instant now);
  std::optional<PlannedOperation> Plan(Process& process);
  void Step(client::Input input);
  void NoteName(const client::Send& send);
  void OnCompletion(Instant now, const client::Completion& completion);
  void Learn(Process& process, const client::Outcome& outcome);
  void Forget(Instant now);
  void SetAlarm();

  const uint64_t number_;
  const MakeCaller make_;
  Rng rng_;
  OperationSource& source_;
  Recorder& recorder_;
  ClientPort* port_ = nullptr;

  std::unique_ptr<client::Caller> client_;
  uint64_t life_ = 0;  // counts the client's lives; part of every attempt's number
  uint64_t last_operation_ = 0;
  Instant client_wake_ = kNever;
  Instant forget_at_ = kNever;
  NodeId next_near_;  // of its next life
  bool near_cut_off_ = false;
  std::vector<Process> processes_;
  bool final_round_ = false;
  std::deque<PlannedOperation> final_tasks_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_WORKLOAD_CLIENT_H_
