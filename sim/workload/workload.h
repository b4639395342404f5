// The clients of one run: what they issue, what they were answered, and whether that history is
// linearizable. In the safety phase they issue a drawn mix of operations; afterwards a final round
// proves that the healed cluster serves everybody.
#ifndef LOCKSTEP_SIM_WORKLOAD_WORKLOAD_H_
#define LOCKSTEP_SIM_WORKLOAD_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "sim/check/checker.h"
#include "sim/workload/recorder.h"
#include "sim/workload/sim_client.h"
#include "sim/workload/workload_options.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

class ClusterCheckers;
class OperationSource;
class WorkloadClient;

// How clients reach the store.
struct Access {
  std::vector<NodeId> nodes;  // the members of `group`
  GroupId group;
  bool sharded = false;              // the group is the controller: clients find the others by it
  std::vector<NodeId> servers = {};  // whom thin clients ask: all
  bool space_hard_limit = true;      // beyond it servers may refuse more than data
  // The newest version of a shard right now; empty: nobody can say.
  std::function<Index(uint32_t shard)> newest_version = {};
};

class Workload {
 public:
  // All chance comes from `rng`.
  Workload(const WorkloadOptions& options, const Access& access, Rng rng);
  ~Workload();

  size_t clients() const;
  SimClient& client(size_t number);
  // Before client(number).Start(). `port` outlives the workload.
  void Bind(size_t number, ClientPort& port);

  // From now until then clients pause for at most `think_max` between two operations. Some begin
  // anew near a server of the `cut_off`, of which there may be none.
  void Hurry(Instant until, Duration think_max, const std::vector<NodeId>& cut_off);
  // The safety phase is over: nothing new is issued; what is outstanding goes on.
  void StopIssuing();
  // The liveness phase: finish what is outstanding, then every client reads every key, writes one
  // and reads that again, and all of it must succeed. Implies StopIssuing().
  void BeginFinalRound();
  // Nothing outstanding and nothing more to issue (in the phase that was asked for).
  bool Done() const;
  // Who is waiting for what, a line each (at most a few), for a liveness failure.
  std::string WaitingFor() const;

  // Operations begun so far, the final round's not counted.
  uint64_t issued() const;

  // After the run, with what the checkers know of the committed log:
  // Exactly-once: a command that was answered was executed at the one index where the committed log
  // has it first, and the answer says so. Linearizability of the whole history, key by key; an
  // undecided verdict is a violation too.
  void Check(ClusterCheckers& checkers, Judges judges, Findings& findings) const;

  void AppendCounters(Counters* counters) const;

  // All that clients did until now, what is under way being open.
  linearizability::History History() const;

 private:
  void CheckExactlyOnce(FirstOf first_of, Findings& findings) const;
  void CheckLinearizability(FirstOf first_of, ExecutionsOf executions_of, Findings& findings) const;

  std::unique_ptr<OperationSource> source_;
  std::unique_ptr<Recorder> recorder_;
  std::vector<std::unique_ptr<WorkloadClient>> clients_;
  GroupId group_;
  bool sharded_;
  bool space_hard_limit_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_WORKLOAD_H_
