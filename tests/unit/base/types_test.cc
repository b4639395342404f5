#include "core/base/types.h"

#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

namespace lockstep {
namespace {

// Kinds do not mix, and no bare number becomes an id by accident.
static_assert(!std::is_convertible_v<uint64_t, Term>);
static_assert(!std::is_convertible_v<Term, uint64_t>);
static_assert(!std::is_convertible_v<Term, Index>);
static_assert(!std::is_constructible_v<Index, Term>);
static_assert(!std::is_convertible_v<Term, bool>);
static_assert(std::is_trivially_copyable_v<Index>);
static_assert(sizeof(Index) == sizeof(uint64_t));

TEST(Id, ZeroIsNone) {
  EXPECT_FALSE(static_cast<bool>(NodeId()));
  EXPECT_TRUE(static_cast<bool>(NodeId(1)));
  EXPECT_EQ(NodeId(), NodeId(0));
}

TEST(Id, StepsAndDistances) {
  const Index index(10);
  EXPECT_EQ(index.Next(), Index(11));
  EXPECT_EQ(index.Previous(), Index(9));
  EXPECT_EQ(index.Plus(5), Index(15));
  EXPECT_EQ(index.Plus(5).Since(index), 5u);
  EXPECT_EQ(index.value(), 10u);
}

TEST(Id, Orders) {
  EXPECT_LT(Term(1), Term(2));
  EXPECT_LE(Term(2), Term(2));
  EXPECT_GT(Term(UINT64_MAX), Term(2));
  EXPECT_NE(Term(1), Term(2));
}

TEST(Id, PrintsItsNumber) {
  std::ostringstream text;
  text << ShardId(17);
  EXPECT_EQ(text.str(), "17");
}

TEST(Time, NeverIsAfterEverything) {
  EXPECT_LT(Instant(), kNever);
  EXPECT_LT(Instant(std::chrono::hours(24 * 365 * 100)), kNever);
}

}  // namespace
}  // namespace lockstep
