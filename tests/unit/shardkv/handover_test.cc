// The way of a shard from group to group, step by step: what is served when, what late and repeated
// steps do, and what is left.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/unit/shardkv/group.h"

namespace lockstep::shardkv {
namespace {

constexpr uint32_t kMoved = 1;

// Group 1 owns everything, and has a key in each shard; then kMoved goes to group 2.
struct Move {
  explicit Move(const ShardOptions& options = {}) : one(1, options), two(2, options) {
    Change first(1);
    for (uint32_t shard = 0; shard < kShards; ++shard) first.Begins(shard);
    first.In(one);
    Change(1).In(two);
    session = std::make_unique<Session>(one, kMoved);
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      if (shard == kMoved) continue;
      Session(one, shard).Do(one, kv::MakePut(KeyOf(shard), "here"));
    }
    session->Do(one, kv::MakePut(KeyOf(kMoved), "1"));
  }
  void Reconfigure() {
    EXPECT_EQ(Change(2).Loses(kMoved, two).In(one).code(), proto::OK);
    EXPECT_EQ(Change(2).Gains(kMoved, one).In(two).code(), proto::OK);
  }

  Group one;
  Group two;
  std::unique_ptr<Session> session;
};

TEST(Handover, OnlyTheMovedShardStops) {
  Move move;
  move.Reconfigure();
  EXPECT_EQ(move.one.StateOf(kMoved, 1), proto::SHARD_FROZEN);
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_PULLING);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    const proto::Result read = move.one.Get(KeyOf(shard));
    EXPECT_EQ(read.code(), shard == kMoved ? proto::WRONG_GROUP : proto::OK);
    EXPECT_EQ(read.code() == proto::OK, read.has_value());
  }
  const proto::Result refused = move.two.Get(KeyOf(kMoved));
  EXPECT_EQ(refused.code(), proto::WRONG_GROUP);
  EXPECT_EQ(refused.configuration_num(), 2u);
  EXPECT_EQ(refused.message(),
            "shard 1 is still arriving at this group as of configuration 2: try again soon");
}

TEST(Handover, AWriteThatComesTooLateChangesNothing) {
  Move move;
  const proto::Command late = move.session->Next(kv::MakeAppend(KeyOf(kMoved), "2"));
  move.Reconfigure();
  const auto before = move.one.dump();
  EXPECT_EQ(move.one.Client(late, kMoved).code(), proto::WRONG_GROUP);
  EXPECT_EQ(move.one.dump(), before) << "neither data nor session";
  Pull(move.one, move.two, kMoved, 2, 2);
  EXPECT_EQ(move.two.Client(late, kMoved).code(), proto::OK)
      << "the same sequence, at the new owner";
  EXPECT_EQ(move.two.Get(KeyOf(kMoved)).value(), "12");
}

TEST(Handover, SessionsComeAlong) {
  Move move;
  const proto::Command append = move.session->Next(kv::MakeAppend(KeyOf(kMoved), "2"));
  const proto::Result first = move.one.Client(append, kMoved);
  move.Reconfigure();
  Pull(move.one, move.two, kMoved, 2, 2);
  move.two.Reload();
  const proto::Result again = move.two.Client(append, kMoved);
  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(again.index(), first.index());
  EXPECT_EQ(move.two.Get(KeyOf(kMoved)).value(), "12");
}

// The destination's log may be far shorter than the source's, or far longer.
TEST(Handover, VersionsNeverGoBack) {
  for (const uint64_t idle_one : {0u, 1000u}) {
    for (const uint64_t idle_two : {0u, 1000u}) {
      Move move;
      move.one.Idle(idle_one);
      move.two.Idle(idle_two);
      const proto::Result before = move.session->Do(move.one, kv::MakePut(KeyOf(kMoved), "2"));
      move.Reconfigure();
      Pull(move.one, move.two, kMoved, 2, 2);
      EXPECT_GT(move.two.Get(KeyOf(kMoved)).index(), before.index());
      const Session other(move.two, kMoved);
      EXPECT_GT(other.id(), move.session->id());
      const proto::Result after = move.session->Do(move.two, kv::MakePut(KeyOf(kMoved), "3"));
      EXPECT_EQ(after.code(), proto::OK);
      EXPECT_GT(after.index(), before.index());
    }
  }
}

