// Term and vote on the disk twice: whatever becomes of one copy, all that was told is known.
#include "storage/promises.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "tests/unit/storage/wal_test_support.h"

namespace lockstep::storage {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;

constexpr GroupId kGroup(7);

HardState StateOf(uint64_t round) { return {Term(round), NodeId(round % 5), Term(round / 2)}; }

TEST(Promises, AreReadBackAsTheyWereWritten) {
  PromiseRecord record{.revision = 9, .commit = 4, .promises = {}};
  for (uint64_t group = 0; group < 5; ++group) record.promises[GroupId(group)] = StateOf(group + 3);
  const std::string text = EncodePromises(record);
  const auto found = DecodePromises(text);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->revision, 9u);
  EXPECT_EQ(found->commit, 4u);
  EXPECT_EQ(found->promises, record.promises);
  for (size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
    EXPECT_TRUE(absl::IsDataLoss(DecodePromises(damaged).status())) << at;
    EXPECT_TRUE(absl::IsDataLoss(DecodePromises(text.substr(0, at)).status())) << at;
  }
}

TEST(Promises, AGroupIsNamedOnce) {
  PromiseRecord record;
  record.promises = {{GroupId(5), StateOf(3)}, {GroupId(6), StateOf(4)}};
  std::string text = EncodePromises(record);
  text[32 + 32] = 5;  // The second group, that was 6.
  const uint32_t crc = Crc32c(absl::string_view(text).substr(0, text.size() - 4));
  for (size_t i = 0; i < 4; ++i) {
    text[text.size() - 4 + i] = static_cast<char>(crc >> (8 * i) & 0xFF);
  }
  EXPECT_TRUE(absl::IsDataLoss(DecodePromises(text).status()));
}

// The power goes at every call of a series of writes, and then one of the copies rots as well if
// the other one is whole.
TEST(Promises, WhatWasToldSurvivesPowerFailures) {
  for (uint64_t cut = 1; cut <= 60; ++cut) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(absl::StrCat("cut ", cut, " seed ", seed));
      SimFileSystem files;
      Rng rng(seed * 1000 + cut);
      ASSERT_TRUE(files.CreateDirectory("d").ok());
      ASSERT_TRUE(files.SyncDirectory("").ok());
      uint64_t told = 0;
      files.PowerCutAfter(cut);
      auto promises = Promises::Load(files, "d");
      while (promises.ok()) {
        const auto extent = told == 0 ? Promises::Extent::kWithNames : Promises::Extent::kContent;
        if (!promises->Write({{kGroup, StateOf(told + 1)}}, told + 1, extent).ok()) break;
        ++told;
      }
      files.Crash(rng, CrashOptions());
      promises = Promises::Load(files, "d");
      ASSERT_TRUE(promises.ok()) << promises.status();
      const uint64_t commit = promises->commit();
      EXPECT_TRUE(commit == told || commit == told + 1) << commit << " of " << told;
      EXPECT_EQ(promises->Of(kGroup), commit == 0 ? HardState() : StateOf(commit));
      if (!promises->intact()) continue;
      const char* name = kPromiseFiles[rng.Below(2)];
      ASSERT_TRUE(files.FlipBits(absl::StrCat("d/", name), rng.Below(60), 1));
      promises = Promises::Load(files, "d");
      ASSERT_TRUE(promises.ok());
      EXPECT_EQ(promises->commit(), commit);
      EXPECT_FALSE(promises->intact());
    }
  }
}

TEST(Promises, WithoutAWholeCopyNothingIsGuessed) {
  SimFileSystem files;
  ASSERT_TRUE(files.CreateDirectory("d").ok());
  auto promises = Promises::Load(files, "d");
  ASSERT_TRUE(promises.ok());
  EXPECT_FALSE(promises->found());
  ASSERT_TRUE(promises->Write({{kGroup, StateOf(3)}}, 1, Promises::Extent::kWithNames).ok());
  EXPECT_TRUE(Promises::Load(files, "d")->found());
  for (const char* name : kPromiseFiles) files.FlipBits(absl::StrCat("d/", name), 50, 1);
  const absl::Status status = Promises::Load(files, "d").status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  // A new node that was interrupted when it made the first one has none.
  SimFileSystem fresh;
  ASSERT_TRUE(fresh.CreateDirectory("d").ok());
  WriteAll(fresh, "d/promises-1", "prom");
  EXPECT_FALSE(Promises::Load(fresh, "d")->found());
}

}  // namespace
}  // namespace lockstep::storage
