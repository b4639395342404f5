#include "bin/lockstep_playground_cluster.h"

#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::bin {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(100);

// The last lines of a node that did not come up say why.
std::string LastLine(const std::string& path) {
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

LogFollower::LogFollower(std::string path, std::string prefix)
    : path_(std::move(path)), prefix_(std::move(prefix)) {
  struct stat status = {};
  if (::stat(path_.c_str(), &status) == 0) at_ = static_cast<uint64_t>(status.st_size);
}

void LogFollower::Print(std::ostream& out) {
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at_));
  // Half a line waits for its other half.
  for (std::string line; std::getline(file, line) && !file.eof();) {
    at_ += line.size() + 1;
    out << prefix_ << line << "\n";
  }
}

PlaygroundCluster::PlaygroundCluster(PlaygroundPlan plan, std::ostream& told)
    : plan_(std::move(plan)), told_(told) {}

absl::Status PlaygroundCluster::StartNodes() {
  for (const PlaygroundNode& node : plan_.nodes) {
    LogFollower log(node.log, absl::StrCat("node", node.id, "| "));
    absl::StatusOr<Child> child = Child::Start(node.start);
    if (!child.ok()) return child.status();
    nodes_.push_back({.child = *std::move(child), .log = std::move(log)});
  }
  return absl::OkStatus();
}

size_t PlaygroundCluster::Watch() {
  size_t running = 0;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const std::optional<ChildEnd> end = nodes_[i].child.Poll();
    if (!end.has_value()) {
      ++running;
    } else if (!std::exchange(nodes_[i].told, true)) {
      lost_ = true;
      const PlaygroundNode& node = plan_.nodes[i];
      told_ << "node" << node.id << " has ended: " << Describe(*end) << ". To start it again:\n  "
            << CommandOf(node.start) << "\n"
            << std::flush;
    }
  }
  return running;
}

void PlaygroundCluster::PrintLogs(std::ostream& out) {
  for (Node& node : nodes_) node.log.Print(out);
  out << std::flush;
}

absl::Status PlaygroundCluster::WaitFor(Duration patience, const std::atomic<bool>& stop,
                                        const std::string& what,
                                        const std::function<bool()>& reached) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!reached()) {
    if (stop) return absl::CancelledError("interrupted");
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const std::optional<ChildEnd> end = nodes_[i].child.Poll();
      if (!end.has_value()) continue;
      return absl::UnavailableError(absl::StrCat("node ", plan_.nodes[i].id, " has ended with ",
                                                 Describe(*end), ": ",
                                                 LastLine(plan_.nodes[i].log)));
    }
    if (std::chrono::steady_clock::now() >= until) {
      return absl::DeadlineExceededError(
          absl::StrCat("gave up waiting for ", what, "; see ", plan_.nodes.front().log));
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return absl::OkStatus();
}

bool PlaygroundCluster::HasLeaders(Api& api) const {
  const absl::StatusOr<v1::StatusResponse> status = api.Status(v1::StatusRequest());
  if (!status.ok()) return false;
  std::set<uint64_t> led;
  for (const v1::NodeStatus& node : status->nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) {
      if (replica.role() == v1::LEADER) led.insert(replica.group());
    }
  }
  return led.size() == plan_.groups.size() + 1;
}

absl::Status PlaygroundCluster::JoinGroups(Api& api) const {
  const absl::StatusOr<v1::QueryResponse> now = api.Query(v1::QueryRequest());
  std::set<uint64_t> joined;
  if (now.ok()) {
    for (const v1::Group& group : now->configuration().groups()) joined.insert(group.gid());
  }
  v1::JoinRequest request;
  for (uint64_t gid : plan_.groups) {
    if (!joined.contains(gid)) request.add_groups()->set_gid(gid);
  }
  return request.groups().empty() ? absl::OkStatus() : api.Join(request).status();
}

bool PlaygroundCluster::AllServed(Api& api) const {
  v1::StatusRequest request;
  request.set_shards(true);
  const absl::StatusOr<v1::StatusResponse> status = api.Status(request);
  if (!status.ok()) return false;
  std::set<uint32_t> served;
  for (const v1::NodeStatus& node : status->nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) {
      for (const v1::ShardStatus& shard : replica.shards()) {
        if (shard.state() == "SERVING") served.insert(shard.shard());
      }
    }
  }
  const auto shards = static_cast<size_t>(status->configuration().owners_size());
  return shards > 0 && served.size() == shards;
}

absl::Status PlaygroundCluster::Start(Duration patience, const std::atomic<bool>& stop) {
  absl::Status status = StartNodes();
  if (!status.ok()) return status;
  const absl::StatusOr<std::unique_ptr<Api>> api =
      OpenGrpcApi({.servers = plan_.grpc_addresses(), .timeout = std::chrono::seconds(2)});
  if (!api.ok()) return api.status();
  status = WaitFor(patience, stop, "leaders", [&] { return HasLeaders(**api); });
  if (!status.ok()) return status;
  absl::Status joined;
  status = WaitFor(patience, stop, "the groups to join", [&] {
    joined = JoinGroups(**api);
    return joined.ok();
  });
  if (!status.ok()) {
    return joined.ok() ? status
                       : absl::Status(status.code(),
                                      absl::StrCat(status.message(), " (", joined.message(), ")"));
  }
  return WaitFor(patience, stop, "the shards", [&] { return AllServed(**api); });
}

bool PlaygroundCluster::Stop(Duration patience) {
  for (Node& node : nodes_) node.child.Signal(SIGTERM);
  const auto until = std::chrono::steady_clock::now() + patience;
  bool clean = true;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Duration left = until - std::chrono::steady_clock::now();
    if (!nodes_[i].child.Wait(std::max(left, Duration(0))).has_value()) {
      told_ << "node" << plan_.nodes[i].id << " did not stop in time and is killed\n";
    }
    const ChildEnd end = nodes_[i].child.Stop(Duration(0));
    if (nodes_[i].told) continue;
    nodes_[i].told = true;
    if (end.signal == 0 && end.code == 0) continue;
    clean = false;
    told_ << "node" << plan_.nodes[i].id << " stopped with " << Describe(end) << "\n";
  }
  return clean;
}

}  // namespace lockstep::bin
