#include "core/base/bytes.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

TEST(Bytes, CopiesAndShares) {
  std::string text = "hello";
  const Bytes bytes = Bytes::Copy(text);
  text[0] = 'J';
  EXPECT_EQ(bytes.view(), "hello");
  EXPECT_EQ(bytes.size(), 5u);
  const Bytes shared = bytes;
  EXPECT_EQ(shared.data(), bytes.data()) << "a copy shares the buffer";
  EXPECT_EQ(shared, bytes);
  EXPECT_EQ(Bytes::Copy("hello"), bytes) << "equality is of content";
  EXPECT_FALSE(Bytes::Copy("hellO") == bytes);
}

TEST(Bytes, Empty) {
  const Bytes nothing;
  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(nothing, Bytes::Copy(""));
  EXPECT_EQ(nothing.Slice(0, 0), nothing);
  const Bytes copy = nothing;
  EXPECT_TRUE(copy.empty());
}

TEST(Bytes, MakeFillsOnce) {
  const Bytes bytes = Bytes::Make(4, [](char* to) { std::memcpy(to, "abcd", 4); });
  EXPECT_EQ(bytes.view(), "abcd");
}

TEST(Bytes, SlicesOutliveTheWhole) {
  Bytes part;
  {
    const Bytes whole = Bytes::Copy("0123456789");
    part = whole.Slice(2, 5);
    EXPECT_EQ(part.data(), whole.data() + 2);
    EXPECT_EQ(whole.Slice(10, 0).size(), 0u);
  }
  EXPECT_EQ(part.view(), "23456");
  EXPECT_EQ(part.Slice(1, 2).view(), "34");
}

TEST(Bytes, MovesAndAssigns) {
  Bytes a = Bytes::Copy("a");
  Bytes b = std::move(a);
  EXPECT_EQ(b.view(), "a");
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): moved from is empty, by contract.
  Bytes& self = b;
  b = self;
  EXPECT_EQ(b.view(), "a");
  b = Bytes::Copy("other");
  EXPECT_EQ(b.view(), "other");
}

TEST(Bytes, SharedBufferMayBeReleasedByManyThreads) {
  for (int round = 0; round < 20; ++round) {
    const Bytes bytes = Bytes::Copy(std::string(1000, 'x'));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([copy = bytes] {
        for (int k = 0; k < 1000; ++k) {
          const Bytes part = copy.Slice(static_cast<size_t>(k % 1000), 1);
          EXPECT_EQ(part.view(), "x");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(BytesDeathTest, SliceBeyondTheEnd) {
  const Bytes bytes = Bytes::Copy("abc");
  EXPECT_DEATH((void)bytes.Slice(4, 0), "4 <= 3");
  EXPECT_DEATH((void)bytes.Slice(2, 2), "2 <= 1");
  EXPECT_DEATH((void)bytes.Slice(1, SIZE_MAX), "check failed");
}

}  // namespace
}  // namespace lockstep