TEST(Handover, AfterwardsNothingIsLeftAtTheSource) {
  ShardOptions options;
  options.sweep_records_max = 2;
  Move move(options);
  for (int i = 0; i < 20; ++i) {
    move.session->Do(move.one, kv::MakePut(KeyOf(kMoved, absl::StrCat("k", i, "-")), "v"));
  }
  const size_t before = move.one.Records();
  move.Reconfigure();
  Pull(move.one, move.two, kMoved, 2, 2);
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_SERVING_GC);
  Settle(move.one, move.two, kMoved, 2, 2);
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_SERVING);
  EXPECT_EQ(move.one.StateOf(kMoved, 1), proto::SHARD_NONE);
  // 21 pairs, a session and its one reply, and two records of the tenure.
  EXPECT_EQ(move.one.Records(), before - 21 - 2 - 2);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(move.one.Get(KeyOf(shard)).value(), shard == kMoved ? "" : "here");
  }
}

TEST(Handover, PartsAreInstalledOnceAndInOrder) {
  Move move;
  for (int i = 0; i < 10; ++i) {
    move.session->Do(move.one, kv::MakePut(KeyOf(kMoved, absl::StrCat("k", i, "-")), "value"));
  }
  move.Reconfigure();
  const proto::TenurePart first = ReadPart(move.one, kMoved, 2, "", 20).part();
  ASSERT_FALSE(first.has_summary());
  const proto::TenurePart second = ReadPart(move.one, kMoved, 2, first.resume(), 20).part();
  const auto code = [&](uint64_t num, uint64_t sequence, const proto::TenurePart& part) {
    return move.two.Internal(MakeInstall(kMoved, num, sequence, part)).code();
  };
  EXPECT_EQ(code(2, 2, second), proto::FAILED_PRECONDITION) << "too early";
  EXPECT_EQ(code(3, 1, first), proto::FAILED_PRECONDITION) << "of another configuration";
  proto::TenurePart damaged = first;
  damaged.mutable_records(0)->mutable_value()->push_back('x');
  EXPECT_EQ(code(2, 1, damaged), proto::FAILED_PRECONDITION);
  EXPECT_EQ(move.two.At(kMoved, 2).counts, Counts());
  EXPECT_EQ(code(2, 1, first), proto::OK);
  const auto after_first = move.two.dump();
  EXPECT_EQ(code(2, 1, first), proto::FAILED_PRECONDITION) << "once";
  EXPECT_EQ(move.two.dump(), after_first);
  move.two.Reload();  // Another leader goes on.
  EXPECT_GT(Pull(move.one, move.two, kMoved, 2, 2, 20), 3);
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_SERVING_GC);
  EXPECT_EQ(move.two.At(kMoved, 2).counts, move.one.At(kMoved, 1).counts);
  EXPECT_EQ(code(2, move.two.At(kMoved, 2).next_sequence, first), proto::FAILED_PRECONDITION);
}

// Better no answer than a wrong one.
TEST(Handover, AShardThatArrivedOtherwiseIsNotServed) {
  Move move;
  move.Reconfigure();
  proto::TenurePart part = ReadPart(move.one, kMoved, 2, "", 1 << 20).part();
  ASSERT_TRUE(part.has_summary());
  part.mutable_records()->RemoveLast();
  part.set_checksum(ChecksumOf(part));
  const proto::Result result = move.two.Internal(MakeInstall(kMoved, 2, 1, part));
  EXPECT_EQ(result.code(), proto::FAILED_PRECONDITION);
  EXPECT_EQ(move.two.Get(KeyOf(kMoved)).code(), proto::WRONG_GROUP);
  // What is fetched again makes it whole.
  Pull(move.one, move.two, kMoved, 2, 2);
  EXPECT_EQ(move.two.Get(KeyOf(kMoved)).value(), "1");
}

TEST(Handover, TheSourceIsAskedTooEarlyOrTooLate) {
  Move move;
  EXPECT_EQ(ReadPart(move.one, kMoved, 2, "", 100).code(), proto::FAILED_PRECONDITION);
  EXPECT_EQ(move.one.Internal(MakeDrop(kMoved, 2)).code(), proto::FAILED_PRECONDITION);
  move.Reconfigure();
  Pull(move.one, move.two, kMoved, 2, 2);
  Settle(move.one, move.two, kMoved, 2, 2);
  EXPECT_EQ(ReadPart(move.one, kMoved, 2, "", 100).code(), proto::NOT_FOUND);
  EXPECT_EQ(move.one.Internal(MakeDrop(kMoved, 2)).code(), proto::OK) << "it has been dropped";
  EXPECT_EQ(move.two.Internal(MakeFinish(kMoved, 2)).code(), proto::FAILED_PRECONDITION);
  EXPECT_EQ(move.two.Internal(MakeDrop(kMoved, 3)).code(), proto::FAILED_PRECONDITION);
}

