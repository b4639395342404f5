#include "tests/system/support/real_cluster.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bin/process_ports.h"
#include "core/base/check.h"

namespace lockstep::system {
namespace {

constexpr int kSanitizerExit = 99;
constexpr size_t kLinesShown = 40;

RealClusterOptions WithDefaults(RealClusterOptions options) {
  if (options.founders == 0) options.founders = options.nodes;
  std::vector<uint64_t> all;
  for (uint64_t node = 1; node <= options.founders; ++node) all.push_back(node);
  if (options.controller.empty()) options.controller = all;
  if (options.groups.empty()) options.groups = {{kFirstGroup, all}, {kSecondGroup, all}};
  return options;
}

// Reports of sanitizers, and our own last words.
bool IsAlarm(const std::string& line) {
  return absl::StrContains(line, "Sanitizer") || absl::StrContains(line, "runtime error:") ||
         absl::StrContains(line, "check failed");
}

}  // namespace

RealCluster::RealCluster(RealClusterOptions options) : options_(WithDefaults(std::move(options))) {
  constexpr size_t kPortsEach = 3;
  const auto ports = FreePorts(kPortsEach * options_.nodes);
  Check(ports.ok(), "no free ports");
  for (const uint64_t id : Nodes()) {
    Node& node = nodes_[id];
    const std::string host = options_.lab == nullptr ? "127.0.0.1" : NetworkLab::AddressOf(id);
    const size_t first = kPortsEach * (id - 1);
    node.peer = absl::StrCat(host, ":", (*ports)[first]);
    node.grpc = absl::StrCat(host, ":", (*ports)[first + 1]);
    node.http = absl::StrCat(host, ":", (*ports)[first + 2]);
    const auto elsewhere = options_.data.find(id);
    node.data =
        elsewhere == options_.data.end() ? workspace_ / absl::StrCat("n", id) : elsewhere->second;
    node.log = workspace_ / absl::StrCat("n", id, ".log");
    if (options_.faulty_disks) {
      node.disk = std::make_unique<FaultyDisk>(workspace_ / absl::StrCat("n", id, ".disk"));
    }
  }
  client::StoreOptions store;
  store.servers = GrpcAddresses();
  store.timeout = kCallTimeout;
  auto opened = client::Store::Open(std::move(store));
  Check(opened.ok(), "the client library refuses its options");
  store_ = *std::move(opened);
}

RealCluster::~RealCluster() {
  store_->Close();
  ExpectNoneEnded();
  for (auto& [id, node] : nodes_) {
    if (!node.child.has_value()) continue;
    if (node.paused) node.child->Signal(SIGCONT);
    node.child->Signal(SIGTERM);
  }
  for (auto& [id, node] : nodes_) {
    if (!node.child.has_value()) continue;
    const std::optional<ChildEnd> end = node.child->Wait(kProcessPatience);
    EXPECT_TRUE(end.has_value()) << "node " << id << " does not stop when asked to";
    JudgeEnd(id, end.has_value() ? *end : node.child->Stop(Duration(0)), /*told=*/true);
  }
  for (const auto& [id, node] : nodes_) JudgeLog(id);
  if (!::testing::Test::HasFailure()) return;
  for (const auto& [id, node] : nodes_) {
    std::cerr << "--- the end of the log of node " << id << " (" << node.log << ")\n"
              << TailOf(node.log, kLinesShown);
  }
}

std::vector<uint64_t> RealCluster::Nodes() const {
  std::vector<uint64_t> nodes;
  for (uint64_t node = 1; node <= options_.nodes; ++node) nodes.push_back(node);
  return nodes;
}

std::vector<uint64_t> RealCluster::AllGroups() const {
  std::vector<uint64_t> gids;
  for (const auto& [gid, members] : options_.groups) gids.push_back(gid);
  return gids;
}

bool RealCluster::IsRunning(uint64_t node) {
  std::optional<Child>& child = nodes_.at(node).child;
  return child.has_value() && !child->Poll().has_value();
}

std::vector<uint64_t> RealCluster::RunningNodes() {
  std::vector<uint64_t> running;
  for (const uint64_t node : Nodes()) {
    if (IsRunning(node)) running.push_back(node);
  }
  return running;
}

std::vector<std::string> RealCluster::GrpcAddresses() const {
  std::vector<std::string> addresses;
  for (const auto& [id, node] : nodes_) addresses.push_back(node.grpc);
  return addresses;
}

std::vector<std::string> RealCluster::HttpAddresses() const {
  std::vector<std::string> addresses;
  for (const auto& [id, node] : nodes_) addresses.push_back(node.http);
  return addresses;
}

std::vector<std::string> RealCluster::Founding() const {
  std::vector<std::string> arguments = {"--controller", absl::StrJoin(options_.controller, ","),
                                        "--shards", absl::StrCat(options_.shards)};
  for (const auto& [gid, members] : options_.groups) {
    arguments.insert(arguments.end(),
                     {"--group", absl::StrCat(gid, "=", absl::StrJoin(members, ","))});
  }
  std::vector<std::string> peers;
  for (const auto& [other, its] : nodes_) {
    if (IsFounder(other)) peers.push_back(absl::StrCat(other, "=", its.peer));
  }
  arguments.insert(arguments.end(), {"--peers", absl::StrJoin(peers, ",")});
  return arguments;
}

std::vector<std::string> RealCluster::Joining(uint64_t id) const {
  std::vector<std::string> seeds;
  for (const auto& [other, its] : nodes_) {
    if (other != id) seeds.push_back(its.peer);
  }
  return {"--join", absl::StrJoin(seeds, ",")};
}

std::vector<std::string> RealCluster::ArgumentsOf(uint64_t id) const {
  const Node& node = nodes_.at(id);
  std::vector<std::string> arguments = {"--data-dir",
                                        node.data,
                                        "--node-id",
                                        absl::StrCat(id),
                                        "--cluster",
                                        options_.cluster,
                                        "--listen-peer",
                                        node.peer,
                                        "--listen-grpc",
                                        node.grpc,
                                        "--listen-http",
                                        node.http,
                                        "--heartbeat-ms",
                                        absl::StrCat(options_.heartbeat_ms),
                                        "--election-timeout-ms",
                                        absl::StrCat(options_.election_timeout_ms),
                                        "--leader-spread-ms",
                                        absl::StrCat(options_.leader_spread_ms)};
  // The lab's addresses are other machines', as far as a node can tell.
  if (options_.lab != nullptr) arguments.emplace_back("--insecure");
  const std::vector<std::string> beginning = IsFounder(id) ? Founding() : Joining(id);
  arguments.insert(arguments.end(), beginning.begin(), beginning.end());
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  return arguments;
}

ChildOptions RealCluster::PlanOf(uint64_t id) const {
  const Node& node = nodes_.at(id);
  ChildOptions plan;
  plan.program = LOCKSTEP_SYSTEM_LAUNCHER;
  plan.arguments = {absl::StrCat(::getpid()),
                    options_.lab == nullptr ? "-" : options_.lab->NamespaceOf(id), LOCKSTEPD};
  const std::vector<std::string> arguments = ArgumentsOf(id);
  plan.arguments.insert(plan.arguments.end(), arguments.begin(), arguments.end());
  plan.output = node.log;
  if (node.disk != nullptr) plan.variables = node.disk->variables();
  const std::string exit =
      absl::StrCat("external_symbolizer_path=/usr/bin/addr2line:exitcode=", kSanitizerExit);
  plan.variables.emplace_back("ASAN_OPTIONS", absl::StrCat(exit, ":abort_on_error=0"));
  plan.variables.emplace_back("UBSAN_OPTIONS", absl::StrCat(exit, ":print_stacktrace=1"));
  plan.variables.emplace_back(
      "TSAN_OPTIONS",
      absl::StrCat(exit, ":halt_on_error=1:suppressions=", LOCKSTEP_SOURCE_DIR, "/ci/tsan.supp"));
  return plan;
}

void RealCluster::Start(uint64_t id) {
  Node& node = nodes_.at(id);
  Check(!IsRunning(id), "it runs already");
  absl::StatusOr<Child> child = Child::Start(PlanOf(id));
  ASSERT_TRUE(child.ok()) << child.status();
  node.child.emplace(*std::move(child));
  node.paused = false;
  ++node.starts;
}

void RealCluster::StartAll() {
  for (const uint64_t node : Nodes()) {
    if (!IsRunning(node)) Start(node);
  }
}

void RealCluster::Kill(uint64_t id) {
  Node& node = nodes_.at(id);
  if (!node.child.has_value()) return;
  if (const std::optional<ChildEnd> before = node.child->Poll(); before.has_value()) {
    JudgeEnd(id, *before, /*told=*/false);
  }
  node.child->Signal(SIGKILL);
  EXPECT_TRUE(node.child->Wait(kProcessPatience).has_value()) << "node " << id;
  node.child.reset();
  node.paused = false;
}

void RealCluster::KillAll() {
  for (const uint64_t node : Nodes()) Kill(node);
}

void RealCluster::Pause(uint64_t id) {
  nodes_.at(id).child->Signal(SIGSTOP);
  nodes_.at(id).paused = true;
}

void RealCluster::Resume(uint64_t id) {
  nodes_.at(id).child->Signal(SIGCONT);
  nodes_.at(id).paused = false;
}

void RealCluster::Terminate(uint64_t id) {
  Node& node = nodes_.at(id);
  node.child->Signal(SIGTERM);
  const std::optional<ChildEnd> end = node.child->Wait(kProcessPatience);
  EXPECT_TRUE(end.has_value()) << "node " << id << " does not stop when asked to";
  JudgeEnd(id, end.has_value() ? *end : node.child->Stop(Duration(0)), /*told=*/true);
  node.child.reset();
}

std::optional<ChildEnd> RealCluster::AwaitEnd(uint64_t id, Duration patience) {
  Node& node = nodes_.at(id);
  const std::optional<ChildEnd> end = node.child->Wait(patience);
  if (end.has_value()) node.child.reset();
  return end;
}

void RealCluster::ExpectNoneEnded() {
  for (auto& [id, node] : nodes_) {
    if (!node.child.has_value()) continue;
    const std::optional<ChildEnd> end = node.child->Poll();
    if (!end.has_value()) continue;
    JudgeEnd(id, *end, /*told=*/false);
    node.child.reset();
  }
}

void RealCluster::JudgeEnd(uint64_t id, const ChildEnd& end, bool told) {
  if (!told) {
    ADD_FAILURE() << "node " << id << " has ended by itself: " << Describe(end) << "\n"
                  << TailOf(nodes_.at(id).log, /*lines=*/5);
    return;
  }
  EXPECT_TRUE(end.signal == 0 && end.code == 0)
      << "node " << id << " was asked to stop: " << Describe(end);
}

void RealCluster::JudgeLog(uint64_t id) {
  const std::string text = ReadFile(nodes_.at(id).log);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (IsAlarm(line)) {
      ADD_FAILURE() << "node " << id << ": " << line;
      return;
    }
    begin = end + 1;
  }
}

