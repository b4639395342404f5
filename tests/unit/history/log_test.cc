// Jepsen's logs of a register.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/history/texts.h"

namespace lockstep::history {
namespace {

TEST(ReadJepsenLog, AllShapesOfLines) {
  const Recorded recorded = MustRead(
      "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
      "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n"
      "INFO  jepsen.util - 0\t:ok\t:read\tnil\n"
      "INFO  jepsen.util - 1\t:invoke\t:write\t3\n"
      "INFO  jepsen.util - 2  :invoke :cas    [3 4]  \r\n"
      "INFO  jepsen.util - 1\t:ok\t:write\t3\n"
      "INFO  jepsen.util - 2  :ok     :cas    [3 4]\n"
      "2014-06-01 10:00:00,123{GMT}\tINFO\tjepsen.util -\t1\t:invoke\t:cas\t[0 1]\n"
      "INFO  jepsen.util - 1\t:fail\t:cas\t[0 1]\n"
      "INFO  jepsen.util - 1\t:invoke\t:read\tnil\n"
      "INFO  jepsen.util - 1\t:fail\t:read\t:timed-out\n"
      "INFO  jepsen.util - 1\t:invoke\t:write\t2\n"
      "INFO  jepsen.util - 1\t:info\t:write\t:timed-out\n"
      "INFO  jepsen.util - 3\t:invoke\t:cas\t[2 3]\n"
      "INFO  jepsen.util - 3\t:info\t:cas\t:timed-out\n"
      "INFO  jepsen.util - 4\t:invoke\t:write\t-1\n"
      "INFO  jepsen.util - 4\t:fail\t:write\t-1\n"
      "INFO  jepsen.util - 4\t:invoke\t:read\tnil");
  EXPECT_EQ(recorded.format, Format::kJepsenLog);
  EXPECT_EQ(recorded.model, Model::kRegister);
  EXPECT_EQ(recorded.dropped, 2U);
  EXPECT_EQ(Dump(recorded),
            "[1, 3] process 0: read -> nil\n"
            "[4, 6] process 1: write \"3\" -> ok\n"
            "[5, 7] process 2: cas from \"3\" to \"4\" -> ok\n"
            "[8, 9] process 1: cas from \"0\" to \"1\" -> mismatch\n"
            "[12, open] process 1: write \"2\" -> unknown\n"
            "[14, open] process 3: cas from \"2\" to \"3\" -> unknown\n"
            "[18, open] process 4: read -> unknown\n");
}

TEST(ReadJepsenLog, RefusesWithTheLine) {
  const std::string write = "INFO  jepsen.util - 1\t:invoke\t:write\t3\n";
  const struct {
    std::string text;
    std::string error;
  } rows[] = {
      {write + "INFO  jepsen.ut",
       "2: not a line of a Jepsen log: INFO  jepsen.util - PROCESS :TYPE :OPERATION VALUE"},
      {write + "INFO  jepsen.util - ", "2: the line ends before the process: is it cut off?"},
      {write + "INFO  jepsen.util - x\t:ok", "2: \"x\" is no process number"},
      {write + "INFO  jepsen.util - 1\t:ok",
       "2: the line ends before the operation: is it cut off?"},
      {write + "INFO  jepsen.util - 1\t:ok\t:wri",
       "2: unknown operation :wri; known are :read, :write, :cas"},
      {write + "INFO  jepsen.util - 1\t:ok\t:write",
       "2: the line ends before the value: is it cut off?"},
      {write + "INFO  jepsen.util - 1\t:info\t:write",
       "2: the line ends before the value: is it cut off?"},
      {write + "INFO  jepsen.util - 1\t:done\t:write\t3",
       "2: unknown type :done; known are :invoke, :ok, :fail, :info"},
      {write + "INFO  jepsen.util - 1\t:ok\t:write\tx", "2: \"x\" is neither a number nor nil"},
      {write + "INFO  jepsen.util - 1\t:ok\t:write\t:timed-out",
       "2: an operation that timed out is not :ok"},
      {write + "INFO  jepsen.util - 2\t:invoke\t:cas\t[1 ", "2: \"[1\" is not [expected new]"},
      {write + "INFO  jepsen.util - 2\t:invoke\t:cas\t[1 2 3]",
       "2: \"[1 2 3]\" is not [expected new]"},
      {write + "INFO  jepsen.util - 2\t:invoke\t:cas\t3", "2: \"3\" is not [expected new]"},
      {write + "INFO  jepsen.util - 1\t:ok\t:write\t4",
       "2: the completion of process 1 has value \"4\", but its invocation in line 1 has \"3\""},
      {write + write,
       "2: a second invocation of busy process 1: its operation of line 1 is still under way"},
      {"INFO  jepsen.util - 1\t:ok\t:write\t3\n",
       "1: a completion (ok) without an invocation: process 1 has no operation under way"},
  };
  for (const auto& row : rows) EXPECT_EQ(ErrorOf(row.text), row.error) << row.text;
}

TEST(ReadJepsenLog, HoldsARegister) {
  EXPECT_EQ(ErrorOf("INFO  jepsen.util - 1\t:invoke\t:read\tnil\n", As(Model::kKv)),
            "0: a Jepsen log holds operations of a register, not of a kv store");
}

TEST(ReadHistory, TellsTheFormat) {
  EXPECT_EQ(ErrorOf(""), "0: no operations: the file is empty");
  EXPECT_EQ(ErrorOf("\n  \r\n\t\n"), "0: no operations: the file is empty");
  EXPECT_EQ(ErrorOf("; nothing but a comment\n"), "0: no operations: the file is empty");
  EXPECT_EQ(ErrorOf("\nhello\n"),
            "2: neither JSON ({\"...), nor EDN ({:...), nor a Jepsen log (INFO ...): --format says "
            "which it is meant to be");
  EXPECT_EQ(ErrorOf("hello\n", {.format = Format::kEdn, .model = std::nullopt}),
            "1: not an EDN map: a line is {:process ..., :type ..., :f ...}");
  EXPECT_EQ(MustRead("\xEF\xBB\xBF{ :process 1 :type :invoke :f :read}").format, Format::kEdn);
  EXPECT_EQ(MustRead("{ \"process\":1,\"type\":\"invoke\",\"op\":\"get\",\"key\":\"\"}").format,
            Format::kJson);
}

}  // namespace
}  // namespace lockstep::history
