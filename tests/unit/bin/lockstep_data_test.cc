#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_shell.h"
#include "net/client/failure.h"
#include "tests/unit/bin/memory_api.h"
#include "tests/unit/bin/support.h"

namespace lockstep::bin {
namespace {

absl::Status Failure(absl::StatusCode code, client::Effect effect, const char* reason) {
  return client::FailureStatus(code, effect, reason, "the server says why");
}

class DataCommandsTest : public testing::Test {
 protected:
  // Runs it, and expects this exit code and this stdout.
  void Expect(int exit_code, const std::string& out, const std::vector<std::string>& arguments,
              const std::string& in = "") {
    const Ran ran = RunLockstep(cluster_, arguments, in);
    EXPECT_EQ(ran.exit_code, exit_code) << ran.err;
    EXPECT_EQ(ran.out, out) << ran.err;
    err_ = ran.err;
  }
  MemoryCluster cluster_;
  std::string err_;
};

TEST_F(DataCommandsTest, PutGetAppendDelete) {
  Expect(0, "OK\n", {"put", "a", "one"});
  Expect(0, "one\n", {"get", "a"});
  Expect(0, "one", {"get", "-n", "a"});
  Expect(0, "OK\n", {"append", "a", " two"});
  Expect(0, "one two\n", {"get", "a", "--format", "plain"});
  Expect(0, "OK\n", {"delete", "a"});
  Expect(2, "", {"get", "a"});
  EXPECT_EQ(err_, "lockstep: get: there is no key a\n");
}

TEST_F(DataCommandsTest, AnswersInJson) {
  Expect(0, "{\"ok\":true,\"version\":1,\"replayed\":false}\n", {"-f", "json", "put", "a", "b"});
  Expect(0, "{\"key\":\"a\",\"found\":true,\"value\":\"b\",\"version\":1,\"stale\":true}\n",
         {"get", "a", "--format", "json", "--consistency", "stale"});
  Expect(2, "{\"key\":\"c\",\"found\":false,\"version\":1,\"stale\":false}\n",
         {"get", "c", "--format", "json"});
}

TEST_F(DataCommandsTest, BytesOfAnyKind) {
  const std::string binary("\0\xFF\n", 3);
  const TemporaryDirectory directory;
  Expect(0, "OK\n", {"put", "a", "-"}, binary);
  EXPECT_EQ(cluster_.table["a"], binary);
  Expect(0, absl::StrCat(binary, "\n"), {"get", "a"});
  Expect(0, "AP8K\n", {"get", "a", "--base64"});
  Expect(0, "00ff0a\n", {"get", "a", "--hex"});
  Expect(0,
         "{\"key\":\"a\",\"found\":true,\"value_base64\":\"AP8K\",\"version\":1,\"stale\":false}\n",
         {"get", "a", "-f", "json"});
  Expect(0, "", {"get", "a", "-o", directory.path("out")});
  EXPECT_EQ(directory.Read("out"), binary);
  Expect(0, "OK\n", {"put", "b", absl::StrCat("@", directory.path("out"))});
  EXPECT_EQ(cluster_.table["b"], binary);
  Expect(0, "OK\n", {"put", "--in", "hex", "6b", "00ff"});
  EXPECT_EQ(cluster_.table["k"], std::string("\0\xFF", 2));
  Expect(0, "OK\n", {"put", "c", "@@home"});
  EXPECT_EQ(cluster_.table["c"], "@home");
  Expect(1, "", {"put", "--in", "hex", "6b", "0"});
  Expect(6, "", {"put", "c", "@/no/such"});
}

TEST_F(DataCommandsTest, StaleReadsAreLabelled) {
  cluster_.table = {{"a", "b"}};
  Expect(0, "b\n", {"get", "a", "--consistency", "stale"});
  EXPECT_EQ(err_, "lockstep: stale: possibly old, as was asked for\n");
  Expect(0, "a\tb\n", {"list", "--consistency", "stale"});
  EXPECT_EQ(err_, "lockstep: stale: possibly old, as was asked for\n");
  Expect(0, "b\n", {"get", "a", "--consistency", "follower"});
  EXPECT_EQ(err_, "") << "from a follower or not, it is the newest state";
}

TEST_F(DataCommandsTest, SeveralKeysAtOnce) {
  cluster_.table = {{"a", "1"}, {"c", "3\t"}};
  Expect(0, "a\t1\nc\t3\\t\n", {"get", "a", "c"});
  Expect(2, "{\"key\":\"a\",\"value\":\"1\"}\n", {"get", "a", "b", "-f", "json"});
  EXPECT_TRUE(absl::StrContains(err_, "1 of 2 keys are not there")) << err_;
}

TEST_F(DataCommandsTest, CompareAndSwap) {
  Expect(0, "OK\n", {"cas", "a", "--missing", "one"});
  Expect(2, "", {"cas", "a", "--missing", "one"});
  EXPECT_EQ(err_, "lockstep: cas: not swapped: the value is one\n");
  Expect(0, "OK\n", {"cas", "a", "one", "two"});
  Expect(2, "{\"swapped\":false,\"version\":4,\"replayed\":false,\"actual\":\"two\"}\n",
         {"cas", "a", "one", "three", "-f", "json"});
  Expect(0, "OK\n", {"cas", "a", "two", "--delete"});
  EXPECT_TRUE(cluster_.table.empty());
  Expect(2, "", {"cas", "a", "two", "three"});
  EXPECT_EQ(err_, "lockstep: cas: not swapped: there is no such key\n");
  Expect(1, "", {"cas", "a", "b"});
}

TEST_F(DataCommandsTest, ListsPageAfterPage) {
  for (int i = 0; i < 8; ++i) cluster_.table[absl::StrCat("k", i)] = absl::StrCat(i);
  cluster_.table["z"] = "\x01";
  Expect(0, "k0\t0\nk1\t1\nk2\t2\nk3\t3\nk4\t4\nk5\t5\nk6\t6\nk7\t7\n", {"list", "k"});
  Expect(0, "k2\nk3\nk4\nk5\n", {"list", "--prefix", "k", "--start", "k2", "--limit", "4", "-k"});
  Expect(0, "z\t\\x01\n", {"list", "--start", "l"});
  Expect(0, "{\"key_base64\":\"eg==\"}\n", {"list", "z", "-f", "json", "--base64", "--keys-only"});
  Expect(1, "", {"list", "--limit", "0"});
}

TEST_F(DataCommandsTest, AnErrorSaysWhatBecameOfTheCall) {
  struct Row {
    absl::Status status;
    int exit_code;
    std::string effect;
  };
  const Row rows[] = {
      {Failure(absl::StatusCode::kDeadlineExceeded, client::Effect::kUnknown, "TIMEOUT"), 4,
       "[TIMEOUT: executed or not, nobody knows]"},
      {Failure(absl::StatusCode::kResourceExhausted, client::Effect::kNone, "OVERLOADED"), 3,
       "[OVERLOADED: not executed]"},
      {Failure(absl::StatusCode::kInvalidArgument, client::Effect::kNone, "INVALID_ARGUMENT"), 3,
       "[INVALID_ARGUMENT: not executed]"},
      {absl::InternalError("without details"), 4, "[INTERNAL: executed or not, nobody knows]"},
  };
  for (const Row& row : rows) {
    cluster_.failures = {row.status};
    Expect(row.exit_code, "", {"put", "a", "b"});
    EXPECT_TRUE(absl::StartsWith(err_, "lockstep: put: ")) << err_;
    EXPECT_TRUE(absl::StrContains(err_, row.effect)) << err_;
  }
  cluster_.failures = {rows[0].status};
  Expect(4, "", {"put", "a", "b", "-f", "json"});
  EXPECT_EQ(err_,
            "{\"error\":{\"command\":\"put\",\"reason\":\"TIMEOUT\",\"effect\":\"unknown\","
            "\"message\":\"the server says why\"}}\n");
}

TEST_F(DataCommandsTest, NobodyAnswers) {
  cluster_.connected = absl::UnavailableError("no server answers: h:1");
  Expect(5, "", {"get", "a"});
  EXPECT_EQ(err_, "lockstep: no server answers: h:1\n");
}

TEST_F(DataCommandsTest, BatchesAtomicOrNot) {
  const std::string lines =
      "# a comment\n"
      "put a \"b c\"\n"
      "\n"
      "{\"op\":\"append\",\"key\":\"d\",\"value_base64\":\"AAE=\"}\n"
      "cas x \"is \\\"not\\\"\" y\n"
      "delete e\n";
  cluster_.table = {{"e", "f"}};
  Expect(2, "", {"batch", "--atomic"}, lines);
  EXPECT_TRUE(absl::StrContains(err_, "nothing was executed: the comparison of x failed")) << err_;
  EXPECT_EQ(cluster_.table.size(), 1u);
  Expect(2, "a\texecuted\nd\texecuted\nx\tconflict\ne\texecuted\n", {"batch"}, lines);
  EXPECT_EQ(cluster_.table["a"], "b c");
  EXPECT_EQ(cluster_.table["d"], std::string("\0\1", 2));
  EXPECT_EQ(cluster_.table.count("e"), 0u);
  Expect(1, "", {"batch"}, "put a\n");
  EXPECT_TRUE(absl::StartsWith(err_, "lockstep: stdin:1: \"put\" with 1 arguments is none"))
      << err_;
  Expect(1, "", {"batch"}, "put a \"b\n");
  Expect(1, "", {"batch"}, "{\"op\":\"get\",\"key\":\"a\",\"value\":\"\"}\n");
  Expect(1, "", {"batch"}, "");
  Expect(6, "", {"batch", "/no/such"});
}

TEST_F(DataCommandsTest, ExportAndImportAreEachOthersInverse) {
  const TemporaryDirectory directory;
  for (int i = 0; i < 50; ++i) {
    cluster_.table[absl::StrCat("k", i)] = absl::StrCat(i, std::string("\0\n\xFF\t\\", 5));
  }
  const std::map<std::string, std::string> before = cluster_.table;
  for (const std::string format : {"jsonl", "tsv"}) {
    const std::string file = directory.path(format);
    Expect(0, "", {"export", file, "--lines", format});
    EXPECT_TRUE(absl::StrContains(err_, "50 pairs exported")) << err_;
    cluster_.table.clear();
    Expect(0, "", {"import", file, "--lines", format});
    EXPECT_EQ(cluster_.table, before) << format;
  }
  Expect(6, "", {"export", directory.path("jsonl")});
  EXPECT_TRUE(absl::StrContains(err_, "is there already")) << err_;
}

TEST_F(DataCommandsTest, AnExportThatGotNothingLeavesNothing) {
  const TemporaryDirectory directory;
  cluster_.table["a"] = "1";
  cluster_.failures = {
      Failure(absl::StatusCode::kDeadlineExceeded, client::Effect::kNone, "TIMEOUT")};
  Expect(3, "", {"export", directory.path("file")});
  Expect(0, "", {"export", directory.path("file")});
}

TEST_F(DataCommandsTest, AnExportGoesOnBehindItsLastWholeLine) {
  const TemporaryDirectory directory;
  for (int i = 0; i < 10; ++i) cluster_.table[absl::StrCat("k", i)] = absl::StrCat(i);
  Expect(0, "", {"export", directory.path("whole")});
  const std::string whole = directory.Read("whole");
  directory.Write("part", whole.substr(0, whole.size() / 2));
  Expect(0, "", {"export", directory.path("part"), "--resume"});
  EXPECT_EQ(directory.Read("part"), whole);
}

TEST_F(DataCommandsTest, AnImportRepeatsWhatIsNotThereYet) {
  std::string lines;
  for (int i = 0; i < 20; ++i) absl::StrAppend(&lines, "k", i, "\t", i, "\n");
  cluster_.failures = {
      Failure(absl::StatusCode::kUnavailable, client::Effect::kNone, "NOT_LEADER"),
      Failure(absl::StatusCode::kDeadlineExceeded, client::Effect::kUnknown, "TIMEOUT"),
      absl::OkStatus()};
  Expect(0, "", {"import", "--lines", "tsv", "--outstanding", "1"}, lines);
  EXPECT_EQ(cluster_.table.size(), 20u);
  EXPECT_EQ(cluster_.batches, 3u);
}

TEST_F(DataCommandsTest, TheLaterOfTwoLinesWithOneKeyWins) {
  std::string lines;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&lines, "k", i % 7, "\t", i, "\n");
  Expect(0, "", {"import", "--lines", "tsv"}, lines);
  ASSERT_EQ(cluster_.table.size(), 7u);
  for (int i = 293; i < 300; ++i) {
    EXPECT_EQ(cluster_.table[absl::StrCat("k", i % 7)], absl::StrCat(i));
  }
}

TEST_F(DataCommandsTest, AnImportThatStopsCanBeResumed) {
  const TemporaryDirectory directory;
  std::string lines;
  for (int i = 0; i < 2'000; ++i) absl::StrAppend(&lines, "k", i, "\t", i, "\n");
  const std::string file = directory.Write("in", lines);
  // The second batch is refused for good.
  cluster_.failures = {absl::OkStatus(), Failure(absl::StatusCode::kInvalidArgument,
                                                 client::Effect::kNone, "INVALID_ARGUMENT")};
  Expect(3, "", {"import", file, "--lines", "tsv", "--outstanding", "1"});
  EXPECT_TRUE(absl::StrContains(err_, "import --resume goes on")) << err_;
  EXPECT_EQ(cluster_.table.size(), 500u);
  Expect(0, "", {"import", file, "--lines", "tsv", "--resume"});
  EXPECT_TRUE(absl::StrContains(err_, "1500 pairs imported")) << err_;
  EXPECT_EQ(cluster_.table.size(), 2'000u);
  EXPECT_EQ(directory.Read("in.progress"), "");
}

TEST_F(DataCommandsTest, AnImportNamesTheLineThatIsWrong) {
  Expect(1, "", {"import"}, "{\"key\":\"a\",\"value\":\"b\"}\n{\"key\":\"a\"}\n");
  EXPECT_TRUE(absl::StrContains(err_, "-:2: the line \"value\" is missing")) << err_;
  EXPECT_EQ(cluster_.table["a"], "b");
}

}  // namespace
}  // namespace lockstep::bin
