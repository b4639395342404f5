#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/duration_histogram.h"
#include "core/kv/command.h"
#include "net/metrics/node_metrics.h"
#include "net/metrics/status_families.h"
#include "net/rpc/direct_series.h"

namespace lockstep::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A node with one of everything.
lockstep::v1::NodeStatus FullStatus() {
  lockstep::v1::NodeStatus node;
  node.set_node(3);
  node.set_version("1.2 \"x\"\\\n");
  node.set_commit("3f2a91bc04de");
  node.set_disk_free_bytes(1'234'567'890'123);
  node.add_links()->set_node(2);
  node.mutable_links(0)->set_round_trip_us(250);
  lockstep::v1::ReplicaStatus& replica = *node.add_replicas();
  replica.set_group(101);
  replica.set_role(lockstep::v1::LEADER);
  replica.set_commit(123'456'789);
  replica.set_sessions(9);
  lockstep::v1::ShardStatus& shard = *replica.add_shards();
  shard.set_shard(7);
  shard.set_since(4);
  shard.set_state("PULLING");
  lockstep::v1::DurationHistogram& reads = *replica.mutable_counters()->mutable_read_index();
  for (const uint64_t count : {uint64_t{5}, uint64_t{0}, uint64_t{2}}) reads.add_counts(count);
  reads.set_sum_us(1500);
  return node;
}

std::string TextOf(const NodeMetrics& metrics) {
  return metrics.Text(FullStatus(), {.connections = 4, .outstanding_bytes = 5});
}

void ExpectLine(const std::string& text, const std::string& line) {
  EXPECT_TRUE(absl::StrContains(text, absl::StrCat("\n", line, "\n"))) << line << "\n" << text;
}

TEST(Metrics, TellTheStatusExactly) {
  const NodeMetrics metrics;
  const std::string text = TextOf(metrics);
  ExpectLine(text, "lockstep_disk_free_bytes 1234567890123");
  ExpectLine(text, "lockstep_proposals_committed_total{group=\"101\"} 123456789");
  ExpectLine(text, "lockstep_is_leader{group=\"101\"} 1");
  ExpectLine(text, "lockstep_has_leader{group=\"101\"} 0");
  ExpectLine(text, "lockstep_sessions{group=\"101\"} 9");
  ExpectLine(text,
             "lockstep_shard_state{group=\"101\",shard=\"7\",since=\"4\",state=\"PULLING\"} 1");
  ExpectLine(text, "lockstep_peer_round_trip_seconds{peer=\"2\"} 0.00025");
  ExpectLine(text, "lockstep_http_connections 4");
}

TEST(Metrics, HistogramsOfReplicasAreCumulative) {
  const NodeMetrics metrics;
  const std::string text = TextOf(metrics);
  const std::string name = "lockstep_read_index_duration_seconds";
  ExpectLine(text, name + "_bucket{group=\"101\",le=\"1.6e-05\"} 5");
  ExpectLine(text, name + "_bucket{group=\"101\",le=\"3.2e-05\"} 5");
  ExpectLine(text, name + "_bucket{group=\"101\",le=\"6.4e-05\"} 7");
  ExpectLine(text, name + "_bucket{group=\"101\",le=\"+Inf\"} 7");
  ExpectLine(text, name + "_count{group=\"101\"} 7");
  ExpectLine(text, name + "_sum{group=\"101\"} 0.0015");
}

// A label of a hostile text stays one label.
TEST(Metrics, LabelsAreEscaped) {
  const NodeMetrics metrics;
  ExpectLine(
      TextOf(metrics),
      "lockstep_build_info{node=\"3\",version=\"1.2 \\\"x\\\"\\\\\\n\",commit=\"3f2a91bc04de\"} 1");
}

TEST(Metrics, CallsAreCountedByStatusAndTimedByMethod) {
  NodeMetrics metrics;
  metrics.Calls("grpc", "Put").Answered("OK", microseconds(40));
  metrics.Calls("grpc", "Put").Answered("OK", microseconds(100));
  metrics.Calls("grpc", "Put").Answered("UNAVAILABLE", milliseconds(3));
  metrics.Calls("http", "Put").Answered("200", milliseconds(1));
  const std::string text = TextOf(metrics);
  ExpectLine(text, R"(lockstep_requests_total{api="grpc",method="Put",status="OK"} 2)");
  ExpectLine(text, R"(lockstep_requests_total{api="grpc",method="Put",status="UNAVAILABLE"} 1)");
  ExpectLine(text, R"(lockstep_requests_total{api="http",method="Put",status="200"} 1)");
  const std::string name = "lockstep_request_duration_seconds";
  ExpectLine(text, name + R"(_bucket{api="grpc",method="Put",le="6.4e-05"} 1)");
  ExpectLine(text, name + R"(_bucket{api="grpc",method="Put",le="0.000128"} 2)");
  ExpectLine(text, name + R"(_count{api="grpc",method="Put"} 3)");
}

