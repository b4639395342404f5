// What nodes tell Prometheus, while clients work.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/version.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

constexpr uint64_t kGroup = kFirstGroup;
constexpr int kPuts = 40;

// Every sample, by its name and labels as they are written.
using Samples = std::map<std::string, double>;

Samples SamplesIn(const std::string& text) {
  Samples samples;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line.front() == '#') continue;
    const size_t space = line.rfind(' ');
    double value = 0;
    EXPECT_TRUE(absl::SimpleAtod(line.substr(space + 1), &value)) << line;
    const std::string name(line.substr(0, space));
    EXPECT_TRUE(samples.emplace(name, value).second) << "twice: " << line;
  }
  return samples;
}

// The text of each node, by the command line.
std::vector<std::string> TextsOf(RealCluster& cluster) {
  const RealCluster::CommandEnd end = cluster.RunCommand({"metrics"}, /*http=*/true);
  EXPECT_EQ(end.exit_code, 0) << end.err;
  std::vector<std::string> texts;
  for (const absl::string_view line : absl::StrSplit(end.out, '\n')) {
    if (absl::StartsWith(line, "# --- ")) {
      texts.emplace_back();
    } else if (!texts.empty() && !line.empty()) {
      absl::StrAppend(&texts.back(), line, "\n");
    }
  }
  return texts;
}

double SumOver(const std::vector<Samples>& nodes, const std::string& name) {
  double sum = 0;
  for (const Samples& samples : nodes) {
    const auto found = samples.find(name);
    if (found != samples.end()) sum += found->second;
  }
  return sum;
}

// As `lockstepd --version` says it.
std::string CommitOfTheProgram(RealCluster& cluster) {
  const std::string file = cluster.workspace() / "version";
  EXPECT_EQ(std::system(absl::StrCat(LOCKSTEPD, " --version >", file).c_str()), 0);
  const std::string line = ReadFile(file);
  const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" ()"));
  const auto commit = std::find(words.begin(), words.end(), "commit");
  EXPECT_GT(words.end() - commit, 1) << line;
  return words.end() - commit > 1 ? *(commit + 1) : "";
}

class Metrics : public testing::Test {
 protected:
  void SetUp() override {
    cluster_.StartAll();
    ASSERT_TRUE(cluster_.AwaitServing());
    for (int i = 0; i < kPuts; ++i) {
      const std::string key = absl::StrCat("key", i);
      ASSERT_EQ(cluster_.RunCommand({"put", key, "value"}, /*http=*/true).exit_code, 0);
      ASSERT_TRUE(cluster_.store().Put(key, "value").ok());
    }
    ASSERT_EQ(cluster_.RunCommand({"get", "nobody"}, /*http=*/true).exit_code, 2);
  }

  RealCluster cluster_{RealClusterOptions{.nodes = 3, .groups = {{kGroup, {1, 2, 3}}}}};
};

TEST_F(Metrics, TellWhatHappened) {
  std::vector<Samples> nodes;
  for (const std::string& text : TextsOf(cluster_)) nodes.push_back(SamplesIn(text));
  ASSERT_EQ(nodes.size(), 3u);
  const auto group = [](const std::string& name) {
    return absl::StrCat("lockstep_", name, "{group=\"", kGroup, "\"}");
  };
  EXPECT_EQ(SumOver(nodes, group("is_leader")), 1);
  EXPECT_EQ(SumOver(nodes, group("has_leader")), 3);
  EXPECT_GE(SumOver(nodes, R"(lockstep_requests_total{api="http",method="Put",status="200"})"),
            kPuts);
  EXPECT_GE(SumOver(nodes, R"(lockstep_requests_total{api="direct",method="Put",status="OK"})"),
            kPuts);
  EXPECT_EQ(SumOver(nodes, R"(lockstep_requests_total{api="http",method="Get",status="404"})"), 1);
  EXPECT_GE(SumOver(nodes, group("read_index_duration_seconds_count")), 1);
  for (const Samples& samples : nodes) {
    EXPECT_GE(samples.at(group("leader_changes_total")), 1);
    EXPECT_GE(samples.at(group("proposals_committed_total")), 2 * kPuts);
    EXPECT_EQ(samples.at(group("raft_members")), 3);
    EXPECT_GE(samples.at("lockstep_wal_fsync_duration_seconds_count"), kPuts);
    EXPECT_GE(samples.at("lockstep_wal_fsync_entries_sum"), 2 * kPuts);
    EXPECT_GE(samples.at("lockstep_apply_duration_seconds_count"), 1);
    EXPECT_EQ(samples.at("lockstep_peers_connected"), 2);
    EXPECT_EQ(samples.at("process_start_time_seconds") > 0, true);
  }
  EXPECT_EQ(SumOver(nodes, absl::StrCat("lockstep_build_info{node=\"1\",version=\"", kVersion,
                                        "\",commit=\"", CommitOfTheProgram(cluster_), "\"}")),
            1);
  EXPECT_EQ(SumOver(nodes, "lockstep_peer_connected{peer=\"1\"}"), 2);
  EXPECT_GT(SumOver(nodes, "lockstep_peer_round_trip_seconds{peer=\"1\"}"), 0);
}

TEST_F(Metrics, AreWhatPromtoolCallsClean) {
  if (std::system("command -v promtool >/dev/null") != 0) {
    GTEST_SKIP() << "promtool is not installed (ci/install brings it)";
  }
  const std::vector<std::string> texts = TextsOf(cluster_);
  ASSERT_EQ(texts.size(), 3u);
  for (const std::string& text : texts) {
    const std::string file = cluster_.workspace() / "metrics";
    std::ofstream(file) << text;
    EXPECT_EQ(std::system(absl::StrCat("promtool check metrics <'", file, "' >&2").c_str()), 0);
  }
}

}  // namespace
}  // namespace lockstep::system
