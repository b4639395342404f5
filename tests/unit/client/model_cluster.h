// A cluster of machines without consensus: the controller and the shard groups are the real ones, a
// hand-over happens when the test says so, and requests are answered at once.
#ifndef LOCKSTEP_TESTS_UNIT_CLIENT_MODEL_CLUSTER_H_
#define LOCKSTEP_TESTS_UNIT_CLIENT_MODEL_CLUSTER_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/controller/admin.h"
#include "core/shardkv/agent.h"
#include "tests/unit/controller/replica.h"
#include "tests/unit/shardkv/group.h"

namespace lockstep::client {

using shardkv::KeyOf;
using shardkv::kShards;

// Group g lives on nodes 10 g + 1 to 10 g + 3, the controller on 1 to 3 until it moves; the first
// of each leads.
class ModelCluster {
 public:
  ModelCluster() : admin_(controller_) {}

  // --- The administrator

  void Join(const std::vector<uint64_t>& gids) {
    for (const uint64_t gid : gids) {
      if (groups_.count(gid) == 0) groups_.emplace(gid, shardkv::Group(gid));
    }
    Do(controller::JoinOf(gids, kShards));
  }
  void Leave(const std::vector<uint64_t>& gids, bool force = false) {
    Do(controller::LeaveOf(gids, force));
  }
  void Move(uint32_t shard, uint64_t gid) {
    Do(controller::MakeMove(ShardId(shard), GroupId(gid)));
  }
  // The controller's own members are others from now on; the first leads.
  void MoveControllers(const std::vector<uint64_t>& nodes) {
    controllers_ = nodes;
    ++controllers_membership_;
    proto::SetMembers set;
    set.set_membership(controllers_membership_);
    for (const uint64_t node : nodes) set.add_nodes(node);
    EXPECT_EQ(controller_.Apply(controller::MakeSetMembers(set)).code(), proto::OK);
  }
  uint64_t controllers_membership() const { return controllers_membership_; }
  uint64_t num() const { return controller_.machine().newest().num.value(); }
  uint64_t OwnerOf(uint32_t shard) const {
    return controller_.machine().newest().owners[shard].value();
  }

  // --- The groups

  // A group takes its next configuration. False: it has the newest.
  bool Reconfigure(uint64_t gid) {
    shardkv::Group& group = groups_.at(gid);
    proto::Query query;
    query.mutable_get_shards();
    for (uint64_t next = group.machine().num() + 1; next <= num(); ++next) {
      const proto::Configuration configuration = ToProto(controller_.Get(next));
      const auto change =
          shardkv::ChangeFor(GroupId(gid), group.Read(query).shards(), configuration);
      if (!change.has_value()) continue;  // Before it joined.
      proto::Command command;
      *command.mutable_reconfigure() = *change;
      EXPECT_EQ(group.Internal(command).code(), proto::OK);
      return true;
    }
    return false;
  }
  // It fetches what it can of what it has gained.
  void Pull(uint64_t gid) {
    shardkv::Group& group = groups_.at(gid);
    for (const auto& [id, tenure] : group.machine().tenures()) {
      if (tenure.state != proto::SHARD_PULLING) continue;
      const shardkv::Group& source = groups_.at(tenure.source.gid());
      if (shardkv::ReadPart(source, id.shard, tenure.source_ended, "", 1).code() != proto::OK) {
        continue;
      }
      shardkv::Pull(source, group, id.shard, id.since, tenure.source_ended);
      return;
    }
  }
  // All hand-overs come to their end, as far as clients can tell.
  void Settle() {
    for (int round = 0; round < 100; ++round) {
      for (auto& [gid, group] : groups_) {
        Reconfigure(gid);
        Pull(gid);
      }
    }
  }

  // --- The network

  // Nodes of a dead group do not answer, but its data can be fetched.
  void Kill(uint64_t gid) { dead_.insert(gid); }
  void Revive(uint64_t gid) { dead_.erase(gid); }
  bool IsDead(NodeId node) const {
    const bool gone = node.value() < 10 &&
                      std::count(controllers_.begin(), controllers_.end(), node.value()) == 0;
    return gone || dead_.count(node.value() / 10) > 0;
  }

  proto::ClientReply Handle(NodeId to, const proto::ClientRequest& request) {
    proto::ClientReply reply;
    const uint64_t gid = request.group();
    if (to.value() / 10 != gid || (gid != 0 && groups_.count(gid) == 0)) {
      reply.mutable_result()->set_code(proto::UNKNOWN_GROUP);
    } else if (to.value() != LeaderOf(gid)) {
      reply.mutable_result()->set_code(proto::NOT_LEADER);
      reply.set_leader(LeaderOf(gid));
    } else if (gid == 0) {
      *reply.mutable_result() = request.has_query() ? controller_.Query(request.query())
                                                    : controller_.Apply(request.command());
    } else if (request.has_query()) {
      *reply.mutable_result() = groups_.at(gid).Read(request.query(), request.query().shard());
    } else {
      *reply.mutable_result() =
          groups_.at(gid).Client(request.command(), request.command().shard());
    }
    return reply;
  }
  shardkv::Group& group(uint64_t gid) { return groups_.at(gid); }
  // Of the group that serves it.
  std::string ValueOf(const std::string& key) {
    for (auto& [gid, group] : groups_) {
      const proto::Result result = group.Get(key);
      if (result.code() == proto::OK) return result.value();
    }
    return "nobody serves it";
  }

 private:
  uint64_t LeaderOf(uint64_t gid) const { return gid == 0 ? controllers_.front() : 10 * gid + 1; }
  void Do(const proto::Command& command) { EXPECT_EQ(admin_.Do(command).code(), proto::OK); }

  controller::Replica controller_;
  controller::Admin admin_;
  std::map<uint64_t, shardkv::Group> groups_;
  std::set<uint64_t> dead_;
  std::vector<uint64_t> controllers_{1, 2, 3};
  uint64_t controllers_membership_ = 0;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_TESTS_UNIT_CLIENT_MODEL_CLUSTER_H_
