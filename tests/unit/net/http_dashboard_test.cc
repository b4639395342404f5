// What the dashboard makes of one sample after the other.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "net/http/dashboard/model.h"
#include "net/http/dashboard/shard_map.h"
#include "net/http/json.h"
#include "tests/unit/net/http_dashboard_samples.h"

namespace lockstep::net::http {
namespace {

using http_test::CalmCluster;
using http_test::MovingCluster;
using http_test::Replica;
using http_test::Silence;
using lockstep::v1::StatusResponse;

constexpr uint64_t kBeginMs = 1'700'000'000'000;

class Dashboard : public testing::Test {
 protected:
  // A sample each second.
  void Observe(StatusResponse status, std::vector<CallTally> calls = {}) {
    ++seconds_;
    model_.Observe({.status = std::move(status),
                    .calls = std::move(calls),
                    .at_ms = kBeginMs + seconds_ * 1000,
                    .now_us = seconds_ * 1'000'000});
  }
  Json Topology() const { return Json::parse(model_.Everything().topology); }
  Json Metrics() const { return Json::parse(model_.Everything().metrics); }
  Json Shards() const { return Json::parse(model_.Everything().shards); }
  // Of the newest sample, as "kind: text".
  std::vector<std::string> News() const {
    std::vector<std::string> news;
    for (const Json& event : Json::parse(model_.News().events)) {
      news.push_back(event["kind"].get<std::string>() + ": " + event["text"].get<std::string>());
    }
    return news;
  }
  using Texts = std::vector<std::string>;

