// One byte of a real node's data changes while the node is stopped: lockstepd verify says where,
// and the node, started again, has the others repair it or says why it cannot.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstepd_exit.h"
#include "bin/process_child.h"
#include "tests/system/support/load.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using lockstepd::ExitCode;

constexpr uint64_t kNode = 2;

struct Verdict {
  int code = -1;
  std::string text;
};

Verdict Verify(RealCluster& cluster, uint64_t node) {
  const std::string output = cluster.workspace() / "verify.out";
  ::unlink(output.c_str());
  ChildOptions options;
  options.program = LOCKSTEP_SYSTEM_LAUNCHER;
  options.arguments = {absl::StrCat(::getpid()), "-", LOCKSTEPD, "verify", cluster.DataOf(node)};
  options.output = output;
  absl::StatusOr<Child> child = Child::Start(options);
  EXPECT_TRUE(child.ok()) << child.status();
  if (!child.ok()) return {};
  const std::optional<ChildEnd> end = child->Wait(kProcessPatience);
  EXPECT_TRUE(end.has_value() && end->signal == 0);
  return {.code = end.has_value() ? end->code : -1, .text = ReadFile(output)};
}

// Files of the node's data whose names contain this, in order.
std::vector<std::string> FilesOf(RealCluster& cluster, const std::string& part) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cluster.DataOf(kNode))) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && absl::StrContains(path, part)) found.push_back(path);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void FlipByte(const std::string& path, uint64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  char byte = 0;
  file.get(byte);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x10));
  ASSERT_TRUE(file.good()) << path << " byte " << at;
}

bool Repairing(RealCluster& cluster) {
  const std::optional<v1::NodeStatus> status = cluster.StatusOf(kNode);
  if (!status.has_value()) return true;
  return std::any_of(status->replicas().begin(), status->replicas().end(),
                     [](const v1::ReplicaStatus& replica) { return replica.repairing(); });
}

// Starts the node, and again if it finds the damage only while it runs; it must get over it.
void ExpectRepairs(RealCluster& cluster, Load& load) {
  cluster.Start(kNode);
  load.ExpectProgress(200);
  if (!cluster.IsRunning(kNode)) {
    const std::optional<ChildEnd> end = cluster.AwaitEnd(kNode);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(end->code, static_cast<int>(ExitCode::kDamaged))
        << TailOf(cluster.LogFileOf(kNode), 2);
    cluster.Start(kNode);
  }
  ASSERT_TRUE(cluster.AwaitServing());
  EXPECT_TRUE(WaitUntil([&] { return !Repairing(cluster); }, kSettlePatience));
  EXPECT_TRUE(absl::StrContains(ReadFile(cluster.LogFileOf(kNode)), "damaged data was found"));
  load.ExpectProgress();
}

TEST(Damage, OneFlippedByteInEachKindOfFile) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 21});
  load.ExpectProgress(200);
  // Enough for tables to be written out.
  for (int i = 0; i < 24; ++i) {
    ASSERT_TRUE(cluster.store().Put(absl::StrCat("big", i), std::string(1 << 20, 'b')).ok());
  }
  EXPECT_EQ(Verify(cluster, kNode).code, static_cast<int>(ExitCode::kDataDirectory));

  for (const std::string kind : {"/wal/0", ".ldb", "/CURRENT"}) {
    SCOPED_TRACE(kind);
    cluster.Terminate(kNode);
    ASSERT_TRUE(cluster.AwaitEnd(kNode).has_value());
    const Verdict sound = Verify(cluster, kNode);
    EXPECT_EQ(sound.code, 0) << sound.text;
    const std::vector<std::string> files = FilesOf(cluster, kind);
    ASSERT_FALSE(files.empty());
    const std::string path = files.front();
    const uint64_t size = std::filesystem::file_size(path);
    FlipByte(path, kind == ".ldb" ? size - 2 : 7);
    const Verdict damaged = Verify(cluster, kNode);
    EXPECT_EQ(damaged.code, static_cast<int>(ExitCode::kDamaged));
    EXPECT_TRUE(absl::StrContains(damaged.text, path)) << damaged.text;
    ExpectRepairs(cluster, load);
  }

  for (const std::string kind : {"identity.json", "peers.json", "lives"}) {
    SCOPED_TRACE(kind);
    cluster.Terminate(kNode);
    ASSERT_TRUE(cluster.AwaitEnd(kNode).has_value());
    const std::string path = FilesOf(cluster, kind).front();
    const uint64_t at = std::filesystem::file_size(path) - 4;
    FlipByte(path, at);
    const Verdict damaged = Verify(cluster, kNode);
    EXPECT_EQ(damaged.code, static_cast<int>(ExitCode::kDamaged));
    EXPECT_TRUE(absl::StrContains(damaged.text, path)) << damaged.text;
    cluster.Start(kNode);
    const std::optional<ChildEnd> end = cluster.AwaitEnd(kNode);
    ASSERT_TRUE(end.has_value()) << "it runs with a damaged " << kind;
    EXPECT_EQ(end->code, static_cast<int>(ExitCode::kDamaged));
    EXPECT_TRUE(absl::StrContains(TailOf(cluster.LogFileOf(kNode), 1), kind));
    FlipByte(path, at);
    cluster.Start(kNode);
    ASSERT_TRUE(cluster.AwaitServing());
  }
  // Who has nothing but its name must not vote under it.
  cluster.Terminate(kNode);
  ASSERT_TRUE(cluster.AwaitEnd(kNode).has_value());
  const std::string log = cluster.DataOf(kNode) + "/store/wal";
  std::filesystem::rename(log, log + ".away");
  EXPECT_EQ(Verify(cluster, kNode).code, static_cast<int>(ExitCode::kDamaged));
  cluster.Start(kNode);
  const std::optional<ChildEnd> end = cluster.AwaitEnd(kNode);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, static_cast<int>(ExitCode::kDamaged));
  EXPECT_TRUE(absl::StrContains(TailOf(cluster.LogFileOf(kNode), 1), "holds nothing of this node"));
  std::filesystem::remove_all(log);
  std::filesystem::rename(log + ".away", log);
  cluster.Start(kNode);
  ASSERT_TRUE(cluster.AwaitServing());
  load.StopAndJudge();
  cluster.ExpectLevel();
}

}  // namespace
}  // namespace lockstep::system
