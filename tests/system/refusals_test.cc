// What lockstepd refuses: one line that says what is wrong and what to do, and the documented exit
// code.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "bin/lockstepd_exit.h"
#include "bin/process_child.h"
#include "bin/process_ports.h"
#include "tests/system/support/newer_peer.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using lockstepd::ExitCode;

struct Ended {
  ChildEnd end;
  std::string output;
};

ChildOptions LaunchOf(const std::vector<std::string>& arguments, const std::string& output) {
  ::unlink(output.c_str());
  ChildOptions options;
  options.program = LOCKSTEP_SYSTEM_LAUNCHER;
  options.arguments = {absl::StrCat(::getpid()), "-", LOCKSTEPD};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.output = output;
  return options;
}

Ended RunToTheEnd(const std::vector<std::string>& arguments, const std::string& output) {
  absl::StatusOr<Child> child = Child::Start(LaunchOf(arguments, output));
  EXPECT_TRUE(child.ok()) << child.status();
  if (!child.ok()) return {};
  const std::optional<ChildEnd> end = child->Wait(kProcessPatience);
  EXPECT_TRUE(end.has_value()) << "it runs: " << ReadFile(output);
  return {.end = end.value_or(ChildEnd{.code = -1}), .output = ReadFile(output)};
}

// Its own log lines begin with the time; what is said to whoever started it does not.
void ExpectRefusal(const Ended& ended, ExitCode code, const std::string& says) {
  EXPECT_EQ(ended.end.signal, 0) << Describe(ended.end);
  EXPECT_EQ(ended.end.code, static_cast<int>(code)) << ended.output;
  const size_t first = ended.output.find("lockstepd: ");
  ASSERT_NE(first, std::string::npos) << ended.output;
  const std::string line = ended.output.substr(first);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  EXPECT_TRUE(absl::StrContains(line, says)) << line;
}

class Refusals : public ::testing::Test {
 protected:
  Ended Run(const std::vector<std::string>& arguments) {
    return RunToTheEnd(arguments, workspace_ / "out");
  }
  // On ports that nobody has.
  std::vector<std::string> AloneAt(const std::string& directory) {
    return {"--data-dir",    directory,     "--listen-peer", "127.0.0.1:0",
            "--listen-grpc", "127.0.0.1:0", "--listen-http", "127.0.0.1:0"};
  }
  Workspace workspace_;
};

TEST_F(Refusals, WrongSettings) {
  const std::string data = workspace_ / "data";
  const struct {
    std::vector<std::string> arguments;
    std::string says;
  } rows[] = {
      {{"--no-such-flag"}, "no-such-flag"},
      {{"--data-dir", data, "--listen-peer", "nowhere"}, "listen-peer"},
      {{"--data-dir", data, "--heartbeat-ms", "soon"}, "heartbeat-ms"},
      {{"--data-dir", data, "--group", "101"}, "101"},
      {{"--data-dir", data, "--config", data + ".toml"}, "data.toml"},
  };
  for (const auto& row : rows) ExpectRefusal(Run(row.arguments), ExitCode::kUsage, row.says);
  EXPECT_NE(::access(data.c_str(), F_OK), 0) << "a refused start has made its directory";
}

TEST_F(Refusals, ANodeThatCannotReachTheOthers) {
  std::vector<std::string> arguments = AloneAt(workspace_ / "data");
  arguments.insert(arguments.end(), {"--node-id", "1", "--controller", "1,2,3"});
  ExpectRefusal(Run(arguments), ExitCode::kUsage, "peers");
}

TEST_F(Refusals, ForeignDirectory) {
  const std::string data = workspace_ / "data";
  ::mkdir(data.c_str(), 0750);
  WriteFile(data + "/thesis.tex", "years of work");
  ExpectRefusal(Run(AloneAt(data)), ExitCode::kDataDirectory, "thesis.tex");
}

TEST_F(Refusals, DirectoryThatIsNone) {
  WriteFile(workspace_ / "file", "");
  ExpectRefusal(Run(AloneAt(workspace_ / "file")), ExitCode::kDataDirectory, "file");
  ExpectRefusal(Run(AloneAt("/proc/nothing")), ExitCode::kDataDirectory, "/proc");
}

// Who may do everything may read everything: an unreadable file needs somebody else.
TEST_F(Refusals, UnreadableDirectory) {
  if (::geteuid() == 0) GTEST_SKIP() << "nothing is unreadable to root";
  const std::string data = workspace_ / "data";
  ::mkdir(data.c_str(), 0000);
  ExpectRefusal(Run(AloneAt(data)), ExitCode::kDataDirectory, "data");
  ::chmod(data.c_str(), 0750);
}

TEST_F(Refusals, DamagedIdentity) {
  const std::string data = workspace_ / "data";
  ::mkdir(data.c_str(), 0750);
  WriteFile(data + "/identity.json", "{\"format\": 1, \"cluster\": \"lock");
  ExpectRefusal(Run(AloneAt(data)), ExitCode::kDamaged, "identity.json");
}

TEST_F(Refusals, NewerFormat) {
  const std::string data = workspace_ / "data";
  ::mkdir(data.c_str(), 0750);
  WriteFile(data + "/identity.json", "{\"format\": 1000}");
  ExpectRefusal(Run(AloneAt(data)), ExitCode::kDataDirectory, "newer");
}