  HttpOptions options_;
  Model model_ = Model(options_);
  uint64_t seconds_ = 0;
};

TEST_F(Dashboard, TellsTheTopology) {
  Observe(CalmCluster());
  const Json topology = Topology();
  EXPECT_EQ(topology["cluster"], "test");
  EXPECT_EQ(topology["answeredBy"], 1);
  EXPECT_EQ(topology["updatedAt"], kBeginMs + 1000);
  EXPECT_EQ(topology["totalShards"], 4);
  EXPECT_EQ(topology["shardMap"], Json::parse(R"({"0":101,"1":101,"2":102,"3":102})"));
  EXPECT_EQ(topology["configCluster"]["configNum"], 1);
  EXPECT_EQ(topology["configCluster"]["leaderId"], 1);
  EXPECT_EQ(topology["configCluster"]["totalStorage"], 3000);
  const Json& group = topology["shardGroups"][1];
  EXPECT_EQ(group["groupId"], 102);
  EXPECT_EQ(group["state"], "healthy");
  EXPECT_EQ(group["shards"], Json({2, 3}));
  EXPECT_EQ(group["keys"], 20);
  const Json& replica = group["nodes"][1];
  EXPECT_EQ(replica["id"], 2);
  EXPECT_EQ(replica["address"], "n2:7400");
  EXPECT_EQ(replica["role"], "Follower");
  EXPECT_EQ(replica["term"], 4);
  EXPECT_EQ(replica["commitIndex"], 90);
  EXPECT_EQ(replica["lastApplied"], 90);
  EXPECT_EQ(replica["storageBytes"], 1000);
  EXPECT_EQ(replica["healthy"], true);
  EXPECT_EQ(replica["lastSeen"], kBeginMs + 1000);
  EXPECT_TRUE(News().empty()) << "the first look is no news";
}

TEST_F(Dashboard, TellsSums) {
  Observe(CalmCluster());
  const Json metrics = Metrics();
  EXPECT_EQ(metrics["totalNodes"], 3);
  EXPECT_EQ(metrics["healthyNodes"], 3);
  EXPECT_EQ(metrics["totalStorage"], 3000);
  EXPECT_EQ(metrics["totalKeys"], 40);
  EXPECT_EQ(metrics["totalBytes"], 4000);
  EXPECT_EQ(metrics["totalShards"], 4);
  EXPECT_EQ(metrics["averageLoad"], 2.0);
  EXPECT_EQ(metrics["movingShards"], 0);
}

TEST_F(Dashboard, ASilentNodeIsOfflineAndRemembered) {
  Observe(CalmCluster());
  StatusResponse status = CalmCluster();
  Silence(&status, 3);
  Observe(status);
  EXPECT_EQ(News(), Texts{"node_offline: Node 3 is offline: it cannot be reached"});
  const Json replica = Topology()["shardGroups"][0]["nodes"][2];
  EXPECT_EQ(replica["role"], "Offline");
  EXPECT_TRUE(replica["term"].is_null());
  EXPECT_EQ(replica["healthy"], false);
  EXPECT_EQ(replica["lastSeen"], kBeginMs + 1000);
  EXPECT_EQ(Topology()["shardGroups"][0]["state"], "degraded");
  EXPECT_EQ(Metrics()["healthyNodes"], 2);
  EXPECT_EQ(Metrics()["onlineNodes"], 2);
  Observe(CalmCluster());
  EXPECT_EQ(News(), Texts{"node_online: Node 3 is online"});
}

TEST_F(Dashboard, AGroupWithoutALeaderSaysSo) {
  Observe(CalmCluster());
  StatusResponse status = CalmCluster();
  Silence(&status, 1);
  // Who has not noticed yet still knows the dead leader; who has is a candidate.
  Replica(&status, 2, 101)->set_role(lockstep::v1::CANDIDATE);
  Replica(&status, 2, 101)->set_leader(0);
  Replica(&status, 3, 101)->set_role(lockstep::v1::PRE_CANDIDATE);
  Observe(status);
  const Json group = Topology()["shardGroups"][0];
  EXPECT_TRUE(group["leaderId"].is_null());
  EXPECT_EQ(group["state"], "no_leader");
  EXPECT_EQ(group["nodes"][1]["role"], "Candidate");
  EXPECT_EQ(group["nodes"][1]["healthy"], false);
  EXPECT_EQ(group["nodes"][2]["role"], "PreCandidate");
  EXPECT_EQ(Metrics()["groupsWithoutLeader"], 3);
  const Texts lost = News();
  EXPECT_EQ(lost.size(), 4u);
  EXPECT_EQ(lost[1], "leader_lost: The controller has no leader");
  EXPECT_EQ(lost[2], "leader_lost: Group 101 has no leader");

  Replica(&status, 2, 101)->set_role(lockstep::v1::LEADER);
  Replica(&status, 2, 101)->set_term(5);
  Observe(status);
  EXPECT_EQ(News(), Texts{"leader_elected: Node 2 leads group 101 in term 5"});
  EXPECT_EQ(Metrics()["leaderChanges"], 1);
  // Of two that believe they lead, the later term does.
  Replica(&status, 3, 101)->set_role(lockstep::v1::LEADER);
  Replica(&status, 3, 101)->set_term(6);
  Observe(status);
  EXPECT_EQ(News(), Texts{"leader_elected: Node 3 leads group 101 in term 6, after node 2"});
}

TEST_F(Dashboard, AShardIsSeenOnItsWay) {
  Observe(CalmCluster());
  // The groups have not heard of the configuration yet.
  StatusResponse begun = CalmCluster();
  begun.mutable_configuration()->set_num(2);
  begun.mutable_configuration()->set_owners(0, 102);
  begun.mutable_configuration()->add_pinned(0);
  Observe(begun);
  EXPECT_EQ(News(), (Texts{"configuration_changed: Configuration 2 is in force, after 1",
                           "shard_moves: Shard 0 moves from group 101 to group 102"}));
  EXPECT_EQ(Shards()[0]["state"], "SERVING");
  EXPECT_EQ(Shards()[0]["move"]["progress"], 0.0);

  Observe(MovingCluster());
  EXPECT_TRUE(News().empty());
  const Json shard = Shards()[0];
  EXPECT_EQ(shard["groupId"], 102);
  EXPECT_EQ(shard["state"], "PULLING");
  EXPECT_EQ(shard["keys"], 10) << "counted once";
  EXPECT_EQ(shard["pinned"], true);
  EXPECT_EQ(shard["move"]["from"], 101);
  EXPECT_EQ(shard["move"]["to"], 102);
  EXPECT_EQ(shard["move"]["bytesArrived"], 400);
  EXPECT_EQ(shard["move"]["bytesTotal"], 1000);
  EXPECT_EQ(shard["move"]["progress"], 0.4);
  EXPECT_EQ(Metrics()["movingShards"], 1);
  EXPECT_EQ(Metrics()["totalKeys"], 40);

  StatusResponse arrived = MovingCluster();
  for (uint64_t node = 1; node <= 3; ++node) {
    Replica(&arrived, node, 101)->mutable_shards(0)->set_state("DROPPED");
    Replica(&arrived, node, 102)->mutable_shards(2)->set_state("SERVING_GC");
    Replica(&arrived, node, 102)->mutable_shards(2)->set_keys(10);
  }
  Observe(arrived);
  EXPECT_EQ(News(), Texts{"shard_arrived: Shard 0 has arrived in group 102, with 10 keys"});
  EXPECT_TRUE(Shards()[0]["move"].is_null());
}

// The source's nodes are gone: how much is to come is not known, and not made up.
TEST_F(Dashboard, AMoveFromNobodyHasNoProgress) {
  StatusResponse status = MovingCluster();
  for (uint64_t node = 1; node <= 3; ++node) Replica(&status, node, 101)->clear_shards();
  Observe(status);
  const Json move = Shards()[0]["move"];
  EXPECT_TRUE(move["from"].is_null());
  EXPECT_TRUE(move["bytesTotal"].is_null());
  EXPECT_TRUE(move["progress"].is_null());
  EXPECT_EQ(move["bytesArrived"], 400);
}

// While the controller elects, its newest configuration is the last one that was told.
TEST_F(Dashboard, AConfigurationIsRemembered) {
  Observe(MovingCluster());
  StatusResponse status = MovingCluster();
  status.clear_configuration();
  status.set_configuration_num(0);
  Observe(status);
  EXPECT_EQ(Topology()["configCluster"]["configNum"], 2);
  EXPECT_EQ(Shards().size(), 4u);
  EXPECT_TRUE(News().empty());
}

TEST_F(Dashboard, TellsWhoJoinsAndWhoLearns) {
  Observe(CalmCluster());
  StatusResponse status = CalmCluster();
  lockstep::v1::NodeStatus& fourth = *status.add_nodes();
  fourth = status.nodes(2);
  fourth.set_node(4);
  for (uint64_t node = 1; node <= 4; ++node) {
    lockstep::v1::ReplicaStatus& replica = *Replica(&status, node, 101);
    replica.set_membership_id(7);
    replica.set_change_phase(lockstep::v1::CATCHING_UP);
    lockstep::v1::GroupMemberStatus& member = *replica.add_group_members();
    member.set_node(4);
    member.set_joins(true);
  }
  Observe(status);
  EXPECT_EQ(News(), (Texts{"node_known: Node 4 has come",
                           "members_changed: Members of group 101 are now 1, 2, 3, 4 (who joins "
                           "catches up)"}));
  const Json group = Topology()["shardGroups"][0];
  EXPECT_EQ(group["memberChange"], "catching_up");
  EXPECT_EQ(group["nodes"][3]["voter"], false);
  Observe(CalmCluster());
  EXPECT_EQ(News(), Texts{"node_forgotten: Node 4 has gone"});
}

TEST_F(Dashboard, TellsRestartsDisksAndRepairs) {
  Observe(CalmCluster());
  StatusResponse status = CalmCluster();
  status.mutable_nodes(0)->set_uptime_ms(10);
  status.mutable_nodes(1)->set_disk_room(lockstep::v1::DISK_LOW);
  status.mutable_nodes(1)->set_disk_free_bytes(77);
  Replica(&status, 3, 102)->set_repairing(true);
  Observe(status);
  EXPECT_EQ(News(), (Texts{"node_restarted: Node 1 has restarted",
                           "disk_low: Node 2 is low on disk space: 77 bytes are free",
                           "repair_began: Node 3's replica of group 102 repairs a damaged log"}));
  EXPECT_EQ(Metrics()["healthyNodes"], 1);
  Observe(CalmCluster());
  EXPECT_EQ(News(), (Texts{"disk_ample: Node 2 has disk space again",
                           "repair_ended: Node 3's replica of group 102 is repaired"}));
}

TEST_F(Dashboard, EventsAreBounded) {
  EventLog log;
  for (uint64_t i = 0; i < 3 * EventLog::kEventsMax; ++i) log.Add({Event{}}, i);
  EXPECT_EQ(log.events().size(), EventLog::kEventsMax);
  EXPECT_EQ(log.events().back().id, 3 * EventLog::kEventsMax);
  EXPECT_EQ(log.events().front().id, 2 * EventLog::kEventsMax + 1);
}

}  // namespace
}  // namespace lockstep::net::http
