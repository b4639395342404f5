// Who lets groups join and leave and moves shards while clients are at work, and asks for nonsense
// and for old configurations in between. A client like the others, with a session of its own at the
// controller: what it is told is checked as well. Where there are gateways it asks one about the
// cluster now and then (ClusterInquirer).
#ifndef LOCKSTEP_SIM_WORKLOAD_SHARD_ADMINISTRATOR_H_
#define LOCKSTEP_SIM_WORKLOAD_SHARD_ADMINISTRATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/router.h"
#include "core/controller/configuration.h"
#include "sim/check/checker.h"
#include "sim/check/cluster_checkers.h"
#include "sim/workload/cluster_inquirer.h"
#include "sim/workload/sim_client.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

struct ShardAdministration {
  std::vector<controller::Group> groups;  // that may be members
  uint32_t shards = 1;
  Duration gap_mean{0};  // between two deeds
  bool force = false;    // even the last group may leave
  client::RouterOptions client;
  Inquiries inquiries;
};

class ShardAdministrator final : public SimClient {
 public:
  // `members`: as for ClusterInquirer. `options`, `mirror` and `findings` outlive this object.
  ShardAdministrator(const ShardAdministration& options, MembersOfId members,
                     const ControllerMirror& mirror, Findings& findings, Rng rng);

  void Bind(ClientPort& port) { port_ = &port; }
  // Nothing new; then, when what is under way is over, somebody must be a member: all groups join
  // if there is none.
  void BeginFinalRound();

  void Start() override;
  void OnReply(uint64_t attempt, const Bytes& reply) override;
  void OnWake() override;
  bool Done() const override;
  std::string WaitingFor() const override;

  // Each change that was confirmed was made by the one entry of the controller's log that the
  // answer names.
  void Check(ClusterCheckers& checkers, Findings& findings) const;
  void AppendCounters(Counters* counters) const;

 private:
  // What the deed under way may be answered.
  struct Deed {
    std::string name;
    bool nonsense = false;   // must be refused
    uint64_t asked_num = 0;  // the configuration that was asked for; 0: the newest
    uint64_t least_num = 0;  // made before it was asked for: the newest is no older
    bool query = false;
    CommandIdentity identity = {};
  };

  void Draw(Instant now);
  void Begin(Instant now, Deed deed, std::variant<proto::Command, proto::Query> operation);
  void DrawJoin(Instant now);
  void DrawLeave(Instant now);
  void DrawMove(Instant now);
  void DrawNonsense(Instant now);
  void DrawQuery(Instant now);
  void EnsureMembers(Instant now);
  void Inquire(const ClusterInquirer::Call& call);
  void OnInquired();
  Instant NextDeedAt();
  void Step(client::Input input);
  void OnCompletion(const client::Outcome& outcome);
  void CheckAnswer(const proto::Result& result);
  void Report(const std::string& what);
  std::vector<controller::Group> Absent() const;
  void Sleep();

  const ShardAdministration& options_;
  const ControllerMirror& mirror_;  // what is true, to draw what makes sense
  Findings& findings_;
  Rng rng_;
  client::Router router_;
  ClusterInquirer inquirer_;
  ClientPort* port_ = nullptr;
  uint64_t last_operation_ = 0;
  std::optional<Deed> deed_;
  Instant router_wake_ = kNever;
  Instant deed_at_ = kNever;
  bool final_round_ = false;
  bool final_done_ = false;
  uint64_t statuses_before_ = 0;  // the final round

  struct Executed {
    std::string name;
    CommandIdentity identity = {};
    Index index;
  };
  std::vector<Executed> executed_;
  uint64_t changes_ = 0;
  uint64_t refusals_ = 0;
  uint64_t queries_ = 0;
  uint64_t unknown_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_SHARD_ADMINISTRATOR_H_
