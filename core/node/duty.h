// What a replica does of its own accord, beside what clients ask of it: a state machine that the
// replica drives. Its calls are proposals of the group itself (EntryKind::kInternal) and reads of
// the table as it is, without a barrier.
#ifndef LOCKSTEP_CORE_NODE_DUTY_H_
#define LOCKSTEP_CORE_NODE_DUTY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/pace.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/node/courier.h"
#include "core/node/roles.h"
#include "core/proto/client.pb.h"
#include "core/proto/node.pb.h"
#include "core/raft/group_configuration.h"

namespace lockstep::node {

// Calls of a duty have numbers from here on; clients' requests never get there.
inline constexpr RequestId kFirstDutyCall{uint64_t{1} << 63};
inline bool IsDutyCall(RequestId id) { return id >= kFirstDutyCall; }

// What the replica is in its group.
struct Standing {
  bool leads = false;
  bool caught_up = false;  // leads, and its table holds everything of earlier terms
  NodeId leader;           // as far as known
  // The group's own configuration, if it is settled, committed and another one than that of its
  // beginning; null: nothing to be said of it.
  const raft::GroupConfiguration* members = nullptr;
};

// What the group `gid` says of its members: the voters of its own configuration.
proto::SetMembers SayMembers(uint64_t gid, uint64_t joined,
                             const raft::GroupConfiguration& members);

// Appended to, never taken from.
struct DutyCalls {
  std::vector<std::pair<RequestId, proto::Command>> proposals;
  std::vector<std::pair<RequestId, proto::Query>> queries;
};

class Duty {
 public:
  virtual ~Duty() = default;

  // Why a client's command need not even become an entry; nullopt: it may. What is applied decides,
  // this only saves the log what is certainly refused.
  virtual std::optional<proto::Result> RefuseEarly(const proto::Command& command) const = 0;
  // From another node, or another replica of this one.
  virtual void OnMessage(Instant now, NodeId from, const proto::NodeMessage& message,
                         const Standing& standing) = 0;
  // A call is answered: the proposal was applied, or the query executed.
  virtual void OnResult(Instant now, RequestId call, const proto::Result& result) = 0;
  // A call will not be answered. The proposal may be executed all the same.
  virtual void OnLost(Instant now, RequestId call) = 0;
  // An entry of kind kInternal was applied, whoever proposed it. Before its OnResult.
  virtual void OnApplied(Instant now, const proto::Result& result) = 0;
  // Who the controllers are now, as this node has heard.
  virtual void OnControllers(const proto::Controllers& controllers) = 0;
  // Who they are, by the newest that this duty was told or its group's log says; of membership 0:
  // those of the beginning.
  virtual const proto::Controllers& controllers() const = 0;
  // A snapshot has replaced the table.
  virtual void OnTableReplaced() = 0;
  // At the end of every turn, and when wake_at() has come.
  virtual void Act(Instant now, const Standing& standing, DutyCalls* calls) = 0;
  virtual Instant wake_at() const = 0;
};

// The duty of a replica with this role; null: it has none. All that is not copied outlives it.
std::unique_ptr<Duty> MakeDuty(const NodeOptions& options, GroupId group, Rng rng, Courier& courier,
                               Pace& bulk);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_DUTY_H_
