// Our own JSON lines: read, refused, and written so that reading gives the same.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "sim/check/history/lines.h"
#include "sim/check/history/read.h"
#include "sim/check/history/write_json.h"
#include "tests/unit/history/texts.h"
#include "tests/unit/linearizability/support.h"

namespace lockstep::history {
namespace {

constexpr char kHeader[] = "{\"format\":\"lockstep-history\",\"version\":1}\n";

TEST(ReadJson, Operations) {
  const Recorded recorded = MustRead(R"(
{"format":"lockstep-history","version":1,"model":"kv","initial":"i","note":{"by":["me"]}}
{"process":7,"op":"put","key":"a","value":12,"start":-5,"end":14,"outcome":"ok"}
{"process":7,"op":"get","key":"a","result":true,"start":14,"end":14,"outcome":"ok","note":"x"}
{"process":8,"op":"cas","key":"a","expected":"12","value":null,"start":16,"end":17,"outcome":"ok"}
{"process":8,"op":"cas","key":"a","expected":null,"value":1.50,"start":1,"end":2,"outcome":"mismatch"}
{"process":8,"op":"cas","key":"a","expected":null,"value":"c","start":1,"end":2,"outcome":"mismatch","result":null}
{"process":9,"op":"append","key_base64":"/w==","value_base64":"AP+A","start":18,"outcome":"info"}
{"process":9,"op":"delete","key":"a","start":18,"end":null,"outcome":"info"}
{"process":9,"op":"put","key":"a","value":"z","start":18,"end":20,"outcome":"fail"}
)");
  EXPECT_EQ(recorded.history.initial, Bytes::Copy("i"));
  EXPECT_EQ(recorded.dropped, 1U);
  EXPECT_FALSE(recorded.times_are_lines);
  EXPECT_EQ(Dump(recorded),
            "[-5, 14] process 7: put \"a\" = \"12\" -> ok\n"
            "[14, 14] process 7: get \"a\" -> \"true\"\n"
            "[16, 17] process 8: cas \"a\" from \"12\" to missing -> ok\n"
            "[1, 2] process 8: cas \"a\" from missing to \"1.50\" -> mismatch\n"
            "[1, 2] process 8: cas \"a\" from missing to \"c\" -> mismatch, found missing\n"
            "[18, open] process 9: append \"\\xff\" += \"\\x00\\xff\\x80\" -> unknown\n"
            "[18, open] process 9: delete \"a\" -> unknown\n");
  EXPECT_EQ(recorded.lines[1].invoked, 4U);
  EXPECT_EQ(recorded.lines[1].returned, 4U);
}

TEST(ReadJson, Events) {
  const Recorded recorded = MustRead(R"({"process":7,"type":"invoke","op":"read"}
{"process":8,"type":"invoke","op":"cas","expected":null,"value":1}
{"process":8,"type":"mismatch","op":"cas","expected":null,"value":1,"result":3}
{"process":7,"type":"ok","result":null}
{"process":7,"type":"invoke","op":"write","value":null}
{"process":7,"type":"info"}
)",
                                     As(Model::kRegister));
  EXPECT_EQ(Dump(recorded),
            "[1, 4] process 7: read -> nil\n"
            "[2, 3] process 8: cas from nil to \"1\" -> mismatch, found \"3\"\n"
            "[5, open] process 7: write nil -> unknown\n");
}

TEST(ReadJson, RefusesWithTheLine) {
  const std::string get =
      R"({"process":1,"op":"get","key":"a","start":1,"end":2,"outcome":"ok","result":"1")";
  const struct {
    std::string text;
    std::string error;
  } rows[] = {
      {"{\"process\":1",
       "1: not valid JSON at column 13: syntax error while parsing object - "
       "unexpected end of input; expected '}'"},
      {"{\"process\":1,\"op\":\"g\xFF\"}",
       "1: not valid JSON at column 21: syntax error while parsing value - invalid string: "
       "ill-formed UTF-8 byte; last read: '\"g\xFF'"},
      {get + "} {}",
       "1: not valid JSON at column 82: syntax error while parsing value - unexpected "
       "'{'; expected end of input"},
      {get + ",\"proces\":1}",
       "1: unknown field \"proces\"; what is for people alone belongs into "
       "\"note\""},
      {get + ",\"process\":1}", "1: field \"process\" is there twice"},
      {get + ",\"value\":[1]}",
       "1: field \"value\" is an array; it must be a string, a number or null"},
      {"{}", "1: neither an event (it has no \"type\") nor an operation (it has no \"outcome\")"},
      {get + ",\"version\":1}", "1: field \"version\" belongs into the header only"},
      {get + "}\n{\"process\":1,\"type\":\"ok\"}",
       "2: a file has either events (\"type\") or whole operations (\"outcome\"), not both"},
      {get + "}\n" + kHeader, "2: the header must come before all operations, and once"},
      {"{\"format\":\"other\",\"version\":1}",
       "1: the format is \"other\", not \"lockstep-history\""},
      {"{\"format\":\"lockstep-history\",\"version\":2}", "1: the version must be 1"},
      {"{\"format\":\"lockstep-history\",\"version\":1,\"model\":\"queue\"}",
       "1: unknown model \"queue\"; known are kv, register"},
      {"{\"format\":\"lockstep-history\",\"version\":1,\"key\":1}",
       "1: field \"key\" does not belong into the header"},
      {std::string(kHeader), "0: no operations: no line of the file is of a client"},
      {R"({"process":-1,"op":"get","key":"a","start":1,"outcome":"info"})",
       "1: \"process\" must be a whole number, not negative"},
      {R"({"process":1,"op":"pop","key":"a","start":1,"outcome":"info"})",
       "1: unknown \"op\" \"pop\"; known are get, read, put, write, append, delete, cas"},
      {R"({"process":1,"key":"a","start":1,"outcome":"info"})",
       "1: an invocation needs its operation"},
      {R"({"process":1,"op":"get","start":1,"outcome":"info"})", "1: a get needs a key"},
      {R"({"process":1,"op":"get","key":null,"start":1,"outcome":"info"})", "1: \"key\" is null"},
      {R"({"process":1,"op":"put","key":"a","start":1,"outcome":"info"})",
       "1: a put needs a value"},
      {R"({"process":1,"op":"get","key":"a","value":1,"start":1,"outcome":"info"})",
       "1: a get takes no value"},
      {R"({"process":1,"op":"cas","key":"a","value":1,"start":1,"outcome":"info"})",
       "1: a cas needs the expected and the new value"},
      {R"({"process":1,"op":"put","key":"a","value":1,"expected":2,"start":1,"outcome":"info"})",
       "1: only a cas expects a value, not a put"},
      {R"({"process":1,"op":"get","key":"a","start":1,"end":2,"outcome":"ok"})",
       "1: an answered get needs a result"},
      {R"({"process":1,"op":"put","key":"a","value":1,"start":1,"end":2,"outcome":"ok","result":1})",
       "1: a put that ends with ok has no result"},
      {R"({"process":1,"op":"put","key":"a","value":1,"start":1,"end":2,"outcome":"mismatch"})",
       "1: only a cas can end with mismatch, not a put"},
      {R"({"process":1,"op":"put","key":"a","value":1,"start":1,"outcome":"ok"})",
       "1: outcome ok needs an end; an operation without one has outcome info"},
      {R"({"process":1,"op":"put","key":"a","value":1,"start":3,"end":2,"outcome":"ok"})",
       "1: it ends (2) before it starts (3)"},
      {R"({"process":1,"op":"put","key":"a","value":1,"start":1.5,"end":2,"outcome":"ok"})",
       "1: \"start\" must be a whole number"},
      {R"({"process":1,"op":"put","key":"a","value":1,"start":1,"end":"x","outcome":"ok"})",
       "1: \"end\" must be a whole number or null"},
      {R"({"process":1,"op":"put","key":"a","value":1,"start":1,"end":2,"outcome":"good"})",
       "1: unknown \"outcome\" \"good\"; known are ok, mismatch, fail, info"},
      {R"({"process":1,"op":"put","key":"a","value_base64":"?","start":1,"outcome":"info"})",
       "1: \"value_base64\" is not base64"},
      {R"({"process":1,"op":"put","key":"a","value":1,"value_base64":"","start":1,"outcome":"info"})",
       "1: \"value\" and \"value_base64\" exclude each other"},
      {R"({"process":1,"type":"invoke","op":"get","key":"a","start":1})",
       "1: an event has no \"start\": its line is its time"},
      {R"({"process":1,"type":"begin","op":"get","key":"a"})",
       "1: unknown \"type\" \"begin\"; known are ok, mismatch, fail, info, invoke"},
      {R"({"process":1,"type":"invoke","op":"get","key":"a","result":1})",
       "1: an invocation has no result yet"},
      {R"({"process":1,"type":"ok"})",
       "1: a completion (ok) without an invocation: process 1 has no operation under way"},
  };
  for (const auto& row : rows) EXPECT_EQ(ErrorOf(row.text), row.error) << row.text;
}

// Reasons quote the file.
TEST(ReadHistory, TellsAReasonInOneLine) {
  const auto reason = [](const std::string& op) {
    const std::string line = "{\"process\":1,\"op\":\"" + op + "\",\"outcome\":\"ok\"}";
    return std::get<ReadError>(ReadHistory(Bytes::Copy(line))).reason;
  };
  EXPECT_EQ(reason("a\\n\\u001b").substr(0, 26), "unknown \"op\" \"a\\x0a\\x1b\"; ");
  EXPECT_LT(reason(std::string(100'000, 'x')).size(), 1100u);
  EXPECT_LT(reason(std::string(100'000, '\x7F')).size(), 1100u) << "escapes are longer";
}

// An operation is hundreds of bytes in memory, and an end of a line is one.
TEST(ReadHistory, EmptyLinesCostNoMemory) {
  EXPECT_EQ(OperationLines(std::string(160'000, '\n')), 10'001u);
  EXPECT_EQ(OperationLines("INFO 1 :invoke :read nil\nINFO 1 :ok :read nil\n"), 3u);
}

TEST(WriteJson, ReadsBackTheSame) {
  using linearizability::Operation;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    Rng rng(seed);
    linearizability::Shape shape = linearizability::RandomShape(rng, /*unique=*/false);
    shape.operations = 30;
    linearizability::History history = linearizability::Simulate(rng.Split("store"), shape);
    // Bytes that are not UTF-8, and some that need care.
    for (Operation& operation : history.operations) {
      const uint64_t dice = rng.Below(8);
      if (dice == 0) operation.key = Bytes::Copy("\xFF\x00\"");
      if (dice == 1 && operation.value.has_value())
        operation.value = linearizability::Text("\xED\xA0\x80</script>");
      if (dice == 2 && operation.value.has_value())
        operation.value = linearizability::Text("\n\"\\\xC3\xA9\x01");
    }
    const Recorded recorded = MustRead(WriteJson(history));
    ASSERT_EQ(recorded.history.initial, history.initial);
    linearizability::History plain = history;
    for (Operation& operation : plain.operations) operation.witness.reset();
    ASSERT_EQ(linearizability::Dump(recorded.history), linearizability::Dump(plain));
    ASSERT_EQ(WriteJson(recorded.history), WriteJson(history));
  }
}

TEST(WriteJson, KnowsUtf8) {
  for (const char* good : {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF"})
    EXPECT_TRUE(IsUtf8(good)) << good;
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xE2\x82", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xFF"})
    EXPECT_FALSE(IsUtf8(bad)) << bad;
}

}  // namespace
}  // namespace lockstep::history
