// Lists over all shards: in order, in pages, while shards move.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/unit/client/router_talk.h"

namespace lockstep::client {
namespace {

class Lists : public testing::Test {
 protected:
  explicit Lists(const RouterOptions& options = QuickRouter()) : talk(options) {
    talk.cluster.Join({1, 2, 3});
    talk.cluster.Settle();
    for (int i = 100; i < 150; ++i) {
      keys.insert(absl::StrCat("k", i));
      EXPECT_EQ(talk.Do(kv::MakePut(absl::StrCat("k", i), absl::StrCat("v", i))), "ok OK");
    }
    talk.Do(kv::MakePut("another", "x"));
  }
  // All pages, with `between` called after each.
  template <class Between>
  std::vector<std::string> Pages(uint32_t limit, Between between) {
    std::vector<std::string> all;
    std::string token;
    do {
      const uint64_t id = talk.Invoke(kv::MakeList("k", "", limit, token));
      const Outcome& outcome = talk.Await(id);
      EXPECT_EQ(RouterTalk::Describe(outcome), "ok OK") << outcome.status;
      if (outcome.kind != Outcome::Kind::kOk) return all;
      if (limit != 0) {
        EXPECT_LE(outcome.result.pairs_size(), static_cast<int>(limit));
      }
      for (const proto::Pair& pair : outcome.result.pairs()) all.push_back(pair.key());
      token = outcome.result.continuation();
      ++pages;
      between();
    } while (!token.empty());
    return all;
  }
  std::vector<std::string> Expected() const { return {keys.begin(), keys.end()}; }

