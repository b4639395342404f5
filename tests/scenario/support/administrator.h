// Who administers the shards of a scenario: joins, leaves, moves and questions, by the product's
// client library. What it is told is judged at the end: each change that was confirmed is in the
// controller's log, once, and each that was refused for certain is not.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_ADMINISTRATOR_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_ADMINISTRATOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/controller/configuration.h"
#include "core/proto/client.pb.h"
#include "sim/check/session_model.h"
#include "tests/scenario/support/client.h"

namespace lockstep::scenario {

class Administrator {
 public:
  // `client` outlives this object. `shards`: of the cluster.
  Administrator(Client& client, uint32_t shards) : client_(client), shards_(shards) {}

  // --- Those that wait. The controller's answer; a failure to get one fails the test. ---
  proto::Code Join(const std::vector<controller::Group>& groups);
  proto::Code Leave(const std::vector<GroupId>& gids, bool force = false);
  proto::Code Move(uint32_t shard, GroupId gid);
  proto::Code Unpin(uint32_t shard);
  // Of that number; 0: the newest. None: there is none.
  std::optional<controller::Configuration> Query(uint64_t num = 0);

  // --- Those that do not ---
  Pending JoinSoon(const std::vector<controller::Group>& groups, Duration patience = kPatience);
  Pending LeaveSoon(const std::vector<GroupId>& gids, bool force, Duration patience = kPatience);
  Pending MoveSoon(uint32_t shard, GroupId gid, Duration patience = kPatience);
  Pending QuerySoon(uint64_t num, Duration patience = kPatience);
  // Whatever the administrator thinks of.
  Pending CommandSoon(const proto::Command& command, const std::string& what,
                      Duration patience = kPatience);

  bool Done() const { return client_.Done(); }
  // `sessions`: of the controller's log.
  void Judge(const sim::SessionModel& sessions) const;

 private:
  proto::Code Complete(const Pending& pending);

  Client& client_;
  const uint32_t shards_;
  std::vector<Pending> commands_;
};

// The configuration in an answer. REQUIRES: it holds one.
controller::Configuration ConfigurationIn(const proto::Result& result);

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_ADMINISTRATOR_H_
