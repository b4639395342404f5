// How the cluster and the node are, and changing it.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "tests/unit/net/http_routing.h"

namespace lockstep::net::http {
namespace {

void FillReplica(lockstep::v1::ReplicaStatus* replica) {
  replica->set_group(101);
  replica->set_role(lockstep::v1::LEADER);
  replica->set_term(4);
  replica->set_commit(90);
  replica->set_applied(89);
  replica->set_last(91);
  replica->set_leader(1);
  for (uint64_t member = 1; member <= 3; ++member) replica->add_members(member);
  replica->set_log_base(50);
  replica->set_log_entries(41);
  replica->set_keys(12);
  auto* shard = replica->add_shards();
  shard->set_shard(0);
  shard->set_state("SERVING");
  shard->set_keys(12);
}

TEST_F(Routing, SaysHowTheClusterIs) {
  store_.cluster.set_answered_by(1);
  store_.cluster.set_configuration_num(3);
  store_.cluster.mutable_configuration()->add_owners(101);
  store_.cluster.mutable_configuration()->add_owners(0);
  auto* node = store_.cluster.add_nodes();
  node->set_node(1);
  node->set_online(true);
  node->add_replicas()->set_role(lockstep::v1::FOLLOWER);  // of the controller
  FillReplica(node->add_replicas());
  auto* gone = store_.cluster.add_nodes();
  gone->set_node(2);
  gone->set_error("connection refused");

  const Json data = AskJson(Method::kGet, "/api/v1/cluster/status")["data"];
  EXPECT_EQ(data["node_id"], 1);
  EXPECT_EQ(data["state"], "leader");
  EXPECT_EQ(data["term"], 4);
  EXPECT_EQ(data["leader"], 1);
  EXPECT_EQ(data["peers"], Json({2, 3}));
  EXPECT_EQ(data["last_log_index"], 91);
  EXPECT_EQ(data["commit_index"], 90);
  EXPECT_EQ(data["nodes"][0]["replicas"][1]["role"], "LEADER");
  EXPECT_EQ(data["nodes"][1]["online"], false);
  EXPECT_EQ(AskJson(Method::kGet, "/api/v1/cluster/status?group=0")["data"]["state"], "follower");
  EXPECT_EQ(AskJson(Method::kGet, "/api/v1/cluster/status?group=9")["data"]["state"], "none");
  EXPECT_FALSE(store_.last.cluster_status().shards());
  Ask(Method::kGet, "/api/v1/cluster/status?shards=true");
  EXPECT_TRUE(store_.last.cluster_status().shards());

  const Json nodes = AskJson(Method::kGet, "/api/v1/cluster/nodes")["data"]["nodes"];
  EXPECT_EQ(nodes[0]["state"], "leader");
  EXPECT_EQ(nodes[1]["state"], "offline");
  EXPECT_EQ(nodes[1]["error"], "connection refused");
  const Json shards = AskJson(Method::kGet, "/api/v1/cluster/shards")["data"]["shards"];
  EXPECT_EQ(shards[0]["gid"], 101);
  EXPECT_EQ(shards[0]["state"], "SERVING");
  EXPECT_EQ(shards[0]["leader"], 1);
  EXPECT_TRUE(shards[1]["gid"].is_null());
  EXPECT_EQ(AskJson(Method::kGet, "/api/v1/cluster/configuration/5")["data"]["num"], 12);
}

TEST_F(Routing, ChangesTheCluster) {
  EXPECT_EQ(AskJson(Method::kPost, "/api/v1/cluster/join", R"({"gids":[101,102]})")["success"],
            true);
  EXPECT_EQ(store_.last.join().groups_size(), 2);
  Ask(Method::kPost, "/api/v1/cluster/join",
      R"({"groups":[{"gid":7,"members":[{"node":1,"address":"h:1"}]}]})");
  EXPECT_EQ(store_.last.join().groups(0).members(0).address(), "h:1");
  Ask(Method::kPost, "/api/v1/cluster/leave", R"({"gid":101,"force":true})");
  EXPECT_TRUE(store_.last.command().leave().force());
  Ask(Method::kPost, "/api/v1/cluster/move", R"({"shard":3,"gid":101})");
  EXPECT_EQ(store_.last.command().move().shard(), 3u);
  Ask(Method::kPost, "/api/v1/cluster/unpin", R"({"shard":3})");
  EXPECT_EQ(store_.last.command().unpin().shard(), 3u);
  Ask(Method::kPost, "/api/v1/cluster/transfer", R"({"group":101,"to":2})");
  EXPECT_EQ(store_.last.transfer().to(), 2u);

  proto::GatewayReply refused;
  refused.set_kind(proto::GatewayReply::OK);
  refused.mutable_result()->set_code(proto::ALREADY_EXISTS);
  refused.mutable_result()->set_message("group 101 is a member already");
  store_.planted = refused;
  const Response response = Ask(Method::kPost, "/api/v1/cluster/join", R"({"gid":101})");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(Json::parse(response.body)["code"], "ALREADY_EXISTS");
}

v1::GroupChange ChangeIn(uint64_t group, v1::GroupChange::Outcome outcome) {
  v1::GroupChange change;
  change.set_group(group);
  change.set_outcome(outcome);
  change.set_membership_id(7);
  return change;
}

TEST_F(Routing, NodesComeAndGo) {
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::OK);
  reply.mutable_result()->set_code(proto::OK);
  *reply.add_groups() = ChangeIn(0, v1::GroupChange::BEGUN);
  *reply.add_groups() = ChangeIn(101, v1::GroupChange::UNCHANGED);
  store_.planted = reply;
  const Json added = AskJson(Method::kPost, "/api/v1/cluster/nodes",
                             R"({"node_id":4,"address":"h:1","groups":[0,101],"learner":true})");
  EXPECT_EQ(store_.last.change_nodes().add(), 4u);
  EXPECT_EQ(store_.last.change_nodes().address(), "h:1");
  EXPECT_EQ(store_.last.change_nodes().groups_size(), 2);
  EXPECT_TRUE(store_.last.change_nodes().learner());
  EXPECT_EQ(added["success"], true);
  EXPECT_EQ(added["data"]["success"], true);
  EXPECT_EQ(added["data"]["message"], "begun in group 0; nothing to change in group 101");
  EXPECT_EQ(added["data"]["groups"][0]["outcome"], "begun");
  EXPECT_EQ(added["data"]["groups"][0]["membership_id"], 7);

