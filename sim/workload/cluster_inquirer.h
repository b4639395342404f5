// Who asks gateways about the cluster: how everybody is, that groups join without naming their
// members, that leadership moves. What an operator does with the command line.
//
//   a status      lists every server, once; who answers says who it is and hosts what it hosts; the
//                 configuration in it is one that was made, and no older than what was known
//   a join        is carried out with the members that the groups really have
//   a transfer    is answered
//
// In the end it asks for a status until it gets one: an inquiry ends, however many servers are
// dead.
#ifndef LOCKSTEP_SIM_WORKLOAD_CLUSTER_INQUIRER_H_
#define LOCKSTEP_SIM_WORKLOAD_CLUSTER_INQUIRER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/controller/configuration.h"
#include "core/proto/gateway.pb.h"
#include "sim/check/checker.h"
#include "sim/check/controller_mirror.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

// The members of a group's committed configuration with this id, ascending; nullopt: not known.
using MembersOfId = std::function<std::optional<std::vector<NodeId>>(GroupId group, Index id)>;

struct Inquiries {
  std::vector<NodeId> servers;  // all; none: there are no gateways to ask
  Duration patience{0};         // that a call names...
  Duration grace{0};            // ...and that its answer may come later
  uint32_t shards = 1;
};

class ClusterInquirer {
 public:
  // `groups`: with their members of the beginning. `members`: null where those never change. All
  // that is not copied outlives this object.
  ClusterInquirer(const Inquiries& options, const std::vector<controller::Group>& groups,
                  MembersOfId members, const ControllerMirror& mirror, Findings& findings, Rng rng)
      : options_(options),
        groups_(groups),
        members_(std::move(members)),
        mirror_(mirror),
        findings_(findings),
        rng_(rng) {}

  struct Call {
    NodeId to;
    uint64_t attempt = 0;
    Bytes request;
  };
  // Attempts have numbers from here on.
  static constexpr uint64_t kFirstAttempt = uint64_t{1} << 62;

  // Whether the next deed is one of these.
  bool WantsTurn();
  // A status, a join of `absent` or a transfer. REQUIRES: nothing is under way.
  Call Begin(Instant now, const std::vector<controller::Group>& absent);
  // A status. REQUIRES: as above.
  Call BeginStatus(Instant now);
  // True: what was under way is over.
  bool OnReply(uint64_t attempt, const Bytes& reply);
  bool OnTime(Instant now);

  Instant patience_ends() const { return deadline_; }  // kNever: nothing is under way
  bool under_way() const { return deadline_ != kNever; }
  uint64_t statuses() const { return statuses_; }  // answered
  // Nobody knows what became of some join: a gateway may still carry it out.
  bool join_is_open() const { return join_is_open_; }
  void AppendCounters(Counters* counters) const;

 private:
  Call Ask(Instant now, proto::GatewayRequest request);
  void CheckStatus(const lockstep::v1::StatusResponse& status);
  void CheckNode(const lockstep::v1::NodeStatus& node);
  void CheckHosted(const lockstep::v1::NodeStatus& node);
  void CheckMembers(const lockstep::v1::NodeStatus& node);
  void CheckJoin(const proto::GatewayReply& reply);
  void Report(const std::string& what);

  const Inquiries& options_;
  const std::vector<controller::Group>& groups_;
  const MembersOfId members_;
  const ControllerMirror& mirror_;
  Findings& findings_;
  Rng rng_;
  uint64_t attempts_ = 0;
  Instant deadline_ = kNever;
  NodeId asked_;
  proto::GatewayRequest request_;
  uint64_t least_num_ = 0;
  bool join_is_open_ = false;
  uint64_t statuses_ = 0;
  uint64_t online_ = 0;
  uint64_t joins_ = 0;
  uint64_t transfers_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_CLUSTER_INQUIRER_H_