// A repeated confirmation of an earlier hand-over must not delete what a later one still needs.
TEST(Handover, AnOldConfirmationDeletesNothingNew) {
  Move move;
  move.Reconfigure();
  Pull(move.one, move.two, kMoved, 2, 2);
  Settle(move.one, move.two, kMoved, 2, 2);
  // Back to group 1, and away again.
  Change(3).Gains(kMoved, move.two).In(move.one);
  Change(3).Loses(kMoved, move.one).In(move.two);
  Pull(move.two, move.one, kMoved, 3, 3);
  Change(4).Loses(kMoved, move.two).In(move.one);
  EXPECT_EQ(move.one.StateOf(kMoved, 3), proto::SHARD_FROZEN);
  EXPECT_EQ(move.one.Internal(MakeDrop(kMoved, 2)).code(), proto::OK);
  EXPECT_EQ(move.one.StateOf(kMoved, 3), proto::SHARD_FROZEN);
}

// No configuration has the number 0, and a tenure that goes on has ended in none. Whoever asks for
// the end of one in configuration 0 must not be taken to mean it.
TEST(Handover, WhatGoesOnHasNotEndedInConfigurationZero) {
  Move move;
  EXPECT_EQ(move.one.Internal(MakeDrop(kMoved, 0)).code(), proto::FAILED_PRECONDITION);
  EXPECT_EQ(ReadPart(move.one, kMoved, 0, "", 100).code(), proto::NOT_FOUND);
  EXPECT_EQ(move.one.StateOf(kMoved, 1), proto::SHARD_SERVING);
}

// Group 3 gives shard 1 to group 2 and is dead; group 2 goes on with later configurations, and the
// shard waits alone. When it has come at last, it goes straight to where it has been lost to.
TEST(Handover, ADeadSourceStallsItsOwnShardOnly) {
  Move move;
  move.Reconfigure();
  Group three(3);
  Change(2).In(three);
  EXPECT_EQ(Change(3).Loses(kMoved, three).Gains(0, move.one).In(move.two).code(), proto::OK);
  EXPECT_EQ(Change(3).Loses(0, move.two).In(move.one).code(), proto::OK);
  EXPECT_EQ(Change(3).Joined(3).Gains(kMoved, move.two).In(three).code(), proto::OK);
  Pull(move.one, move.two, 0, 3, 3);
  EXPECT_EQ(move.two.Get(KeyOf(0)).value(), "here");
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_PULLING);
  EXPECT_EQ(ReadPart(move.two, kMoved, 3, "", 100).code(), proto::FAILED_PRECONDITION);
  move.two.Reload();
  Pull(move.one, move.two, kMoved, 2, 2);
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_FROZEN) << "never served in between";
  EXPECT_EQ(move.two.Get(KeyOf(kMoved)).code(), proto::WRONG_GROUP);
  Pull(move.two, three, kMoved, 3, 3);
  EXPECT_EQ(three.Get(KeyOf(kMoved)).value(), "1");
  Settle(move.one, move.two, kMoved, 2, 2);
  Settle(move.two, three, kMoved, 3, 3);
  EXPECT_EQ(move.one.StateOf(kMoved, 1), proto::SHARD_NONE);
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_NONE);
  EXPECT_EQ(three.StateOf(kMoved, 3), proto::SHARD_SERVING);
}

// The shard comes back before anybody has fetched it: two tenures of one shard, one chain.
TEST(Handover, AShardMayComeBackWhileItsOldCopyIsStillWaitedFor) {
  Move move;
  move.Reconfigure();
  EXPECT_EQ(Change(3).Gains(kMoved, move.two).In(move.one).code(), proto::OK);
  EXPECT_EQ(Change(3).Loses(kMoved, move.one).In(move.two).code(), proto::OK);
  EXPECT_EQ(move.one.StateOf(kMoved, 1), proto::SHARD_FROZEN);
  EXPECT_EQ(move.one.StateOf(kMoved, 3), proto::SHARD_PULLING);
  Pull(move.one, move.two, kMoved, 2, 2);
  Pull(move.two, move.one, kMoved, 3, 3);
  EXPECT_EQ(move.session->Do(move.one, kv::MakeAppend(KeyOf(kMoved), "2")).code(), proto::OK);
  Settle(move.one, move.two, kMoved, 2, 2);
  Settle(move.two, move.one, kMoved, 3, 3);
  EXPECT_EQ(move.one.Get(KeyOf(kMoved)).value(), "12");
  EXPECT_EQ(move.one.machine().tenures().size(), size_t{kShards});
}