  Ask(Method::kPost, "/api/v1/cluster/nodes", R"({"node_id":4,"replaces":2})");
  EXPECT_EQ(store_.last.change_nodes().add(), 4u);
  EXPECT_EQ(store_.last.change_nodes().remove(), 2u);
  Ask(Method::kDelete, "/api/v1/cluster/nodes/2?groups=0,101");
  EXPECT_EQ(store_.last.change_nodes().add(), 0u);
  EXPECT_EQ(store_.last.change_nodes().remove(), 2u);
  EXPECT_EQ(store_.last.change_nodes().groups(1), 101u);
  const Json nowhere = AskJson(Method::kDelete, "/api/v1/cluster/nodes/9");
  EXPECT_TRUE(absl::StrContains(nowhere["data"]["message"].get<std::string>(), "no group has"));

  *reply.mutable_groups(1) = ChangeIn(101, v1::GroupChange::REFUSED);
  reply.mutable_groups(1)->set_reason(v1::GroupChange::UNSAFE);
  store_.planted = reply;
  const Response partly = Ask(Method::kDelete, "/api/v1/cluster/nodes/2");
  EXPECT_EQ(partly.status, 207);
  EXPECT_EQ(Json::parse(partly.body)["data"]["groups"][1]["reason"], "UNSAFE");