// A node that runs, and one more of it.
class RefusalsBesideANode : public Refusals {
 protected:
  void SetUp() override {
    cluster_ = std::make_unique<RealCluster>(RealClusterOptions{.nodes = 1});
    cluster_->StartAll();
    ASSERT_TRUE(cluster_->AwaitServing());
  }
  std::unique_ptr<RealCluster> cluster_;
};

TEST_F(RefusalsBesideANode, DirectoryInUse) {
  ExpectRefusal(Run(AloneAt(cluster_->DataOf(1))), ExitCode::kDataDirectory,
                absl::StrCat(cluster_->pid(1)));
}

TEST_F(RefusalsBesideANode, BusyPorts) {
  for (const std::string flag : {"--listen-peer", "--listen-grpc", "--listen-http"}) {
    std::vector<std::string> arguments = AloneAt(workspace_ / "another");
    const auto place = std::find(arguments.begin(), arguments.end(), flag);
    *(place + 1) = cluster_->PeerAddressOf(1);
    ExpectRefusal(Run(arguments), ExitCode::kAddressInUse, cluster_->PeerAddressOf(1));
  }
}

TEST_F(RefusalsBesideANode, AnotherCluster) {
  std::vector<std::string> arguments = AloneAt(workspace_ / "another");
  arguments.insert(arguments.end(), {"--cluster", "other", "--join", cluster_->PeerAddressOf(1)});
  ExpectRefusal(Run(arguments), ExitCode::kRefused, "cluster");
}

TEST_F(RefusalsBesideANode, AnotherClusterInTheDirectory) {
  cluster_->Terminate(1);
  std::vector<std::string> arguments = AloneAt(cluster_->DataOf(1));
  arguments.insert(arguments.end(), {"--cluster", "other"});
  ExpectRefusal(Run(arguments), ExitCode::kDataDirectory, "other");
}

TEST_F(RefusalsBesideANode, AnotherNodeInTheDirectory) {
  cluster_->Terminate(1);
  std::vector<std::string> arguments = cluster_->ArgumentsOf(1);
  *(std::find(arguments.begin(), arguments.end(), "--node-id") + 1) = "9";
  ExpectRefusal(Run(arguments), ExitCode::kDataDirectory, "node 1");
}

// It waits for its seeds, and can be told not to.
TEST_F(Refusals, ASeedThatDoesNotAnswerIsNotWaitedForAfterTheEnd) {
  std::vector<std::string> arguments = AloneAt(workspace_ / "joining");
  arguments.insert(arguments.end(), {"--join", "127.0.0.1:1"});
  const std::string output = workspace_ / "out";
  absl::StatusOr<Child> child = Child::Start(LaunchOf(arguments, output));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(WaitUntil([&] { return absl::StrContains(ReadFile(output), "no seed answers"); },
                        kProcessPatience));
  child->Signal(SIGTERM);
  const std::optional<ChildEnd> end = child->Wait(kProcessPatience);
  ASSERT_TRUE(end.has_value()) << "it runs: " << ReadFile(output);
  EXPECT_EQ(end->code, 0) << ReadFile(output);
  EXPECT_TRUE(absl::StrContains(ReadFile(output), "stopped before a seed has answered"));
}

// Of the peer protocol. A node alone among newer ones has nothing to go on with.
TEST_F(Refusals, AnotherVersion) {
  const NewerPeer newer;
  std::vector<std::string> joining = AloneAt(workspace_ / "joining");
  joining.insert(joining.end(), {"--join", newer.address()});
  ExpectRefusal(Run(joining), ExitCode::kRefused, NewerPeer::kAdvice);
  std::vector<std::string> member = AloneAt(workspace_ / "member");
  member.insert(member.end(), {"--node-id", "1", "--controller", "1,2", "--peers",
                               absl::StrCat("2=", newer.address())});
  ExpectRefusal(Run(member), ExitCode::kRefused, NewerPeer::kAdvice);
}

// A node that comes back with an empty disk has forgotten what it promised: the others tell it so.
TEST(RefusalsByTheCluster, AWipedNodeIsRefused) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  // The incarnations of the others are remembered a moment later.
  constexpr uint64_t kNode = 3;
  ASSERT_TRUE(WaitUntil(
      [&] {
        return absl::StrContains(ReadFile(cluster.DataOf(1) + "/peers.json"), "\"node_id\": 3") &&
               absl::StrContains(ReadFile(cluster.DataOf(2) + "/peers.json"), "\"node_id\": 3");
      },
      kProcessPatience));
  cluster.Kill(kNode);
  cluster.Wipe(kNode);
  cluster.Start(kNode);
  const std::optional<ChildEnd> end = cluster.AwaitEnd(kNode);
  ASSERT_TRUE(end.has_value()) << "it runs as if it remembered";
  EXPECT_EQ(end->code, static_cast<int>(ExitCode::kRefused)) << Describe(*end);
  const std::string last = TailOf(cluster.LogFileOf(kNode), 1);
  EXPECT_TRUE(absl::StrContains(last, "lost its data")) << last;
  EXPECT_TRUE(cluster.store().Put("key", "value").ok());
}

}  // namespace
}  // namespace lockstep::system
