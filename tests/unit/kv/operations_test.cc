// Each operation by a table of rows, with every edge: missing against empty, arbitrary bytes,
// limits.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/kv/command.h"
#include "tests/unit/kv/memory_table.h"

namespace lockstep::kv {
namespace {

using Value = std::optional<std::string>;

const std::string kBinary("\0\xff\x80 d", 5);

Value Read(const Replica& replica, absl::string_view key) {
  const proto::Result result = replica.Query(MakeGet(key));
  EXPECT_EQ(result.code(), proto::OK);
  EXPECT_EQ(result.index(), replica.index().value());
  return result.has_value() ? Value(result.value()) : std::nullopt;
}

std::optional<absl::string_view> View(const Value& value) {
  return value.has_value() ? std::optional<absl::string_view>(*value) : std::nullopt;
}

struct Row {
  const char* name;
  Value before;
  proto::Command command;
  proto::Code code;
  Value answer;  // the value in the reply
  Value after;
};

TEST(Operations, Table) {
  KvOptions options;
  options.limits.value_bytes_max = 8;
  const std::vector<Row> rows = {
      {"put new", {}, MakePut("k", "v"), proto::OK, {}, "v"},
      {"put over", "old", MakePut("k", "v"), proto::OK, {}, "v"},
      {"put empty", "old", MakePut("k", ""), proto::OK, {}, ""},
      {"put bytes", {}, MakePut("k", kBinary), proto::OK, {}, kBinary},
      {"put largest", {}, MakePut("k", "12345678"), proto::OK, {}, "12345678"},
      {"put too large", "old", MakePut("k", "123456789"), proto::TOO_LARGE, {}, "old"},
      {"append to missing", {}, MakeAppend("k", "v"), proto::OK, {}, "v"},
      {"append to empty", "", MakeAppend("k", "v"), proto::OK, {}, "v"},
      {"append", "a", MakeAppend("k", "b"), proto::OK, {}, "ab"},
      {"append nothing to missing", {}, MakeAppend("k", ""), proto::OK, {}, ""},
      {"append to the limit", "1234", MakeAppend("k", "5678"), proto::OK, {}, "12345678"},
      {"append past it", "1234", MakeAppend("k", "56789"), proto::TOO_LARGE, {}, "1234"},
      {"delete", "v", MakeDelete("k"), proto::OK, {}, {}},
      {"delete missing", {}, MakeDelete("k"), proto::OK, {}, {}},
      {"cas", "a", MakeCompareAndSwap("k", "a", "b"), proto::OK, {}, "b"},
      {"cas wrong", "a", MakeCompareAndSwap("k", "x", "b"), proto::CONFLICT, "a", "a"},
      {"cas of missing", {}, MakeCompareAndSwap("k", "x", "b"), proto::CONFLICT, {}, {}},
      {"cas create", {}, MakeCompareAndSwap("k", {}, "b"), proto::OK, {}, "b"},
      {"cas create, exists", "a", MakeCompareAndSwap("k", {}, "b"), proto::CONFLICT, "a", "a"},
      {"cas create, empty", "", MakeCompareAndSwap("k", {}, "b"), proto::CONFLICT, "", ""},
      {"cas empty is no missing", {}, MakeCompareAndSwap("k", "", "b"), proto::CONFLICT, {}, {}},
      {"cas empty", "", MakeCompareAndSwap("k", "", "b"), proto::OK, {}, "b"},
      {"cas to empty", "a", MakeCompareAndSwap("k", "a", ""), proto::OK, {}, ""},
      {"cas delete", "a", MakeCompareAndSwap("k", "a", {}), proto::OK, {}, {}},
      {"cas delete wrong", "a", MakeCompareAndSwap("k", "b", {}), proto::CONFLICT, "a", "a"},
      {"cas missing to missing", {}, MakeCompareAndSwap("k", {}, {}), proto::OK, {}, {}},
  };
  for (const Row& row : rows) {
    Replica replica(options);
    const SessionId session = replica.Register();
    if (row.before.has_value()) {
      replica.Apply(InSession(MakePut("k", *View(row.before)), session, 1, 1));
    }
    const proto::Command command = InSession(row.command, session, 2, 2);
    const proto::Result result = replica.Apply(command);
    EXPECT_EQ(result.code(), row.code) << row.name;
    EXPECT_FALSE(result.replayed()) << row.name;
    EXPECT_EQ(result.has_value() ? Value(result.value()) : std::nullopt, row.answer) << row.name;
    EXPECT_EQ(Read(replica, "k"), row.after) << row.name;

    // What was kept as a reply is repeated word for word.
    if (result.index() == 0) continue;
    const auto dump = replica.dump();
    proto::Result again = replica.Apply(command);
    EXPECT_TRUE(again.replayed()) << row.name;
    again.set_replayed(false);
    EXPECT_EQ(again.SerializeAsString(), result.SerializeAsString()) << row.name;
    EXPECT_EQ(replica.dump(), dump) << row.name;
  }
}

TEST(Operations, KeysAreArbitraryBytesAndOfOneToMaxLength) {
  KvOptions options;
  options.limits.key_bytes_max = 5;
  Replica replica(options);
  const SessionId session = replica.Register();
  uint64_t sequence = 0;
  for (const std::string& key :
       {kBinary, std::string(1, '\0'), std::string("s"), std::string("d")}) {
    ++sequence;
    replica.Apply(InSession(MakePut(key, key), session, sequence, sequence));
  }
  EXPECT_EQ(Read(replica, kBinary), kBinary);
  EXPECT_EQ(Read(replica, absl::string_view("\0", 1)), std::string(1, '\0'));
  EXPECT_EQ(Read(replica, "s"), "s");
  EXPECT_EQ(Read(replica, "x"), std::nullopt);

  proto::Result result = replica.Apply(InSession(MakePut("", "v"), session, 9, 9));
  EXPECT_EQ(result.code(), proto::INVALID_ARGUMENT);
  EXPECT_EQ(result.message(), "the key is empty: give a key of 1 to 5 bytes");
  result = replica.Apply(InSession(MakeDelete("123456"), session, 9, 9));
  EXPECT_EQ(result.code(), proto::TOO_LARGE);
  EXPECT_EQ(result.message(),
            "the key of 6 bytes exceeds key_bytes_max (5 bytes): use a shorter key");
  EXPECT_EQ(replica.Query(MakeGet("")).code(), proto::INVALID_ARGUMENT);
  EXPECT_EQ(replica.Query(MakeGet("123456")).code(), proto::TOO_LARGE);
}

TEST(Validate, Commands) {
  KvLimits limits;
  limits.session_window_max = 4;
  limits.value_bytes_max = 2;
  const SessionId s(7);
  struct {
    const char* name;
    proto::Command command;
    absl::StatusCode want;
  } const rows[] = {
      {"nothing", {}, absl::StatusCode::kInvalidArgument},
      {"good", InSession(MakePut("k", "v"), s, 1, 1), absl::StatusCode::kOk},
      {"no session", InSession(MakePut("k", "v"), SessionId(), 1, 1),
       absl::StatusCode::kInvalidArgument},
      {"no sequence", InSession(MakePut("k", "v"), s, 0, 0), absl::StatusCode::kInvalidArgument},
      {"no mark", InSession(MakePut("k", "v"), s, 1, 0), absl::StatusCode::kInvalidArgument},
      {"mark ahead", InSession(MakePut("k", "v"), s, 1, 2), absl::StatusCode::kInvalidArgument},
      {"last in window", InSession(MakePut("k", "v"), s, 4, 1), absl::StatusCode::kOk},
      {"past window", InSession(MakePut("k", "v"), s, 5, 1), absl::StatusCode::kInvalidArgument},
      {"huge", InSession(MakePut("k", "v"), s, UINT64_MAX, UINT64_MAX), absl::StatusCode::kOk},
      {"value", InSession(MakePut("k", "vvv"), s, 1, 1), absl::StatusCode::kOutOfRange},
      {"appended", InSession(MakeAppend("k", "vvv"), s, 1, 1), absl::StatusCode::kOutOfRange},
      {"expected", InSession(MakeCompareAndSwap("k", "vvv", "v"), s, 1, 1),
       absl::StatusCode::kOutOfRange},
      {"swapped", InSession(MakeCompareAndSwap("k", "v", "vvv"), s, 1, 1),
       absl::StatusCode::kOutOfRange},
      {"register", MakeRegisterSession(1), absl::StatusCode::kOk},
      {"register in session", InSession(MakeRegisterSession(1), s, 0, 0),
       absl::StatusCode::kInvalidArgument},
      {"register with place", InSession(MakeRegisterSession(1), SessionId(), 1, 1),
       absl::StatusCode::kInvalidArgument},
      {"close", MakeCloseSession(s), absl::StatusCode::kOk},
      {"close nothing", MakeCloseSession(SessionId()), absl::StatusCode::kInvalidArgument},
      {"close with place", InSession(MakeCloseSession(s), s, 1, 1),
       absl::StatusCode::kInvalidArgument},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ValidateCommand(row.command, limits).code(), row.want) << row.name;
  }
}

}  // namespace
}  // namespace lockstep::kv