void RealCluster::Wipe(uint64_t id) {
  Check(!IsRunning(id), "it still runs");
  std::filesystem::remove_all(nodes_.at(id).data);
}

// --- Administration

// A change whose answer is lost may have been made: look before making it again.
void RealCluster::ChangeUntilSo(const std::string& what,
                                const std::function<absl::Status()>& change,
                                const std::function<bool(const v1::Configuration&)>& so) {
  absl::Status last;
  const bool done = WaitUntil(
      [&] {
        last = change();
        if (last.ok()) return true;
        const std::optional<v1::Configuration> now = Configuration();
        return now.has_value() && so(*now);
      },
      kSettlePatience);
  EXPECT_TRUE(done) << what << ": " << last;
}

namespace {

bool HasGroup(const v1::Configuration& configuration, uint64_t gid) {
  return std::any_of(configuration.groups().begin(), configuration.groups().end(),
                     [&](const v1::Group& group) { return group.gid() == gid; });
}

}  // namespace

void RealCluster::Join(const std::vector<uint64_t>& gids) {
  v1::JoinRequest request;
  for (const uint64_t gid : gids) request.add_groups()->set_gid(gid);
  ChangeUntilSo(
      "join", [&] { return store_->Join(request).status(); },
      [&](const v1::Configuration& now) {
        return std::all_of(gids.begin(), gids.end(),
                           [&](uint64_t gid) { return HasGroup(now, gid); });
      });
}

