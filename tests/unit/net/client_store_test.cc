// The client library against a node as it is in production.
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "net/client/store.h"
#include "tests/unit/net/real_node.h"
#include "tests/unit/net/store_fixture.h"

namespace lockstep::client {
namespace {

TEST_F(StoreTest, PutsGetsAppendsAndDeletes) {
  const auto put = store().Put("a", "1");
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_FALSE(put->replayed);
  auto got = store().Get("a");
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->value, "1");
  EXPECT_FALSE(got->stale);
  EXPECT_LE(put->version, got->version);

  ASSERT_TRUE(store().Append("a", "23").ok());
  EXPECT_EQ(store().Get("a")->value, "123");
  ASSERT_TRUE(store().Append("new", "x").ok());
  EXPECT_EQ(store().Get("new")->value, "x");

  ASSERT_TRUE(store().Delete("a").ok());
  EXPECT_EQ(store().Get("a")->value, std::nullopt);
  ASSERT_TRUE(store().Delete("a").ok());  // Deleting a missing key succeeds.
  ASSERT_TRUE(store().Put("empty", "").ok());
  EXPECT_EQ(store().Get("empty")->value, "");  // An empty value is a value.
}

TEST_F(StoreTest, StaleReadsAreLabelled) {
  ASSERT_TRUE(store().Put("a", "1").ok());
  const CallOptions stale = {.timeout = {}, .consistency = Consistency::kStale};
  const auto got = store().Get("a", stale);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_TRUE(got->stale);
  EXPECT_EQ(got->value, "1");  // One replica, so there is no older state.
  const auto many = store().GetMany({"a"}, stale);
  ASSERT_TRUE(many.ok()) << many.status();
  EXPECT_TRUE(many->stale);
}

TEST_F(StoreTest, ComparesAndSwaps) {
  auto swap = store().CompareAndSwap("a", std::nullopt, "1");
  ASSERT_TRUE(swap.ok()) << swap.status();
  EXPECT_TRUE(swap->swapped);
  swap = store().CompareAndSwap("a", std::nullopt, "2");
  ASSERT_TRUE(swap.ok());
  EXPECT_FALSE(swap->swapped);
  EXPECT_EQ(swap->actual, "1");
  EXPECT_TRUE(store().CompareAndSwap("a", "1", "2")->swapped);
  EXPECT_EQ(store().Get("a")->value, "2");
  EXPECT_TRUE(store().CompareAndSwap("a", "2", std::nullopt)->swapped);
  swap = store().CompareAndSwap("a", "2", "3");
  EXPECT_FALSE(swap->swapped);
  EXPECT_EQ(swap->actual, std::nullopt);
}

TEST_F(StoreTest, ReadsManyAndListsInPages) {
  std::vector<std::string> keys;
  for (int i = 0; i < 25; ++i) {
    keys.push_back("k" + std::to_string(100 + i));
    ASSERT_TRUE(store().Put(keys.back(), "v" + std::to_string(i)).ok());
  }
  const auto many = store().GetMany({"k103", "nothing", "k101"});
  ASSERT_TRUE(many.ok()) << many.status();
  ASSERT_EQ(many->pairs.size(), 2u);
  EXPECT_EQ(many->pairs[0].key, "k103");
  EXPECT_EQ(many->pairs[1].value, "v1");

  std::vector<std::string> listed;
  ListOptions list = {.prefix = "k1", .start = "k105", .limit = 7};
  int pages = 0;
  do {
    const auto page = store().List(list);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->pairs.size(), 7u);
    for (const KeyValue& pair : page->pairs) listed.push_back(pair.key);
    list.continuation = page->continuation;
    ++pages;
  } while (!list.continuation.empty());
  EXPECT_LE(3, pages);
  EXPECT_EQ(listed, std::vector<std::string>(keys.begin() + 5, keys.end()));

  const auto names = store().List({.prefix = "k10", .keys_only = true});
  ASSERT_TRUE(names.ok());
  ASSERT_EQ(names->pairs.size(), 10u);
  EXPECT_EQ(names->pairs[0].value, "");
}

