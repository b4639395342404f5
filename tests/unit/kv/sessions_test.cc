// Exactly-once: duplicates, stale sequences, unknown and expired sessions, bounded replies.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/kv/memory_table.h"

namespace lockstep::kv {
namespace {

std::string Value(const Replica& replica, absl::string_view key) {
  const proto::Result result = replica.Query(MakeGet(key));
  return result.has_value() ? result.value() : "(missing)";
}

TEST(Sessions, ADuplicateGetsTheFirstReplyAndChangesNothing) {
  Replica replica;
  const SessionId session = replica.Register();
  EXPECT_EQ(session.value(), 1u) << "the index of its entry";
  const proto::Command append = InSession(MakeAppend("k", "x"), session, 1, 1);
  const proto::Result first = replica.Apply(append);
  EXPECT_EQ(first.index(), 2u);
  EXPECT_FALSE(first.replayed());
  for (int i = 0; i < 3; ++i) {
    const proto::Result again = replica.Apply(append);
    EXPECT_EQ(again.code(), proto::OK);
    EXPECT_TRUE(again.replayed());
    EXPECT_EQ(again.index(), 2u);
    replica.Reload();
  }
  EXPECT_EQ(Value(replica, "k"), "x");
}

TEST(Sessions, AReplayedConflictShowsTheValueOfThen) {
  Replica replica;
  const SessionId session = replica.Register();
  replica.Apply(InSession(MakePut("k", "then"), session, 1, 1));
  const proto::Command swap = InSession(MakeCompareAndSwap("k", "x", "y"), session, 2, 1);
  EXPECT_EQ(replica.Apply(swap).value(), "then");
  replica.Apply(InSession(MakePut("k", "x"), session, 3, 1));
  const proto::Result again = replica.Apply(swap);  // would succeed if it ran again
  EXPECT_EQ(again.code(), proto::CONFLICT);
  EXPECT_EQ(again.value(), "then");
  EXPECT_EQ(Value(replica, "k"), "x");
}

TEST(Sessions, SequencesMayComeInAnyOrderInsideTheWindow) {
  KvOptions options;
  options.limits.session_window_max = 3;
  Replica replica(options);
  const SessionId session = replica.Register();
  for (const uint64_t sequence : {3u, 1u, 2u}) {
    const std::string text = std::to_string(sequence);
    EXPECT_EQ(replica.Apply(InSession(MakeAppend("k", text), session, sequence, 1)).code(),
              proto::OK);
  }
  EXPECT_EQ(Value(replica, "k"), "312");
  EXPECT_TRUE(replica.Apply(InSession(MakeAppend("k", "1"), session, 1, 1)).replayed());
  EXPECT_EQ(replica.Apply(InSession(MakeAppend("k", "4"), session, 4, 1)).code(),
            proto::INVALID_ARGUMENT);
  EXPECT_EQ(replica.Apply(InSession(MakeAppend("k", "4"), session, 4, 2)).code(), proto::OK);
  EXPECT_EQ(Value(replica, "k"), "3124");
}

TEST(Sessions, BelowTheMarkIsStaleWhetherExecutedOrNot) {
  Replica replica;
  const SessionId session = replica.Register();
  replica.Apply(InSession(MakeAppend("k", "a"), session, 1, 1));
  replica.Apply(InSession(MakeAppend("k", "c"), session, 3, 3));
  for (const uint64_t sequence : {1u, 2u}) {
    const auto result = replica.Apply(InSession(MakeAppend("k", "x"), session, sequence, 1));
    EXPECT_EQ(result.code(), proto::SEQUENCE_STALE);
    EXPECT_EQ(result.index(), 0u);
  }
  // A smaller mark in a later command does not take the announcement back.
  EXPECT_EQ(replica.Apply(InSession(MakeAppend("k", "d"), session, 4, 1)).code(), proto::OK);
  replica.Reload();
  EXPECT_EQ(replica.Apply(InSession(MakeAppend("k", "x"), session, 2, 1)).code(),
            proto::SEQUENCE_STALE);
  EXPECT_EQ(Value(replica, "k"), "acd");
}

TEST(Sessions, UnknownIsRefusedNeverNew) {
  Replica replica;
  const SessionId session = replica.Register();
  const auto dump = replica.dump();
  for (const uint64_t id : {2u, 99u}) {
    const auto result = replica.Apply(InSession(MakePut("k", "v"), SessionId(id), 1, 1));
    EXPECT_EQ(result.code(), proto::SESSION_UNKNOWN);
  }
  EXPECT_EQ(replica.dump(), dump);
  EXPECT_EQ(replica.Apply(InSession(MakePut("k", "v"), session, 1, 1)).code(), proto::OK);
  EXPECT_EQ(replica.Apply(MakeCloseSession(session)).code(), proto::OK);
  EXPECT_EQ(replica.Apply(MakeCloseSession(session)).code(), proto::SESSION_UNKNOWN);
  EXPECT_EQ(replica.Apply(InSession(MakePut("k", "w"), session, 1, 1)).code(),
            proto::SESSION_UNKNOWN);
  EXPECT_EQ(Value(replica, "k"), "v");
  EXPECT_EQ(replica.dump().size(), 1u) << "a closed session leaves nothing behind";
}

TEST(Sessions, TheLeastRecentlyUsedExpires) {
  for (const bool reload : {false, true}) {
    KvOptions options;
    options.sessions_max = 2;
    Replica replica(options);
    const SessionId a = replica.Register();
    const SessionId b = replica.Register();
    replica.Apply(InSession(MakePut("k", "a"), a, 1, 1));
    // Neither duplicates nor refusals count as use.
    replica.Apply(InSession(MakePut("k", "b"), b, 1, 1));
    replica.Apply(InSession(MakePut("k", "a"), a, 2, 2));
    replica.Apply(InSession(MakePut("k", "b"), b, 1, 1));
    if (reload) replica.Reload();
    const SessionId c = replica.Register();
    EXPECT_EQ(replica.machine().sessions(), 2u);
    EXPECT_EQ(replica.Apply(InSession(MakePut("k", "x"), b, 2, 2)).code(), proto::SESSION_UNKNOWN);
    EXPECT_EQ(replica.Apply(InSession(MakePut("k", "x"), a, 3, 3)).code(), proto::OK);
    EXPECT_EQ(replica.Apply(InSession(MakePut("k", "x"), c, 1, 1)).code(), proto::OK);
    // One pair; two sessions with a record and one reply each.
    EXPECT_EQ(replica.dump().size(), 5u);
  }
}

TEST(Sessions, OneOutstandingCommandRewritesOneRecord) {
  Replica replica;
  const SessionId session = replica.Register();
  for (uint64_t i = 1; i <= 1000; ++i) replica.Apply(InSession(MakePut("k", "v"), session, i, i));
  EXPECT_EQ(replica.dump().size(), 3u);
  for (const auto& [key, value] : replica.dump()) EXPECT_LE(key.size() + value.size(), 25u);
}

TEST(Sessions, LargeValuesAreNotKeptButTheReplySaysSo) {
  KvOptions options;
  options.session_value_bytes_max = 4;
  options.session_reply_bytes_max = 6;
  Replica replica(options);
  const SessionId session = replica.Register();
  replica.Apply(InSession(MakePut("four", "4444"), session, 1, 1));
  replica.Apply(InSession(MakePut("five", "55555"), session, 2, 2));
  const proto::Command five = InSession(MakeCompareAndSwap("five", "x", "y"), session, 3, 3);
  const proto::Command four = InSession(MakeCompareAndSwap("four", "x", "y"), session, 4, 3);
  const proto::Command more = InSession(MakeCompareAndSwap("four", "x", "y"), session, 5, 3);
  const proto::Command none = InSession(MakeCompareAndSwap("none", "x", "y"), session, 6, 3);
  EXPECT_EQ(replica.Apply(five).value(), "55555");
  EXPECT_EQ(replica.Apply(four).value(), "4444");
  EXPECT_EQ(replica.Apply(more).value(), "4444");
  EXPECT_FALSE(replica.Apply(none).has_value());
  for (int i = 0; i < 2; ++i, replica.Reload()) {
    proto::Result result = replica.Apply(five);
    EXPECT_EQ(result.code(), proto::CONFLICT);
    EXPECT_TRUE(result.replayed());
    EXPECT_FALSE(result.has_value());
    EXPECT_TRUE(result.value_omitted()) << "larger than one reply may be";
    result = replica.Apply(four);
    EXPECT_EQ(result.value(), "4444");
    EXPECT_FALSE(result.value_omitted());
    EXPECT_TRUE(replica.Apply(more).value_omitted()) << "the session's replies are full";
    EXPECT_FALSE(replica.Apply(none).value_omitted()) << "missing is not omitted";
  }
  // Forgotten replies give their place back.
  replica.Apply(InSession(MakePut("x", ""), session, 7, 7));
  const proto::Command later = InSession(MakeCompareAndSwap("four", "x", "y"), session, 8, 8);
  replica.Apply(later);
  EXPECT_EQ(replica.Apply(later).value(), "4444");
}

TEST(Sessions, TooLargeIsKeptAsTheReply) {
  KvOptions options;
  options.limits.value_bytes_max = 4;
  Replica replica(options);
  const SessionId session = replica.Register();
  replica.Apply(InSession(MakePut("k", "123"), session, 1, 1));
  const proto::Command append = InSession(MakeAppend("k", "45"), session, 2, 1);
  const proto::Result first = replica.Apply(append);
  EXPECT_EQ(first.code(), proto::TOO_LARGE);
  EXPECT_EQ(first.index(), 3u);
  EXPECT_EQ(first.message(),
            "the value would have grown to 5 bytes, which exceeds value_bytes_max (4 bytes); "
            "nothing was changed: go on under another key");
  replica.Apply(InSession(MakePut("k", ""), session, 3, 1));
  const proto::Result again = replica.Apply(append);  // would fit if it ran again
  EXPECT_EQ(again.code(), proto::TOO_LARGE);
  EXPECT_EQ(again.message(), first.message());
  EXPECT_EQ(Value(replica, "k"), "");
}

}  // namespace
}  // namespace lockstep::kv
