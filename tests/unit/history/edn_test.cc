// The reader of EDN, and Jepsen's operations in it.
#include "sim/check/history/edn.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/history/texts.h"

namespace lockstep::history {
namespace {

using Type = Datum::Type;

TEST(Edn, ReadsScalars) {
  const struct {
    std::string text;
    Type type;
    std::string value;
  } rows[] = {
      {"nil", Type::kNil, "nil"},
      {" ,, 12 ; a comment", Type::kNumber, "12"},
      {"-1.5e3M", Type::kNumber, "-1.5e3M"},
      {"+7N", Type::kNumber, "+7N"},
      {"1/3", Type::kNumber, "1/3"},
      {":a.b/c", Type::kKeyword, "a.b/c"},
      {"true", Type::kSymbol, "true"},
      {"-", Type::kSymbol, "-"},
      {"\"\"", Type::kString, ""},
      {R"("a \" ; b")", Type::kString, R"(a \" ; b)"},
  };
  for (const auto& row : rows) {
    EdnReader reader(row.text);
    Datum datum;
    ASSERT_TRUE(reader.Read(&datum)) << row.text << reader.error();
    EXPECT_EQ(datum.type, row.type) << row.text;
    EXPECT_EQ(datum.text, row.value);
    EXPECT_TRUE(reader.AtEnd()) << row.text;
  }
}

TEST(Edn, SkipsWhatItNeedNotUnderstand) {
  for (const std::string text : {
           R"({:a {:b #{1 2} "c" (d [e])}})",
           R"(#inst "2026-01-01")",
           R"(#jepsen.history.Op{:a 1})",
           R"(#_ {:discarded [1 2]} {:kept 1})",
           R"(#"a pattern \" ]")",
           R"([\a \] \newline \u0041 #foo/bar [1]])",
           R"(#:ns{:a 1})",
       }) {
    EdnReader reader(text);
    Datum datum;
    EXPECT_TRUE(reader.Read(&datum)) << text << reader.error();
    EXPECT_TRUE(reader.AtEnd()) << text;
  }
}

TEST(Edn, KeepsVectors) {
  EdnReader reader("[\"k\" (1 nil)]");
  Datum datum;
  ASSERT_TRUE(reader.Read(&datum));
  ASSERT_EQ(datum.type, Type::kVector);
  ASSERT_EQ(datum.items.size(), 2U);
  EXPECT_EQ(datum.items[0].text, "k");
  ASSERT_EQ(datum.items[1].items.size(), 2U);
  EXPECT_EQ(datum.items[1].items[1].type, Type::kNil);
}

TEST(Edn, SaysWhatIsWrong) {
  const struct {
    std::string text;
    std::string error;
  } rows[] = {
      {"", "the line ends where a value should be (column 1 of the line)"},
      {"[1 2", "the line ends before ] (column 5 of the line)"},
      {"{:a (1 2}", "an unexpected } (column 9 of the line)"},
      {"\"abc\\\"", "a string without its closing quote (column 1 of the line)"},
      {": a", "a colon without a keyword (column 2 of the line)"},
      {"#", "the line ends behind # (column 2 of the line)"},
      {std::string(100, '['), "values are nested too deeply (column 66 of the line)"},
  };
  for (const auto& row : rows) {
    EdnReader reader(row.text);
    Datum datum;
    EXPECT_FALSE(reader.Read(&datum)) << row.text;
    EXPECT_EQ(reader.error(), row.error);
  }
}

TEST(Edn, Unescapes) {
  EXPECT_EQ(UnescapeEdn(R"(a\tb\n\\\"\u00e9\uD83D\uDE00)"), "a\tb\n\\\"\xC3\xA9\xF0\x9F\x98\x80");
  for (const char* wrong : {"\\", "\\q", "\\u12", "\\u12g4", "\\uD83D", "\\uDE00", "\\uD83Dxx"})
    EXPECT_EQ(UnescapeEdn(wrong), std::nullopt) << wrong;
}

TEST(ReadEdn, KeyValueHistory) {
  const Recorded recorded = MustRead(
      "; a comment\n"
      "{:process 0, :type :invoke, :f :get, :key \"3\", :value nil}\r\n"
      "\n"
      "#jepsen.history.Op{:index 1 :time 55 :type :invoke :process 1 :f :append :value \"x\\ty\" "
      ":key \"3\" :error [:foo {:a \"}\"}]}\n"
      "{:process :nemesis, :type :info, :f :start, :value nil}\n"
      "{:value \"\", :key \"3\", :f :get, :type :ok, :process 0}\n"
      "{:process 1, :type :info, :f :append, :key \"3\", :value :timed-out}\n"
      "{:process 2, :type :invoke, :f :put, :key 3, :value 5}\n"
      "{:process 2, :type :ok, :f :put, :key 3, :value 5}\n"
      "{:process 2, :type :invoke, :f :put, :key \"3\", :value \"z\"}\n"
      "{:process 2, :type :fail, :f :put, :key \"3\", :value \"z\", :error :refused}\n"
      "{:process 3, :type :invoke, :f :delete, :key \"3\"}");
  EXPECT_EQ(recorded.format, Format::kEdn);
  EXPECT_EQ(recorded.model, Model::kKv);
  EXPECT_EQ(recorded.dropped, 1U);
  EXPECT_TRUE(recorded.times_are_lines);
  EXPECT_EQ(recorded.history.initial, Bytes());
  EXPECT_EQ(Dump(recorded),
            "[2, 6] process 0: get \"3\" -> \"\"\n"
            "[4, open] process 1: append \"3\" += \"x\\ty\" -> unknown\n"
            "[8, 9] process 2: put \"3\" = \"5\" -> ok\n"
            "[12, open] process 3: delete \"3\" -> unknown\n");
  EXPECT_EQ(recorded.lines[0].invoked, 2U);
  EXPECT_EQ(recorded.lines[0].returned, 6U);
  EXPECT_EQ(recorded.lines[1].returned, 0U);
}

TEST(ReadEdn, Registers) {
  const Recorded one = MustRead(
      "{:process 0, :type :invoke, :f :cas, :value [nil 4]}\n"
      "{:process 0, :type :ok, :f :cas, :value [nil 4]}\n"
      "{:process 0, :type :invoke, :f :read}\n"
      "{:process 0, :type :ok, :f :read, :value 4}\n"
      "{:process 0, :type :invoke, :f :cas, :value [1 2]}\n"
      "{:process 0, :type :fail, :f :cas, :value [1 2]}\n"
      "{:process 0, :type :invoke, :f :write, :value nil}\n"
      "{:process 0, :type :ok, :f :write, :value nil}\n"
      "{:process 0, :type :invoke, :f :write, :value :x}\n");
  EXPECT_EQ(one.model, Model::kRegister);
  EXPECT_FALSE(one.history.initial.has_value());
  EXPECT_EQ(Dump(one),
            "[1, 2] process 0: cas from nil to \"4\" -> ok\n"
            "[3, 4] process 0: read -> \"4\"\n"
            "[7, 8] process 0: write nil -> ok\n"
            "[9, open] process 0: write \":x\" -> unknown\n");
  const Recorded independent = MustRead(
      "{:process 0, :type :invoke, :f :cas, :value [7 [nil 4]]}\n"
      "{:process 0, :type :ok, :f :cas, :value [7 [nil 4]]}\n"
      "{:process 1, :type :invoke, :f :read, :value [7 nil]}\n"
      "{:process 1, :type :ok, :f :read, :value [7 4]}\n"
      "{:process 1, :type :invoke, :f :write, :value [8 1]}\n");
  EXPECT_EQ(Dump(independent),
            "[1, 2] process 0: cas \"7\" from missing to \"4\" -> ok\n"
            "[3, 4] process 1: get \"7\" -> \"4\"\n"
            "[5, open] process 1: put \"8\" = \"1\" -> unknown\n");
}

TEST(ReadEdn, RefusesWithTheLine) {
  const std::string get = "{:process 7, :type :invoke, :f :get, :key \"k\", :value nil}\n";
  const struct {
    std::string text;
    std::string error;
  } rows[] = {
      {"{:process 7, :type :invoke, :f :get, :key \"k\"",
       "1: the line ends inside its map: is it cut off?"},
      {"{:process 7, :type :invoke, :f :get, :key \"k",
       "1: a string without its closing quote (column 43 of the line)"},
      {"{:process 7, :type", "1: the line ends where a value should be (column 19 of the line)"},
      {get + get + "}",
       "2: a second invocation of busy process 7: its operation of line 1 is still under way"},
      {get + "{:process 7, :type :info, :f :get}\n" + get,
       "3: a second invocation of busy process 7: its operation of line 1 is open for ever (info), "
       "so the client must go on under a new process number"},
      {"{:process 7, :type :ok, :f :get, :key \"k\", :value \"\"}",
       "1: a completion (ok) without an invocation: process 7 has no operation under way"},
      {get + "{:process 7, :type :info, :f :get}\n{:process 7, :type :ok, :f :get, :value 1}",
       "3: a completion (ok) without an invocation: process 7 has no operation under way"},
      {get + "{:process 7, :type :ok, :f :put, :key \"k\", :value \"v\"}",
       "2: the completion of process 7 has operation put, but its invocation in line 1 has get"},
      {get + "{:process 7, :type :ok, :f :get, :key \"j\", :value \"v\"}",
       "2: the completion of process 7 has key \"j\", but its invocation in line 1 has \"k\""},
      {get + "{:process 7, :type :ok, :f :get, :key \"k\"}", "2: an answered get needs a result"},
      {"{:process 7, :type :invoke, :f :put, :key \"k\", :value \"a\"}\n"
       "{:process 7, :type :ok, :f :put, :key \"k\", :value \"b\"}",
       "2: the completion of process 7 has value \"b\", but its invocation in line 1 has \"a\""},
      {"{:type :invoke, :f :get, :key \"k\"}", "1: the map has no :process"},
      {"{:process \"7\", :type :invoke, :f :get, :key \"k\"}",
       "1: the :process is not a whole number"},
      {"{:process 7, :f :get, :key \"k\"}",
       "1: the map has no :type; it is one of :invoke, :ok, :fail, :info"},
      {"{:process 7, :type :begin, :f :get, :key \"k\"}",
       "1: unknown :type begin; known are :invoke, :ok, :fail, :info"},
      {"{:process 7, :type :invoke, :f :txn, :key \"k\"}",
       "1: unknown :f txn; known are :get, :read, :put, :write, :append, :delete, :cas"},
      {"{:process 7, :process 8, :type :invoke, :f :get}", "1: the map has :process twice"},
      {"{:process 7, :type :invoke, :f :get}", "1: a get needs a key"},
      {"{:process 7, :type :invoke, :f :put, :key \"k\"}", "1: a put needs a value"},
      {"{:process 7, :type :invoke, :f :put, :key \"k\", :value nil}", "1: a put needs a value"},
      {"{:process 7, :type :invoke, :f :put, :key \"k\", :value {}}",
       "1: a key or a value is a string, a number, a keyword or nil, nothing else"},
      {"{:process 7, :type :invoke, :f :put, :key \"k\", :value \"\\q\"}",
       "1: a string has an escape that EDN does not know"},
      {"{:process 7, :type :invoke, :f :cas, :value 3}",
       "1: the :value of a :cas is not [expected new]"},
      {"{:process 7, :type :invoke, :f :write, :value 3}\n"
       "{:process 8, :type :invoke, :f :append, :value 3}",
       "2: a register has no append (--model kv has)"},
      {get + "(:process 7)", "2: not an EDN map: a line is {:process ..., :type ..., :f ...}"},
      {get + get.substr(0, get.size() - 1) + " 5", "2: something follows the map: one map a line"},
      {"{:process :nemesis, :type :info, :f :start}\n",
       "0: no operations: no line of the file is of a client"},
      {get + "{:process 7, :type :fail, :f :get}\n",
       "0: no operations to judge: of 1 in the file each failed, or read without an answer"},
  };
  for (const auto& row : rows) EXPECT_EQ(ErrorOf(row.text), row.error) << row.text;
}

}  // namespace
}  // namespace lockstep::history
