// Nodes that come into the groups of a cluster and go.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_node_text.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using Changes = absl::StatusOr<std::vector<v1::GroupChange>>;

template <class Response>
Changes ChangesOf(const absl::StatusOr<Response>& response) {
  if (!response.ok()) return response.status();
  return std::vector<v1::GroupChange>(response->groups().begin(), response->groups().end());
}

}  // namespace

void RealCluster::ChangeNodes(const std::string& what, const std::function<Changes()>& change) {
  std::string why;
  const bool begun = WaitUntil(
      [&] {
        const Changes changes = change();
        why = std::string(changes.status().message());
        if (!changes.ok()) return false;
        for (const v1::GroupChange& one : *changes) {
          const bool good = one.outcome() == v1::GroupChange::BEGUN ||
                            one.outcome() == v1::GroupChange::UNCHANGED;
          if (!good) why = one.message();
          if (!good) return false;
        }
        return true;
      },
      kSettlePatience);
  EXPECT_TRUE(begun) << what << ": " << why;
}

void RealCluster::AddNode(uint64_t node) {
  v1::AddNodeRequest request;
  request.set_node(node);
  request.set_address(PeerAddressOf(node));
  ChangeNodes(absl::StrCat("add node ", node), [&] { return ChangesOf(store_->AddNode(request)); });
}

void RealCluster::RemoveNode(uint64_t node) {
  v1::RemoveNodeRequest request;
  request.set_node(node);
  ChangeNodes(absl::StrCat("remove node ", node),
              [&] { return ChangesOf(store_->RemoveNode(request)); });
}

void RealCluster::ReplaceNode(uint64_t gone, uint64_t node) {
  v1::ReplaceNodeRequest request;
  request.set_replaces(gone);
  request.set_node(node);
  ChangeNodes(absl::StrCat("replace node ", gone, " by node ", node),
              [&] { return ChangesOf(store_->ReplaceNode(request)); });
}

std::optional<v1::ReplicaStatus> RealCluster::MembershipOf(uint64_t group) {
  const std::optional<uint64_t> leader = LeaderOf(group);
  if (!leader.has_value()) return std::nullopt;
  const std::optional<v1::NodeStatus> status = StatusOf(*leader);
  if (!status.has_value()) return std::nullopt;
  for (const v1::ReplicaStatus& replica : status->replicas()) {
    if (replica.group() == group && replica.role() == v1::LEADER) return replica;
  }
  return std::nullopt;
}

std::string RealCluster::WhyOtherVoters(const std::vector<uint64_t>& nodes) {
  std::vector<uint64_t> groups = AllGroups();
  groups.push_back(kController);
  for (const uint64_t group : groups) {
    const std::optional<v1::ReplicaStatus> leading = MembershipOf(group);
    if (!leading.has_value()) return absl::StrCat("nobody leads group ", group);
    std::vector<uint64_t> voters;
    for (const v1::GroupMemberStatus& member : leading->group_members()) {
      voters.push_back(member.node());
    }
    const bool rest = leading->change_phase() == v1::SETTLED && leading->membership_committed();
    if (rest && voters == nodes) continue;
    return absl::StrCat("group ", group, " is ", bin::ProgressText(*leading), ", and should have ",
                        absl::StrJoin(nodes, ", "));
  }
  return "";
}

bool RealCluster::ExpectVoters(const std::vector<uint64_t>& nodes, Duration within) {
  std::string why;
  const bool so = WaitUntil([&] { return (why = WhyOtherVoters(nodes)).empty(); }, within);
  EXPECT_TRUE(so) << why;
  return so;
}

RealCluster::CommandEnd RealCluster::RunCommand(const std::vector<std::string>& arguments,
                                                bool http) {
  const std::string servers = absl::StrJoin(http ? HttpAddresses() : GrpcAddresses(), ",");
  std::vector<std::string> words = {"lockstep"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.insert(words.end(), {"--protocol", http ? "http" : "grpc", "--server", servers});
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  CommandEnd end;
  end.exit_code =
      bin::RunCommandLine(static_cast<int>(argv.size()), argv.data(), in, out, err, bin::OpenApi);
  end.out = out.str();
  end.err = err.str();
  return end;
}

}  // namespace lockstep::system
