// Describe is read by people and compared by scripts: its lines are fixed.
#include "core/kv/describe.h"

#include <gtest/gtest.h>

#include <string>

#include "core/kv/command.h"

namespace lockstep::kv {
namespace {

TEST(Describe, Commands) {
  EXPECT_EQ(Describe(InSession(MakePut("k", "\x01"), SessionId(7), 3, 2)),
            "s7 #3>=2 put \"k\"=\"\\001\"");
  EXPECT_EQ(Describe(MakeAppend("k", std::string(30, 'v'))),
            "append \"k\"+=\"vvvvvvvvvvvvvvvvvvvvvvvv\"...(30 bytes)");
  EXPECT_EQ(Describe(MakeDelete("k")), "delete \"k\"");
  EXPECT_EQ(Describe(MakeCompareAndSwap("k", {}, "")), "cas \"k\" missing -> \"\"");
  EXPECT_EQ(Describe(MakeRegisterSession(1)), "register_session");
  EXPECT_EQ(Describe(MakeCloseSession(SessionId(7))), "s7 close_session");
  EXPECT_EQ(Describe(MakeBatch({MakePut("a", "1"), MakeDelete("b")})), "batch of 2 on \"a\" \"b\"");
  EXPECT_EQ(Describe(MakeBatch({MakeDelete("a"), MakeDelete("b"), MakeDelete("c"), MakeDelete("d"),
                                MakeDelete("e")})),
            "batch of 5 on \"a\" \"b\" \"c\" \"d\" ...");
  EXPECT_EQ(Describe(proto::Command()), "nothing");
}

TEST(Describe, QueriesAndResults) {
  EXPECT_EQ(Describe(MakeGet("k")), "get \"k\"");
  EXPECT_EQ(Describe(MakeGetMany({"a", "b"})), "get 2 keys");
  EXPECT_EQ(Describe(MakeList("p", "q", 3, "t")), "list \"p\" from \"q\" limit 3 continued");
  proto::Result result;
  result.set_code(proto::CONFLICT);
  result.set_index(12);
  result.set_value("");
  result.set_replayed(true);
  EXPECT_EQ(Describe(result), "CONFLICT @12 value=\"\" replayed");
}

}  // namespace
}  // namespace lockstep::kv
