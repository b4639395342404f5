// What a shard holds at each version, by the model that judges stale reads.
#include "sim/check/contents_model.h"

#include <gtest/gtest.h>

#include "core/kv/command.h"

namespace lockstep::sim {
namespace {

using Value = std::optional<std::string>;

TEST(ContentsModel, HoldsWhatWasWrittenAtEachVersion) {
  ContentsModel model;
  model.Execute(Index(2), kv::MakePut("a", "1"));
  model.Execute(Index(5), kv::MakeAppend("a", "2"));
  model.Execute(Index(6), kv::MakeCompareAndSwap("a", "wrong", "3"));
  model.Execute(Index(7), kv::MakeCompareAndSwap("a", "12", "4"));
  model.Execute(Index(9), kv::MakeDelete("a"));
  model.Execute(Index(10), kv::MakeAppend("a", "5"));
  const struct {
    uint64_t version;
    Value want;
  } kRows[] = {{1, std::nullopt}, {2, "1"}, {4, "1"},          {5, "12"}, {6, "12"},
               {7, "4"},          {8, "4"}, {9, std::nullopt}, {10, "5"}, {99, "5"}};
  for (const auto& row : kRows) {
    EXPECT_EQ(model.At("a", Index(row.version)), row.want) << "version " << row.version;
  }
  EXPECT_EQ(model.At("b", Index(99)), std::nullopt);
  EXPECT_TRUE(model.EverHeld("a", "12"));
  EXPECT_TRUE(model.EverHeld("a", std::nullopt));
  EXPECT_FALSE(model.EverHeld("a", "3"));
  EXPECT_FALSE(model.EverHeld("b", "1"));
}

TEST(ContentsModel, ABatchIsExecutedWhollyOrNotAtAll) {
  ContentsModel model;
  const auto batch = [](const char* expected) {
    return kv::MakeBatch({kv::MakeCompareAndSwap("a", expected, "2"), kv::MakePut("b", "2")});
  };
  model.Execute(Index(1), kv::MakePut("a", "1"));
  model.Execute(Index(2), batch("wrong"));
  EXPECT_EQ(model.At("b", Index(2)), std::nullopt);
  model.Execute(Index(3), batch("1"));
  EXPECT_EQ(model.At("a", Index(3)), "2");
  EXPECT_EQ(model.At("b", Index(3)), "2");
}

TEST(ContentsModel, CountsExecutionsByWhatWasAskedFor) {
  ContentsModel model;
  model.Execute(Index(1), kv::MakePut("a", "1"));
  model.Execute(Index(2), kv::MakeBatch({kv::MakePut("a", "1"), kv::MakePut("b", "1")}));
  const auto content = [](const proto::Command& command) {
    return ContentOf(WritesOf(command).front());
  };
  EXPECT_EQ(model.ExecutionsOf(content(kv::MakePut("a", "1"))),
            (std::vector<Index>{Index(1), Index(2)}));
  EXPECT_EQ(model.ExecutionsOf(content(kv::MakePut("b", "1"))), std::vector<Index>{Index(2)});
  EXPECT_TRUE(model.ExecutionsOf(content(kv::MakeAppend("a", "1"))).empty());
  EXPECT_NE(content(kv::MakeDelete("a")), content(kv::MakeDelete("b")));
  EXPECT_TRUE(WritesOf(kv::MakeRegisterSession(1)).empty());
}

}  // namespace
}  // namespace lockstep::sim
