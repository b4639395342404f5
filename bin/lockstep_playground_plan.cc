#include "bin/lockstep_playground_plan.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"

namespace lockstep::bin {
namespace {

struct Placement {
  uint64_t gid;  // 0: the controller
  std::vector<uint64_t> members;
};

std::vector<Placement> Placements(bool split) {
  if (split) return {{0, {1, 2, 3}}, {101, {4, 5, 6}}, {102, {7, 8, 9}}};
  return {{0, {1, 2, 3}}, {101, {1, 2, 3}}, {102, {1, 2, 3}}};
}

uint64_t NodeCount(bool split) { return split ? 9 : 3; }

std::string Local(uint16_t port) { return absl::StrCat("127.0.0.1:", port); }

bool Holds(const Placement& placement, uint64_t node) {
  return std::find(placement.members.begin(), placement.members.end(), node) !=
         placement.members.end();
}

}  // namespace

std::vector<std::string> PlaygroundPlan::grpc_addresses() const {
  std::vector<std::string> addresses;
  for (const PlaygroundNode& node : nodes) addresses.push_back(node.grpc);
  return addresses;
}

size_t PortsNeeded(bool split) { return 3 * static_cast<size_t>(NodeCount(split)); }

PlaygroundPlan MakePlan(const PlaygroundOptions& options, const std::vector<uint16_t>& ports) {
  CheckEq(ports.size(), PortsNeeded(options.split));
  const std::vector<Placement> placements = Placements(options.split);
  std::vector<std::string> peers;
  for (uint64_t id = 1; id <= NodeCount(options.split); ++id) {
    peers.push_back(absl::StrCat(id, "=", Local(ports[3 * (id - 1)])));
  }
  PlaygroundPlan plan;
  for (const Placement& placement : placements) {
    if (placement.gid != 0) plan.groups.push_back(placement.gid);
  }
  for (uint64_t id = 1; id <= NodeCount(options.split); ++id) {
    const size_t port = 3 * (id - 1);
    PlaygroundNode node;
    node.id = id;
    node.grpc = Local(ports[port + 1]);
    node.http = Local(ports[port + 2]);
    node.log = absl::StrCat(options.directory, "/node", id, ".log");
    node.start.program = options.lockstepd;
    node.start.output = node.log;
    node.start.arguments = {"--data-dir",    absl::StrCat(options.directory, "/node", id),
                            "--node-id",     absl::StrCat(id),
                            "--listen-peer", Local(ports[port]),
                            "--listen-grpc", node.grpc,
                            "--listen-http", node.http,
                            "--peers",       absl::StrJoin(peers, ",")};
    std::vector<std::string> holds;
    for (const Placement& placement : placements) {
      const std::string members = absl::StrJoin(placement.members, ",");
      if (placement.gid == 0) {
        node.start.arguments.insert(node.start.arguments.end(), {"--controller", members});
      } else if (Holds(placement, id)) {
        node.start.arguments.insert(node.start.arguments.end(),
                                    {"--group", absl::StrCat(placement.gid, "=", members)});
      }
      if (!Holds(placement, id)) continue;
      holds.push_back(placement.gid == 0 ? "controller" : absl::StrCat(placement.gid));
    }
    node.holds = absl::StrJoin(holds, ", ");
    node.start.arguments.insert(node.start.arguments.end(), options.extras.begin(),
                                options.extras.end());
    plan.nodes.push_back(std::move(node));
  }
  return plan;
}

std::string CommandOf(const ChildOptions& start) {
  return absl::StrCat(start.program, " ", absl::StrJoin(start.arguments, " "));
}

}  // namespace lockstep::bin