  RouterTalk talk;
  std::set<std::string> keys;
  int pages = 0;
};

TEST_F(Lists, OnePageHasAllInOrder) {
  EXPECT_EQ(Pages(0, [] {}), Expected());
  EXPECT_EQ(pages, 1);
}

TEST_F(Lists, PagesAreAsLongAsTheyMayBe) {
  EXPECT_EQ(Pages(7, [] {}), Expected());
  EXPECT_EQ(pages, 8) << "50 keys";
}

TEST_F(Lists, ATokenOutlivesMoves) {
  uint64_t gid = 1;
  EXPECT_EQ(Pages(3,
                  [&] {
                    for (uint32_t shard = 0; shard < kShards; ++shard) {
                      gid = gid % 3 + 1;
                      if (talk.cluster.OwnerOf(shard) != gid) talk.cluster.Move(shard, gid);
                    }
                    talk.cluster.Settle();
                  }),
            Expected());
  EXPECT_GT(talk.cluster.num(), 20u);
}

TEST_F(Lists, StartPrefixAndValues) {
  const uint64_t id = talk.Invoke(kv::MakeList("k1", "k148", 0));
  const proto::Result& result = talk.Await(id).result;
  ASSERT_EQ(result.pairs_size(), 2);
  EXPECT_EQ(result.pairs(0).key(), "k148");
  EXPECT_EQ(result.pairs(1).value(), "v149");
  EXPECT_TRUE(result.continuation().empty());
  const uint64_t none = talk.Invoke(kv::MakeList("zz"));
  EXPECT_EQ(talk.Await(none).result.pairs_size(), 0);
}

// Each group is asked once, for its shards; and again only those that were wrong.
TEST_F(Lists, OnlyWhatIsMissingIsAskedForAgain) {
  uint32_t shard = 0;
  while (talk.cluster.OwnerOf(shard) != 1) ++shard;
  talk.cluster.Move(shard, 2);
  talk.cluster.Settle();
  const uint64_t id = talk.Invoke(kv::MakeList("k"));
  std::multiset<uint32_t> answered;
  std::vector<uint64_t> refused;
  while (!talk.Done(id)) {
    if (talk.Quiet()) talk.PassToWake();
    if (talk.Quiet()) continue;
    const auto sent = talk.Take();
    const proto::ClientReply reply = talk.Execute(sent);
    const auto& shards = sent.request.query().list().shards();
    if (reply.result().code() == proto::OK) answered.insert(shards.begin(), shards.end());
    if (reply.result().code() == proto::WRONG_GROUP) refused.push_back(sent.gid());
    talk.Answer(sent, reply);
  }
  EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
  EXPECT_EQ(refused, std::vector<uint64_t>{1});
  EXPECT_EQ(answered, (std::multiset<uint32_t>{0, 1, 2, 3}));
  EXPECT_EQ(talk.FullOutcome(id).result.pairs_size(), 50);
}

TEST_F(Lists, AShardThatArrivesIsWaitedFor) {
  talk.cluster.Leave({3});
  talk.cluster.Reconfigure(1);
  talk.cluster.Reconfigure(2);
  talk.cluster.Reconfigure(3);
  const uint64_t id = talk.Invoke(kv::MakeList("k"));
  talk.Pass(milliseconds(300));
  EXPECT_EQ(talk.OutcomeOf(id), "");
  talk.cluster.Settle();
  EXPECT_EQ(talk.Await(id).result.pairs_size(), 50);
}

// The group died before it answered, but its shards had been moved away.
TEST_F(Lists, AnAnswerThatIsNotNeededIsNotWaitedFor) {
  talk.cluster.Leave({3});
  talk.cluster.Settle();
  talk.cluster.Kill(3);
  const uint64_t id = talk.Invoke(kv::MakeList("k"), milliseconds(2000));
  talk.Pass(milliseconds(800));
  EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
  EXPECT_EQ(talk.FullOutcome(id).result.pairs_size(), 50);
}

TEST_F(Lists, ADeadGroupEndsItAtTheDeadline) {
  talk.cluster.Kill(2);
  const uint64_t id = talk.Invoke(kv::MakeList("k"), milliseconds(700));
  talk.Pass(milliseconds(700));
  EXPECT_EQ(talk.OutcomeOf(id), "not executed DEADLINE_EXCEEDED");
  EXPECT_EQ(talk.router().unfinished(), 0u);
  talk.cluster.Revive(2);
  EXPECT_EQ(Pages(0, [] {}), Expected());
}

// Nothing is wrong with the group but that it never gets there.
TEST_F(Lists, AShardThatNeverArrivesEndsItAtTheDeadline) {
  talk.cluster.Leave({3});
  talk.cluster.Reconfigure(3);
  const uint64_t id = talk.Invoke(kv::MakeList("k"), milliseconds(700));
  talk.Pass(milliseconds(699));
  EXPECT_EQ(talk.OutcomeOf(id), "");
  talk.Pass(milliseconds(1));
  EXPECT_EQ(talk.OutcomeOf(id), "not executed DEADLINE_EXCEEDED");
  EXPECT_TRUE(absl::StrContains(talk.FullOutcome(id).status.message(), "WRONG_GROUP"))
      << talk.FullOutcome(id).status;
}

// Its limits may be smaller than those that we know: what it has beyond its page is not lost.
TEST_F(Lists, AGroupMayEndItsPageEarlier) {
  std::vector<std::string> all;
  std::string token;
  do {
    const uint64_t id = talk.Invoke(kv::MakeList("k", "", 0, token));
    while (!talk.Quiet()) {
      auto sent = talk.Take();
      const auto limit = static_cast<uint32_t>(2 + sent.gid());
      sent.request.mutable_query()->mutable_list()->set_limit(limit);
      talk.Carry(sent);
    }
    ASSERT_EQ(talk.OutcomeOf(id), "ok OK");
    for (const proto::Pair& pair : talk.FullOutcome(id).result.pairs()) all.push_back(pair.key());
    token = talk.FullOutcome(id).result.continuation();
  } while (!token.empty());
  EXPECT_EQ(all, Expected());
}

TEST_F(Lists, APageWithoutEndIsAskedForAgain) {
  const uint64_t id = talk.Invoke(kv::MakeList("k"));
  const auto sent = talk.Take();
  proto::ClientReply nonsense;
  nonsense.mutable_result()->set_code(proto::OK);
  nonsense.mutable_result()->set_continuation("more");
  talk.Answer(sent, nonsense);
  EXPECT_EQ(talk.Await(id).result.pairs_size(), 50);
}

class SmallLists : public Lists {
 protected:
  static RouterOptions Options() {
    RouterOptions options = QuickRouter();
    options.limits.list_bytes_max = 40;  // five pairs of eight bytes
    options.limits.list_pairs_max = 6;
    return options;
  }
  SmallLists() : Lists(Options()) {}
};

TEST_F(SmallLists, BytesAreBoundedToo) {
  EXPECT_EQ(Pages(0, [] {}), Expected());
  EXPECT_EQ(pages, 10);
  const std::string large(100, 'x');
  talk.Do(kv::MakePut("k1000", large));
  keys.insert("k1000");
  EXPECT_EQ(Pages(0, [] {}), Expected()) << "a page of one that is larger than it may be";
}

}  // namespace
}  // namespace lockstep::client
