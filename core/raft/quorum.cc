#include "core/raft/quorum.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "core/base/check.h"

namespace lockstep::raft {
namespace {

void SortDistinct(std::vector<NodeId>& nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

bool Contains(const std::vector<NodeId>& sorted, NodeId node) {
  return std::binary_search(sorted.begin(), sorted.end(), node);
}

size_t MajorityOf(size_t voters) { return voters / 2 + 1; }

uint64_t MajorityValue(const std::vector<NodeId>& voters,
                       absl::FunctionRef<uint64_t(NodeId)> reached) {
  Check(!voters.empty(), "nobody can agree");
  absl::InlinedVector<uint64_t, 8> values;  // Called for every acknowledgement.
  for (NodeId voter : voters) values.push_back(reached(voter));
  std::sort(values.begin(), values.end());
  return values[values.size() - MajorityOf(values.size())];
}

VoteOutcome MajorityTally(const std::vector<NodeId>& voters, absl::FunctionRef<Vote(NodeId)> vote) {
  size_t granted = 0;
  size_t refused = 0;
  for (NodeId voter : voters) {
    const Vote cast = vote(voter);
    granted += cast == Vote::kGranted ? 1 : 0;
    refused += cast == Vote::kRefused ? 1 : 0;
  }
  const size_t majority = MajorityOf(voters.size());
  if (granted >= majority) return VoteOutcome::kWon;
  if (voters.size() - refused < majority) return VoteOutcome::kLost;
  return VoteOutcome::kPending;
}

}  // namespace

Membership::Membership(std::vector<NodeId> voters) : Membership(std::move(voters), {}, {}) {}

Membership::Membership(std::vector<NodeId> incoming, std::vector<NodeId> outgoing,
                       std::vector<NodeId> learners)
    : incoming_(std::move(incoming)),
      outgoing_(std::move(outgoing)),
      learners_(std::move(learners)) {
  SortDistinct(incoming_);
  SortDistinct(outgoing_);
  SortDistinct(learners_);
  Check(!incoming_.empty(), "a group needs a voter");
  voters_ = incoming_;
  voters_.insert(voters_.end(), outgoing_.begin(), outgoing_.end());
  SortDistinct(voters_);
  for (NodeId learner : learners_) Check(!Contains(voters_, learner), "a learner is not a voter");
  members_ = voters_;
  members_.insert(members_.end(), learners_.begin(), learners_.end());
  SortDistinct(members_);
  Check(members_.front() != NodeId(), "node ids begin at 1");
}

bool Membership::IsVoter(NodeId node) const { return Contains(voters_, node); }
bool Membership::IsMember(NodeId node) const { return Contains(members_, node); }
bool Membership::IsIncoming(NodeId node) const { return Contains(incoming_, node); }

uint64_t Membership::AgreedValue(absl::FunctionRef<uint64_t(NodeId)> reached) const {
  const uint64_t incoming = MajorityValue(incoming_, reached);
  return outgoing_.empty() ? incoming : std::min(incoming, MajorityValue(outgoing_, reached));
}

VoteOutcome Membership::Tally(absl::FunctionRef<Vote(NodeId)> vote) const {
  const VoteOutcome incoming = MajorityTally(incoming_, vote);
  if (outgoing_.empty()) return incoming;
  const VoteOutcome outgoing = MajorityTally(outgoing_, vote);
  if (incoming == VoteOutcome::kLost || outgoing == VoteOutcome::kLost) return VoteOutcome::kLost;
  if (incoming == VoteOutcome::kWon && outgoing == VoteOutcome::kWon) return VoteOutcome::kWon;
  return VoteOutcome::kPending;
}

}  // namespace lockstep::raft