TEST(Metrics, CallsAreTalliedByBucket) {
  NodeMetrics metrics;
  metrics.Calls("grpc", "Put").Answered("OK", microseconds(40));
  metrics.Calls("grpc", "Put").Answered("UNAVAILABLE", milliseconds(20'000));
  metrics.Calls("http", "Get").Answered("200", microseconds(1));
  const std::vector<CallTally> tallies = metrics.Tallies();
  ASSERT_EQ(tallies.size(), 2u);
  for (const CallTally& tally : tallies) {
    ASSERT_EQ(tally.counts.size(), DurationHistogram::kBuckets);
    if (tally.method == "Get") {
      EXPECT_EQ(tally.api, "http");
      EXPECT_EQ(tally.counts[0], 1u);
    } else {
      EXPECT_EQ(tally.counts[2], 1u);
      EXPECT_EQ(tally.counts.back(), 1u);
    }
  }
}

TEST(Metrics, DiskWorkIsTimed) {
  NodeMetrics metrics;
  metrics.LogSynced(microseconds(50));
  metrics.LogWritten(64);
  metrics.Applied(milliseconds(2));
  const std::string text = TextOf(metrics);
  ExpectLine(text, "lockstep_wal_fsync_duration_seconds_bucket{le=\"3.2e-05\"} 0");
  ExpectLine(text, "lockstep_wal_fsync_duration_seconds_bucket{le=\"6.4e-05\"} 1");
  ExpectLine(text, "lockstep_wal_fsync_entries_bucket{le=\"32\"} 0");
  ExpectLine(text, "lockstep_wal_fsync_entries_bucket{le=\"64\"} 1");
  ExpectLine(text, "lockstep_apply_duration_seconds_count 1");
}

TEST(Metrics, TheProcessTellsOfItself) {
  const NodeMetrics metrics;
  const std::string text = TextOf(metrics);
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("\nprocess_resident_memory_bytes (\\S+)")));
  EXPECT_GT(std::stod(found[1]), 1e6);
  ASSERT_TRUE(std::regex_search(text, found, std::regex("\nprocess_start_time_seconds (\\S+)")));
  EXPECT_NEAR(std::stod(found[1]), static_cast<double>(time(nullptr)), 24 * 3600);
  ASSERT_TRUE(std::regex_search(text, found, std::regex("\nprocess_open_fds (\\S+)")));
  EXPECT_GE(std::stod(found[1]), 3);
}

std::set<std::string> NamesIn(const std::string& text, const char* pattern) {
  const std::regex name(pattern);
  std::set<std::string> names;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), name); at != std::sregex_iterator();
       ++at) {
    names.insert((*at)[1]);
  }
  return names;
}

TEST(Metrics, AreTheOnesOfTheirPage) {
  NodeMetrics metrics;
  metrics.Calls("grpc", "Put").Answered("OK", microseconds(40));
  metrics.CertificatesExpire(1, 2);
  metrics.Reloaded("access", /*success=*/true);
  std::ifstream file(LOCKSTEP_SOURCE_DIR "/docs/metrics.md");
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(NamesIn(TextOf(metrics), "# TYPE (\\S+)"),
            NamesIn(page.str(), "`((?:lockstep|process)_[a-z_]+)`"));
}

// --- Calls that come by streams

std::string CountOf(absl::string_view request, absl::string_view reply) {
  NodeMetrics metrics;
  DirectSeries series(metrics);
  const auto now = std::chrono::steady_clock::now();
  series.Answered(DirectSeries::Begin(request, now), reply, now + microseconds(20));
  const std::string text = TextOf(metrics);
  std::smatch found;
  const std::regex line(
      R"re(lockstep_requests_total\{api="direct",method="(\w+)",status="(\w+)"\} 1)re");
  return std::regex_search(text, found, line) ? absl::StrCat(found[1].str(), " ", found[2].str())
                                              : text;
}

std::string Encoded(const google::protobuf::Message& message) {
  return message.SerializeAsString();
}

TEST(DirectSeries, NamesTheOperationAndItsResult) {
  proto::ClientReply ok;
  ok.mutable_result()->set_code(proto::OK);
  proto::ClientRequest put;
  put.set_group(101);
  put.mutable_command()->set_session(5);
  put.mutable_command()->mutable_put()->set_key("k");
  put.mutable_command()->mutable_put()->set_value(std::string(1000, 'v'));
  EXPECT_EQ(CountOf(Encoded(put), Encoded(ok)), "Put OK");

  proto::ClientRequest get;
  get.mutable_query()->mutable_get()->set_key("k");
  get.mutable_query()->set_shard(3);
  proto::ClientReply elsewhere;
  elsewhere.mutable_result()->set_code(proto::NOT_LEADER);
  elsewhere.set_leader(2);
  EXPECT_EQ(CountOf(Encoded(get), Encoded(elsewhere)), "Get NOT_LEADER");

  proto::ClientRequest status;
  status.mutable_get_node_status();
  EXPECT_EQ(CountOf(Encoded(status), Encoded(ok)), "GetNodeStatus OK");
}

TEST(DirectSeries, WhatIsNoneIsUnknown) {
  EXPECT_EQ(CountOf("", ""), "Unknown CODE_UNSPECIFIED");
  EXPECT_EQ(CountOf("\xff\xff\xff", "\x0a\x7f"), "Unknown CODE_UNSPECIFIED");
  EXPECT_EQ(CountOf(std::string(1, '\x12') + std::string(1, '\0'), ""), "Unknown CODE_UNSPECIFIED");
}

}  // namespace
}  // namespace lockstep::net
