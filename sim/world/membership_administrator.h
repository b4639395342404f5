// Changes the members of a group among some of the world's servers, now and then, like an operator:
// looks who leads and what is in force, and asks that leader for something else. Its wishes are
// whole: who is not named is to leave.
//
// When the storm is over it names members once more and asks until they are the group: changes make
// progress.
#ifndef LOCKSTEP_SIM_WORLD_MEMBERSHIP_ADMINISTRATOR_H_
#define LOCKSTEP_SIM_WORLD_MEMBERSHIP_ADMINISTRATOR_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "sim/check/checker.h"
#include "sim/workload/sim_client.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

struct MembershipChanges {
  Duration gap_mean{0};  // between two wishes of the storm
  Duration retry{0};     // between two looks afterwards
};

// What administrators have asked for, and what became of it.
struct MembershipCounters {
  uint64_t asked = 0;
  uint64_t begun = 0;
  uint64_t refused = 0;
  uint64_t refused_pending = 0;
  uint64_t refused_moved = 0;
};
void AppendCounters(const MembershipCounters& changes, Counters* counters);

class MembershipAdministrator final : public SimClient {
 public:
  // `usable`: the servers that may be named (bits): those that are lost for ever may not.
  MembershipAdministrator(const MembershipChanges& options, GroupId group, uint16_t servers,
                          std::function<uint64_t()> usable, Rng rng)
      : options_(options),
        group_(group),
        servers_(servers),
        usable_(std::move(usable)),
        rng_(rng) {}

  // Before Start(). `port` outlives this object.
  void Bind(ClientPort& port) { port_ = &port; }
  // Some of `core` are to be the group in the end, and of these most have all their data: not so
  // `lost`.
  void BeginFinalRound(uint64_t core, uint64_t lost);
  // The voters of wishes that may still be granted, now that configuration `committed` is.
  std::vector<uint64_t> OpenWishes(Index committed) const;

  void Start() override { Sleep(); }
  void OnReply(uint64_t attempt, const Bytes& reply) override;
  void OnWake() override;
  bool Done() const override { return final_.has_value() && granted_; }
  std::string WaitingFor() const override;
  void AddTo(MembershipCounters* counters) const;

 private:
  struct Wish {
    uint64_t expected = 0;
    uint64_t voters = 0;    // bits
    uint64_t learners = 0;  // bits
  };

  void Sleep();
  void Look();
  void OnStatus(NodeId node, const lockstep::v1::ReplicaStatus& replica);
  std::optional<Wish> Choose(const lockstep::v1::ReplicaStatus& now);
  Wish DrawWish(const lockstep::v1::ReplicaStatus& now);
  uint64_t DrawSome(uint64_t from, uint64_t count);
  void Ask(NodeId leader, const Wish& wish);

  const MembershipChanges options_;
  const GroupId group_;
  const uint16_t servers_;
  const std::function<uint64_t()> usable_;
  Rng rng_;
  ClientPort* port_ = nullptr;
  uint64_t attempts_ = 0;
  uint64_t asked_after_ = 0;       // the look before the last request: what it shows is of the past
  uint64_t look_ = 0;              // the attempt of the newest look
  std::optional<uint64_t> final_;  // bits
  bool granted_ = false;
  std::vector<Wish> wishes_;
  std::string seen_ = "no leader has answered yet";

  uint64_t begun_ = 0;
  uint64_t refused_ = 0;
  uint64_t refused_pending_ = 0;
  uint64_t refused_moved_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_MEMBERSHIP_ADMINISTRATOR_H_
