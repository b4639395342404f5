// Membership against a dumb twin that counts subsets: every group of up to five voters, single and
// joint, with every combination of votes and of acknowledged values.
#include "core/raft/quorum.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/raft/role.h"
#include "gtest/gtest.h"

namespace lockstep::raft {
namespace {

using Nodes = std::vector<NodeId>;

Nodes FromMask(uint32_t mask) {
  Nodes nodes;
  for (uint32_t i = 0; i < 8; ++i) {
    if ((mask >> i) & 1) nodes.push_back(NodeId(i + 1));
  }
  return nodes;
}

// More than half of `voters` are such that `in` holds.
template <class In>
bool Majority(const Nodes& voters, In in) {
  return 2 * std::count_if(voters.begin(), voters.end(), in) > static_cast<int64_t>(voters.size());
}

uint64_t DumbAgreed(const Nodes& voters, const std::vector<uint64_t>& values) {
  for (uint64_t value = 9; value > 0; --value) {
    if (Majority(voters, [&](NodeId node) { return values[node.value()] >= value; })) return value;
  }
  return 0;
}

VoteOutcome DumbTally(const Nodes& voters, const std::vector<Vote>& votes) {
  if (Majority(voters, [&](NodeId node) { return votes[node.value()] == Vote::kGranted; }))
    return VoteOutcome::kWon;
  // Could it still be won if all that are missing said yes?
  const bool open =
      Majority(voters, [&](NodeId node) { return votes[node.value()] != Vote::kRefused; });
  return open ? VoteOutcome::kPending : VoteOutcome::kLost;
}

VoteOutcome Both(VoteOutcome a, VoteOutcome b) {
  if (a == VoteOutcome::kLost || b == VoteOutcome::kLost) return VoteOutcome::kLost;
  return a == VoteOutcome::kWon && b == VoteOutcome::kWon ? VoteOutcome::kWon
                                                          : VoteOutcome::kPending;
}

// Calls with every vector of `count` digits below `base`; [0] is unused.
template <class T, class Visit>
void ForEach(uint32_t count, uint64_t base, Visit visit) {
  std::vector<T> digits(count + 1, T{});
  uint64_t combinations = 1;
  for (uint32_t i = 0; i < count; ++i) combinations *= base;
  for (uint64_t n = 0; n < combinations; ++n) {
    uint64_t rest = n;
    for (uint32_t i = 1; i <= count; ++i, rest /= base) digits[i] = static_cast<T>(rest % base);
    visit(digits);
  }
}

TEST(Membership, TallyIsTheTwins) {
  for (uint32_t incoming = 1; incoming < 32; ++incoming) {
    for (uint32_t outgoing = 0; outgoing < 32; ++outgoing) {
      const Membership membership(FromMask(incoming), FromMask(outgoing), {});
      ForEach<Vote>(5, 3, [&](const std::vector<Vote>& votes) {
        VoteOutcome want = DumbTally(FromMask(incoming), votes);
        if (outgoing != 0) want = Both(want, DumbTally(FromMask(outgoing), votes));
        const VoteOutcome got = membership.Tally([&](NodeId node) { return votes[node.value()]; });
        ASSERT_EQ(got, want) << incoming << "/" << outgoing;
      });
    }
  }
}

TEST(Membership, AgreedValueIsTheTwins) {
  for (uint32_t incoming = 1; incoming < 32; ++incoming) {
    for (uint32_t outgoing = 0; outgoing < 32; outgoing += 3) {
      const Membership membership(FromMask(incoming), FromMask(outgoing), {});
      ForEach<uint64_t>(5, 4, [&](const std::vector<uint64_t>& values) {
        uint64_t want = DumbAgreed(FromMask(incoming), values);
        if (outgoing != 0) want = std::min(want, DumbAgreed(FromMask(outgoing), values));
        ASSERT_EQ(membership.AgreedValue([&](NodeId node) { return values[node.value()]; }), want)
            << incoming << "/" << outgoing;
      });
    }
  }
}

// Two majorities of one group always share a voter: the reason for counting at all. Half of an even
// group is not enough.
TEST(Membership, EvenGroupsNeedMoreThanHalf) {
  for (uint32_t size = 1; size <= 8; ++size) {
    const Membership membership(FromMask((1u << size) - 1));
    for (uint32_t granted = 0; granted <= size; ++granted) {
      const VoteOutcome outcome = membership.Tally(
          [&](NodeId node) { return node.value() <= granted ? Vote::kGranted : Vote::kMissing; });
      EXPECT_EQ(outcome == VoteOutcome::kWon, 2 * granted > size) << granted << " of " << size;
    }
  }
}

TEST(Membership, LearnersDecideNothing) {
  const Membership membership({NodeId(3), NodeId(1)}, {}, {NodeId(2), NodeId(9)});
  EXPECT_EQ(membership.members(), (Nodes{NodeId(1), NodeId(2), NodeId(3), NodeId(9)}));
  EXPECT_EQ(membership.voters(), (Nodes{NodeId(1), NodeId(3)}));
  EXPECT_TRUE(membership.IsMember(NodeId(9)));
  EXPECT_FALSE(membership.IsVoter(NodeId(9)));
  EXPECT_FALSE(membership.IsMember(NodeId(4)));
  const auto asked = [](NodeId node) {
    EXPECT_TRUE(node == NodeId(1) || node == NodeId(3)) << "a learner was asked";
    return Vote::kGranted;
  };
  EXPECT_EQ(membership.Tally(asked), VoteOutcome::kWon);
}

TEST(Ballots, TheFirstVoteCounts) {
  Ballots ballots;
  EXPECT_EQ(ballots.Of(NodeId(1)), Vote::kMissing);
  ballots.Cast(NodeId(1), Vote::kRefused);
  ballots.Cast(NodeId(1), Vote::kGranted);
  ballots.Cast(NodeId(2), Vote::kGranted);
  EXPECT_EQ(ballots.Of(NodeId(1)), Vote::kRefused);
  EXPECT_EQ(ballots.Of(NodeId(2)), Vote::kGranted);
  EXPECT_EQ(ballots.Of(NodeId(3)), Vote::kMissing);
}

}  // namespace
}  // namespace lockstep::raft