void RealCluster::Leave(const std::vector<uint64_t>& gids) {
  v1::LeaveRequest request;
  for (const uint64_t gid : gids) request.add_gids(gid);
  ChangeUntilSo(
      "leave", [&] { return store_->Leave(request).status(); },
      [&](const v1::Configuration& now) {
        return std::none_of(gids.begin(), gids.end(),
                            [&](uint64_t gid) { return HasGroup(now, gid); });
      });
}

void RealCluster::Move(uint32_t shard, uint64_t gid) {
  v1::MoveRequest request;
  request.set_shard(shard);
  request.set_gid(gid);
  ChangeUntilSo(
      "move", [&] { return store_->Move(request).status(); },
      [&](const v1::Configuration& now) { return now.owners(static_cast<int>(shard)) == gid; });
}

void RealCluster::Unpin(uint32_t shard) {
  v1::UnpinRequest request;
  request.set_shard(shard);
  ChangeUntilSo(
      "unpin", [&] { return store_->Unpin(request).status(); },
      [&](const v1::Configuration& now) {
        return std::find(now.pinned().begin(), now.pinned().end(), shard) == now.pinned().end();
      });
}

void RealCluster::TransferLeader(uint64_t group, uint64_t to) {
  v1::TransferLeaderRequest request;
  request.set_group(group);
  request.set_to(to);
  // It may come to nothing: who needs it looks at who leads.
  static_cast<void>(store_->TransferLeader(request));
}

std::optional<v1::Configuration> RealCluster::Configuration() {
  absl::StatusOr<v1::QueryResponse> answer = store_->Query(v1::QueryRequest());
  if (!answer.ok()) return std::nullopt;
  return answer->configuration();
}

}  // namespace lockstep::system
