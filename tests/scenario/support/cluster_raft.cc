// Leaders, logs and proposals.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "tests/scenario/support/cluster.h"

namespace lockstep::scenario {
namespace {

constexpr Duration kAgreePatience = std::chrono::seconds(10);
constexpr Duration kAttempt = std::chrono::seconds(2);
constexpr Duration kMoment = std::chrono::milliseconds(20);

}  // namespace

Side Cluster::Present() {
  Side present;
  for (const NodeId server : RunningServers()) {
    if (IsConnected(server)) present.push_back(server);
  }
  return present;
}

NodeId Cluster::ExpectOneLeaderAmong(const Side& servers) {
  Check(!servers.empty());
  const auto is_leader = [&](NodeId server) {
    return ReplicaOn(server).role == raft::Role::kLeader;
  };
  const bool found = RunUntil(
      [&] {
        const NodeId leader = LeaderAmong(servers);
        if (!leader || std::count_if(servers.begin(), servers.end(), is_leader) != 1) return false;
        return std::all_of(servers.begin(), servers.end(),
                           [&](NodeId server) { return TermOf(server) == TermOf(leader); });
      },
      kElectionPatience);
  EXPECT_TRUE(found || broken()) << "no single leader within "
                                 << kElectionPatience / std::chrono::seconds(1) << " s";
  const NodeId leader = LeaderAmong(servers);
  return leader ? leader : servers.front();
}

void Cluster::ExpectNoLeader() {
  RunFor(2 * kElectionTimeout);
  const bool led = RunUntil([&] { return bool{LeaderAmong(Present())}; }, 2 * kElectionTimeout);
  EXPECT_FALSE(led) << "server " << Leader() << " leads without a majority";
}

// --- Proposals ---

void Cluster::EnsureSession() {
  const Instant until = now() + kElectionPatience;
  while (!proposer_.has_session() && !broken() && now() < until) {
    const NodeId leader = Leader();
    if (leader) proposer_.OpenSession(leader);
    RunUntil([&] { return proposer_.has_session(); }, 5 * kMoment);
  }
  if (!proposer_.has_session()) GTEST_FAIL() << "no leader opens a session for proposals";
}

Proposal Cluster::ProposeSoon(NodeId server, const std::string& value) {
  EnsureSession();
  return proposer_.Propose(server, value);
}

std::optional<Index> Cluster::Propose(NodeId server, const std::string& value) {
  const Proposal proposal = ProposeSoon(server, value);
  RunUntil([&] { return proposal.fate() != Proposal::Fate::kOnItsWay; }, kMoment);
  if (!proposal.accepted()) return std::nullopt;
  return proposal.index();
}

Index Cluster::Agree(const std::string& value, size_t servers_min) {
  const Instant until = now() + kAgreePatience;
  while (!broken() && now() < until) {
    const NodeId leader = Leader();
    if (!leader) {
      RunFor(kMoment);
      continue;
    }
    const Proposal proposal = ProposeSoon(leader, value);
    const auto executed = [&] {
      const Index index = CommittedAt(proposal);
      return index && ExecutedBy(index) >= servers_min;
    };
    RunUntil([&] { return executed() || proposal.fate() == Proposal::Fate::kRefused; }, kAttempt);
    if (executed()) return CommittedAt(proposal);
    RunFor(kMoment);
  }
  EXPECT_TRUE(broken()) << "no agreement on \"" << value << "\" by " << servers_min
                        << " servers within 10 s";
  return Index();
}

Index Cluster::CommittedAt(const Proposal& proposal) {
  return watch_.checkers().sessions(kOnlyGroup).FirstOf(proposal.command());
}

size_t Cluster::ExecutedBy(Index index) {
  size_t count = 0;
  for (const NodeId server : RunningServers()) {
    if (AppliedOf(server) >= index) ++count;
  }
  return count;
}

void Cluster::ExpectExecutedBy(Index index, const Side& servers, Duration within) {
  const bool executed = RunUntil(
      [&] {
        return std::all_of(servers.begin(), servers.end(),
                           [&](NodeId server) { return AppliedOf(server) >= index; });
      },
      within);
  EXPECT_TRUE(executed) << "index " << index << " is not executed everywhere";
}

}  // namespace lockstep::scenario
