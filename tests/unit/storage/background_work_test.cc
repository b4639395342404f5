// LevelDB's own work on a thread: what is asked for is done, in order, and a checkpoint still means
// that what it tells is on the disk.
#include "storage/background_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace lockstep::storage {
namespace {

TEST(WorkThread, DoesEverythingInOrderBeforeItEnds) {
  struct Work {
    std::vector<int>* done;
    int number;
  };
  std::vector<int> done;
  std::vector<Work> works;
  for (int i = 0; i < 100; ++i) works.push_back({&done, i});
  {
    WorkThread thread;
    EXPECT_TRUE(thread.concurrent());
    for (Work& work : works) {
      thread.Schedule(
          [](void* argument) {
            auto* one = static_cast<Work*>(argument);
            one->done->push_back(one->number);
          },
          &work);
    }
    thread.Drain();  // nothing: it runs by itself
  }
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<size_t>(i)], i);
}

TEST(WorkThread, WithoutWorkThereIsNoThread) {
  WorkThread thread;
  thread.Drain();
}

TEST(InlineWork, RunsWhatWorkAsksForToo) {
  struct Chain {
    InlineWork* work;
    int left;
  };
  InlineWork work;
  EXPECT_FALSE(work.concurrent());
  Chain chain{&work, 3};
  static constexpr auto kStep = [](void* argument) {
    auto* one = static_cast<Chain*>(argument);
    if (--one->left > 0) {
      one->work->Schedule([](void* again) { --static_cast<Chain*>(again)->left; }, argument);
    }
  };
  work.Schedule(kStep, &chain);
  EXPECT_EQ(chain.left, 3) << "nothing runs before Drain";
  work.Drain();
  EXPECT_EQ(chain.left, 1);
}

}  // namespace
}  // namespace lockstep::storage