TEST_F(StoreTest, BatchesAreAtomicAndBulksAreNot) {
  auto batch = store().Batch({Write::Put("{t}a", "1"), Write::Append("{t}b", "2"),
                              Write::CompareAndSwap("{t}c", std::nullopt, "3")});
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE(batch->committed);
  batch = store().Batch({Write::Put("{t}a", "new"), Write::CompareAndSwap("{t}c", "9", "4")});
  ASSERT_TRUE(batch.ok());
  EXPECT_FALSE(batch->committed);
  EXPECT_EQ(batch->failed_write, 1u);
  EXPECT_EQ(store().Get("{t}a")->value, "1");

  const auto bulk = store().Bulk({Write::Put("x", "1"), Write::CompareAndSwap("y", "9", "2"),
                                  Write::Delete("{t}a"), Write::Put("z", "3")});
  ASSERT_TRUE(bulk.ok()) << bulk.status();
  ASSERT_EQ(bulk->size(), 4u);
  EXPECT_EQ((*bulk)[0].kind, WriteOutcome::Kind::kExecuted);
  EXPECT_EQ((*bulk)[1].kind, WriteOutcome::Kind::kConflict);
  EXPECT_TRUE((*bulk)[1].status.ok());
  EXPECT_EQ((*bulk)[2].kind, WriteOutcome::Kind::kExecuted);
  EXPECT_EQ(store().Get("{t}a")->value, std::nullopt);
  EXPECT_EQ(store().Get("z")->value, "3");
}

TEST_F(StoreTest, WhatMakesNoSenseIsRefusedWithoutEffect) {
  const std::vector<absl::Status> refusals = {
      store().Put("", "x").status(),
      store().Put(std::string(5000, 'k'), "x").status(),
      store().Batch({}).status(),
      store().Bulk({Write::Put("a", "1"), Write::Put("a", "2")}).status(),
      store().Get("").status(),
  };
  for (const absl::Status& status : refusals) {
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(EffectOf(status), Effect::kNone) << status;
    EXPECT_FALSE(FailureOf(status)->reason().empty());
    EXPECT_EQ(FailureOf(status)->message(), status.message());
  }
  EXPECT_EQ(FailureOf(refusals[1])->reason(), "TOO_LARGE");
}

TEST_F(StoreTest, ValuesOfSixtyFourMebibytes) {
  const std::string value(size_t{64} << 20, 'v');
  const CallOptions patient = {.timeout = std::chrono::seconds(60)};
  const auto put = store().Put("big", value, patient);
  ASSERT_TRUE(put.ok()) << put.status();
  const auto got = store().Get("big", patient);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_TRUE(got->value == value);
  const auto more = store().Append("big", "x", patient);
  EXPECT_FALSE(more.ok());
  EXPECT_EQ(EffectOf(more.status()), Effect::kNone) << more.status();
}

TEST_F(StoreTest, ManyAtATimeFromCallbacks) {
  constexpr int kChains = 64;
  constexpr int kLinks = 20;
  std::promise<void> all;
  std::atomic<int> left{kChains};
  std::atomic<int> failed{0};
  std::function<void(int, int)> next = [&](int chain, int link) {
    if (link == kLinks) {
      if (--left == 0) all.set_value();
      return;
    }
    store().AppendAsync("chain" + std::to_string(chain), std::to_string(link % 10),
                        [&, chain, link](absl::StatusOr<WriteResult> result) {
                          if (!result.ok()) ++failed;
                          // A callback must not wait, and is told so.
                          const auto waited = store().Get("x");
                          if (!absl::IsFailedPrecondition(waited.status())) ++failed;
                          next(chain, link + 1);
                        });
  };
  for (int chain = 0; chain < kChains; ++chain) next(chain, 0);
  all.get_future().wait();
  EXPECT_EQ(failed, 0);
  for (int chain = 0; chain < kChains; ++chain) {
    EXPECT_EQ(store().Get("chain" + std::to_string(chain))->value, "01234567890123456789");
  }
  EXPECT_EQ(store().unfinished(), 0u);
}

}  // namespace
}  // namespace lockstep::client
