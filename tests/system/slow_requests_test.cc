// Where the time of a slow request goes is in the log: with disks that take their time, the disks'.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/atomic_file.h"
#include "tests/system/support/real_cluster.h"
#include "tests/system/support/rpc_door.h"

namespace lockstep::system {
namespace {

using std::chrono::milliseconds;

// The fields of a line, "name=value" each.
std::map<std::string, std::string> FieldsOf(absl::string_view line) {
  std::map<std::string, std::string> fields;
  for (absl::string_view word : absl::StrSplit(line, ' ')) {
    const std::vector<std::string> parts = absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (parts.size() == 2) fields[parts[0]] = parts[1];
  }
  return fields;
}

uint64_t Number(const std::map<std::string, std::string>& fields, const std::string& name) {
  const auto found = fields.find(name);
  uint64_t number = 0;
  EXPECT_TRUE(found == fields.end() || absl::SimpleAtoi(found->second, &number)) << name;
  return number;
}

// The first line of any node that tells of a slow request of this kind; empty: there is none.
std::string SlowLine(RealCluster& cluster, const std::string& api, const std::string& method) {
  for (const uint64_t node : cluster.Nodes()) {
    const absl::StatusOr<std::string> log =
        ReadSmallFile(cluster.LogFileOf(node), size_t{16} << 20);
    if (!log.ok()) continue;
    for (absl::string_view line : absl::StrSplit(*log, '\n')) {
      if (absl::StrContains(line, ": slow request ") &&
          absl::StrContains(line, absl::StrCat("api=", api, " method=", method, " "))) {
        return std::string(line);
      }
    }
  }
  return "";
}

TEST(SlowRequests, ASlowDiskShowsInTheStagesOfTheLog) {
  constexpr milliseconds kSlowSync{200};
  RealCluster cluster(
      {.nodes = 3, .faulty_disks = true, .arguments = {"--slow-request-ms", "150"}});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  // All alike, so no leader has reason to hand over.
  for (const uint64_t node : cluster.Nodes()) cluster.disk(node).SlowSyncs(kSlowSync);
  for (const bool http : {false, true}) {
    const std::string api = http ? "http" : "grpc";
    const std::string key = "a-secret-key";
    if (http) {
      ASSERT_EQ(cluster.RunCommand({"put", key, "a-secret-value"}, http).exit_code, 0);
    } else {
      RpcDoor door(cluster.GrpcAddresses(), std::chrono::seconds(20));
      ASSERT_TRUE(door.Put(key, "a-secret-value").ok());
    }
    std::string line;
    for (int i = 0; i < 100 && line.empty(); ++i) {
      std::this_thread::sleep_for(milliseconds(50));
      line = SlowLine(cluster, api, "Put");
    }
    ASSERT_FALSE(line.empty()) << "no node tells of the slow Put by " << api;
    EXPECT_FALSE(absl::StrContains(line, "secret")) << line;
    const std::map<std::string, std::string> fields = FieldsOf(line);
    uint64_t sum = 0;
    for (const auto& [name, value] : fields) {
      if (absl::EndsWith(name, "_us") && name != "took_us") sum += Number(fields, name);
    }
    EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(Number(fields, "took_us")), 10)
        << line;
    // Its own disk, or those of a majority of others, which began a little later.
    const uint64_t synced = Number(fields, "log_us") + Number(fields, "replicate_us");
    EXPECT_GE(synced, static_cast<uint64_t>(kSlowSync.count()) * 900) << line;
    EXPECT_TRUE(fields.contains("shard")) << line;
  }
  for (const uint64_t node : cluster.Nodes()) cluster.disk(node).Heal();
}

}  // namespace
}  // namespace lockstep::system