  reply.set_kind(proto::GatewayReply::NOT_EXECUTED);
  reply.set_status(static_cast<uint32_t>(absl::StatusCode::kFailedPrecondition));
  reply.mutable_result()->set_code(proto::FAILED_PRECONDITION);
  reply.set_message("group 101: why");
  store_.planted = reply;
  const Response refused = Ask(Method::kDelete, "/api/v1/cluster/nodes/2");
  EXPECT_EQ(refused.status, 409);
  const Json json = Json::parse(refused.body);
  EXPECT_EQ(json["code"], "FAILED_PRECONDITION");
  EXPECT_EQ(json["effect"], "none");
  EXPECT_EQ(json["groups"][1]["reason"], "UNSAFE");
}

TEST_F(Routing, IsHealthyWhenItCanServe) {
  store_.node.set_node(1);
  store_.node.set_uptime_ms(61'000);
  store_.node.set_disk_free_bytes(uint64_t{1} << 40);
  FillReplica(store_.node.add_replicas());
  const Response healthy = Ask(Method::kGet, "/health");
  EXPECT_EQ(healthy.status, 200);
  const Json json = Json::parse(healthy.body);
  EXPECT_EQ(json["status"], "healthy");
  EXPECT_EQ(json["node_id"], 1);
  EXPECT_EQ(json["uptime"], 61);
  EXPECT_EQ(json["raft_state"], "leader");

  store_.node.mutable_replicas(0)->set_quorum_contact_age_ms(60'000);
  const Response cut_off = Ask(Method::kGet, "/api/v1/health");
  EXPECT_EQ(cut_off.status, 503);
  EXPECT_EQ(Json::parse(cut_off.body)["network_healthy"], false);
  EXPECT_EQ(Json::parse(cut_off.body)["storage_healthy"], true);
  store_.node.mutable_replicas(0)->set_quorum_contact_age_ms(0);
  store_.node.mutable_replicas(0)->set_leader(0);
  EXPECT_EQ(Ask(Method::kGet, "/health").status, 503) << "nobody leads";
  store_.node.mutable_replicas(0)->set_leader(1);
  store_.node.set_disk_free_bytes(1);
  const Json full = AskJson(Method::kGet, "/health");
  EXPECT_EQ(full["storage_healthy"], false);
}

TEST_F(Routing, CountsWhatIsReal) {
  FillReplica(store_.node.add_replicas());
  store_.node.set_storage_bytes(777);
  store_.node.mutable_counters()->set_messages_sent(5);
  store_.node.mutable_counters()->set_requests(4);
  store_.node.mutable_counters()->set_request_time_us(8000);
  options_.heartbeat_ms = 33;
  const Json json = AskJson(Method::kGet, "/metrics");
  EXPECT_EQ(json["raft_metrics"]["current_term"], 4);
  EXPECT_EQ(json["raft_metrics"]["heartbeat_interval_ms"], 33);
  EXPECT_EQ(json["storage_metrics"]["total_keys"], 12);
  EXPECT_EQ(json["storage_metrics"]["total_size_bytes"], 777);
  EXPECT_EQ(json["storage_metrics"]["last_snapshot_index"], 50);
  EXPECT_EQ(json["network_metrics"]["total_requests_sent"], 5);
  EXPECT_EQ(json["network_metrics"]["avg_latency_ms"], 2.0);
  EXPECT_EQ(json["api_metrics"]["total_requests"], 0);
}

TEST_F(Routing, SaysThatItLeaves) {
  store_.node.set_disk_free_bytes(uint64_t{1} << 40);
  FillReplica(store_.node.add_replicas());
  leaving_ = true;
  EXPECT_EQ(Ask(Method::kGet, "/readyz").status, 503);
  EXPECT_EQ(Ask(Method::kGet, "/livez").status, 200) << "no reason to restart it";
}

TEST_F(Routing, NamesItsChecks) {
  store_.node.set_disk_free_bytes(uint64_t{1} << 40);
  FillReplica(store_.node.add_replicas());
  const Response well = Ask(Method::kGet, "/readyz?verbose");
  EXPECT_EQ(well.status, 200);
  EXPECT_TRUE(absl::StartsWith(well.content_type, "text/plain"));
  EXPECT_EQ(well.body,
            "[+]loop ok\n[+]storage ok\n[+]groups ok\n[+]peers ok\n[+]staying ok\n"
            "readyz check passed\n");
  store_.node.mutable_replicas(0)->set_leader(0);
  store_.node.set_disk_free_bytes(7);
  const Response ill = Ask(Method::kGet, "/readyz?verbose=1");
  EXPECT_EQ(ill.status, 503);
  EXPECT_TRUE(absl::StrContains(ill.body, "[-]storage failed: 7 bytes are free on disk\n"));
  EXPECT_TRUE(absl::StrContains(ill.body, "[-]groups failed: group 101 has no leader\n"));
  EXPECT_TRUE(absl::StrContains(ill.body, "readyz check failed\n"));
  EXPECT_EQ(Ask(Method::kGet, "/livez?verbose").body, "[+]loop ok\nlivez check passed\n");
}

TEST_F(Routing, LeavesChecksOutThatAreNotWanted) {
  store_.node.set_disk_free_bytes(7);
  FillReplica(store_.node.add_replicas());
  EXPECT_EQ(Ask(Method::kGet, "/readyz").status, 503);
  EXPECT_EQ(Ask(Method::kGet, "/readyz?exclude=storage").status, 200);
  EXPECT_EQ(Ask(Method::kGet, "/readyz?exclude=groups").status, 503);
  EXPECT_EQ(Ask(Method::kGet, "/readyz?exclude=groups,storage&verbose").body,
            "[+]loop ok\n[+]peers ok\n[+]staying ok\nreadyz check passed\n");
  const Json refused = AskJson(Method::kGet, "/readyz?exclude=disks");
  EXPECT_EQ(refused["code"], "INVALID_REQUEST");
  EXPECT_EQ(
      refused["error"],
      "exclude: no check is named \"disks\"; there are: loop, storage, groups, peers, staying");
}

TEST_F(Routing, SpeaksPrometheus) {
  FillReplica(store_.node.add_replicas());
  store_.node.mutable_replicas(0)->set_commit(123'456'789);
  store_.node.mutable_counters()->set_requests(4);
  for (const Response& response : {Ask(Method::kGet, "/metrics?format=prometheus"),
                                   Ask(Method::kGet, "/metrics", "",
                                       {{"Accept",
                                         "application/openmetrics-text;version=1.0.0,text/"
                                         "plain;version=0.0.4;q=0.5,*/*;q=0.1"}})}) {
    EXPECT_TRUE(absl::StartsWith(response.content_type, "text/plain"));
    for (const char* line :
         {"\nlockstep_proposals_committed_total{group=\"101\"} 123456789\n",
          "\nlockstep_is_leader{group=\"101\"} 1\n", "\nlockstep_calls_total 4\n",
          "\n# TYPE lockstep_http_connections gauge\n"}) {
      EXPECT_TRUE(absl::StrContains(response.body, line)) << line << response.body;
    }
  }
}

}  // namespace
}  // namespace lockstep::net::http
