// What must not happen while nothing goes wrong.
#include "sim/world/rest.h"

#include <gtest/gtest.h>

#include <string>

namespace lockstep::sim {
namespace {

constexpr GroupId kGroup(1);
constexpr GroupId kOther(2);

std::string Verdict(const Rest& rest, bool prompt, uint64_t internal_entries) {
  Findings findings;
  rest.Judge(prompt, internal_entries, findings);
  return findings.first().has_value() ? findings.first()->property : "";
}

TEST(Rest, OneElectionIsForgivenInEachGroup) {
  Rest rest;
  rest.Begin(0);
  rest.NoteReplaced(kGroup);
  rest.NoteReplaced(kOther);
  EXPECT_EQ(Verdict(rest, /*prompt=*/true, 0), "");
}

TEST(Rest, AHealthyLeaderStays) {
  Rest rest;
  rest.Begin(0);
  rest.NoteReplaced(kGroup);
  rest.NoteReplaced(kGroup);
  EXPECT_EQ(Verdict(rest, /*prompt=*/true, 0), "Stability");
}

TEST(Rest, ElectionsProveNothingWhereHeartbeatsAreLate) {
  Rest rest;
  rest.Begin(0);
  for (int i = 0; i < 10; ++i) rest.NoteReplaced(kGroup);
  EXPECT_EQ(Verdict(rest, /*prompt=*/false, 0), "");
}

TEST(Rest, LogsDoNotGrowByThemselves) {
  Rest rest;
  rest.Begin(40);
  EXPECT_EQ(Verdict(rest, /*prompt=*/true, 40), "");
  EXPECT_EQ(Verdict(rest, /*prompt=*/true, 41), "Idle Growth");
  EXPECT_EQ(Verdict(rest, /*prompt=*/false, 41), "Idle Growth");
}

}  // namespace
}  // namespace lockstep::sim
