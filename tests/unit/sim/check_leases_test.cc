// Leases: while one lasts nobody is elected in a later term.
#include <string>

#include "tests/unit/sim/check_story.h"

namespace lockstep::sim {
namespace {

TEST(LeaseChecks, OrdinaryLifeIsQuiet) {
  Story story;
  story.Elect(1, 1, {2, 3}).Lease(1, 1, 100).Lease(1, 1, 150);
  story.Lease(1, 1, 2);  // a change of members may shorten it
  story.HardState(3, 1, 1).HardState(3, 2, 3);
  story.Elect(3, 2, {2}).Lease(3, 2, 100);
  EXPECT_EQ(story.property(), "") << story.evidence();
}

TEST(LeaseChecks, NobodyIsElectedWhileItLasts) {
  Story story;
  story.Elect(1, 1, {2, 3}).Lease(1, 1, 100).Elect(3, 2, {2});
  EXPECT_EQ(story.property(), "Lease");
  EXPECT_NE(story.evidence().find("node 1 leads in term 1 with a lease until"), std::string::npos)
      << story.evidence();
  EXPECT_NE(story.evidence().find("node 3 was elected in term 2"), std::string::npos);
}

TEST(LeaseChecks, ItIsNotRenewedWhenSomebodyElseLeads) {
  Story story;
  story.Elect(1, 1, {2, 3}).Lease(1, 1, 1).Elect(3, 2, {2});
  EXPECT_EQ(story.property(), "") << story.evidence();
  EXPECT_EQ(story.Lease(1, 1, 100).property(), "Lease");
}

TEST(LeaseChecks, ItEndsWhenItIsGivenUpAndWithTheHoldersLeadership) {
  Story given_up;
  given_up.Elect(1, 1, {2, 3}).Lease(1, 1, 100).Lease(1, 1, 0).Elect(3, 2, {2});
  EXPECT_EQ(given_up.property(), "") << given_up.evidence();

  Story follows;
  follows.Elect(1, 1, {2, 3}).Lease(1, 1, 100).Follow(1, 1, 0).Elect(3, 2, {2});
  EXPECT_EQ(follows.property(), "") << follows.evidence();

  Story crashed;
  crashed.Elect(1, 1, {2, 3}).Lease(1, 1, 100).Crash(1).Elect(3, 2, {2});
  EXPECT_EQ(crashed.property(), "") << crashed.evidence();
}

TEST(LeaseChecks, WhoDoesNotLeadHoldsNone) {
  Story story;
  EXPECT_EQ(story.Elect(1, 1, {2, 3}).Lease(2, 1, 100).property(), "Lease");
}

}  // namespace
}  // namespace lockstep::sim