// All groups left, by force; another one joins, and the last owner still has everything.
TEST(Handover, DataOutlivesATimeWithoutOwners) {
  Move move;
  Change last(2, /*member=*/false);
  for (uint32_t shard = 0; shard < kShards; ++shard) last.Loses(shard, Group(0));
  EXPECT_EQ(last.In(move.one).code(), proto::OK);
  EXPECT_EQ(move.one.Get(KeyOf(0)).code(), proto::WRONG_GROUP);
  Change first(3);
  first.Joined(3);
  for (uint32_t shard = 0; shard < kShards; ++shard) first.Gains(shard, move.one, /*ended=*/2);
  Group three(3);
  EXPECT_EQ(first.In(three).code(), proto::OK);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    Pull(move.one, three, shard, 3, 2);
    Settle(move.one, three, shard, 3, 2);
    EXPECT_EQ(three.Get(KeyOf(shard)).value(), shard == kMoved ? "1" : "here");
  }
  EXPECT_EQ(move.one.Records(), 0u);
}

TEST(Reconfigure, OnlyWhatFollows) {
  const auto code = [](const Change& change, Group& group) { return change.In(group).code(); };
  Move move;
  const auto before = move.one.dump();
  EXPECT_EQ(code(Change(1).Begins(0), move.one), proto::FAILED_PRECONDITION) << "again";
  EXPECT_EQ(code(Change(3), move.one), proto::FAILED_PRECONDITION) << "one is left out";
  EXPECT_EQ(code(Change(3).Joined(3), move.one), proto::FAILED_PRECONDITION) << "is a member";
  EXPECT_EQ(code(Change(2).Begins(0), move.one), proto::FAILED_PRECONDITION) << "is here";
  EXPECT_EQ(code(Change(2).Loses(0, move.one), move.two), proto::FAILED_PRECONDITION);
  EXPECT_EQ(code(Change(2).Begins(kShards), move.two), proto::FAILED_PRECONDITION);
  EXPECT_EQ(code(Change(2).Begins(1).Begins(0), move.two), proto::FAILED_PRECONDITION);
  EXPECT_EQ(move.one.dump(), before);
  EXPECT_EQ(code(Change(2, /*member=*/false), move.two), proto::OK);
  EXPECT_EQ(code(Change(9).Joined(8), move.two), proto::FAILED_PRECONDITION) << "missed its join";
  EXPECT_EQ(code(Change(9).Joined(9).Begins(0), move.two), proto::OK) << "begins where it joins";
}

// What does not add up to what was frozen is refused as a whole: nothing of it is written, and the
// right part is still welcome.
TEST(Install, APartThatIsWrongLeavesNoTrace) {
  Move move;
  move.Reconfigure();
  const proto::TenurePart right = ReadPart(move.one, kMoved, 2, "", 1 << 20).part();
  ASSERT_TRUE(right.has_summary());
  proto::TenurePart fewer = right;
  fewer.mutable_summary()->set_keys(right.summary().keys() + 1);
  proto::TenurePart others = right;
  others.mutable_records(0)->mutable_value()->push_back('x');
  others.set_checksum(ChecksumOf(others));
  proto::TenurePart no_end = right;
  no_end.clear_summary();
  proto::TenurePart beyond = right;  // The versions that follow would begin at 0 again.
  beyond.mutable_summary()->set_version(UINT64_MAX - 1);
  const auto before = move.two.dump();
  for (const proto::TenurePart& wrong : {fewer, others, no_end, beyond}) {
    EXPECT_EQ(move.two.Internal(MakeInstall(kMoved, 2, 1, wrong)).code(),
              proto::FAILED_PRECONDITION);
    EXPECT_EQ(move.two.dump(), before);
  }
  EXPECT_EQ(move.two.Internal(MakeInstall(kMoved, 2, 1, right)).code(), proto::OK);
  EXPECT_EQ(move.two.StateOf(kMoved, 2), proto::SHARD_SERVING_GC);
}

}  // namespace
}  // namespace lockstep::shardkv
