// What a power failure leaves of the bytes of a file: every mixture that a real disk may leave, and
// no other.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "tests/unit/sim/disk_support.h"

namespace lockstep::sim {
namespace {

using storage::File;
using storage::OpenMode;

CrashOptions Only(CrashOptions::Files files, CrashOptions::Names names) { return {files, names}; }

constexpr CrashOptions::Files kNoFiles{.keep = 0, .drop = 0, .prefix = 0, .pages = 0, .sectors = 0};
constexpr CrashOptions::Names kKeepNames{.keep = 1, .drop = 0, .prefix = 0, .independent = 0};

CrashOptions TornSectors() {
  CrashOptions::Files files = kNoFiles;
  files.sectors = 1;
  return Only(files, kKeepNames);
}

TEST(SimFileSystem, TornPagesMixOldAndNewSectors) {
  std::set<std::string> seen;
  DiskCounters total;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SimFileSystem disk;
    Rng rng(seed);
    auto file = MustOpen(disk, "f");
    ASSERT_TRUE(file->Append(std::string(4096, 'o')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk.SyncDirectory("").ok());
    ASSERT_TRUE(file->Write(0, std::string(1024, 'n')).ok());
    disk.Crash(rng, TornSectors());
    const std::string text = Contents(disk, "f");
    ASSERT_EQ(text.size(), 4096u);
    EXPECT_EQ(text.substr(1024), std::string(3072, 'o'));
    for (const char sector : {text[0], text[512]}) ASSERT_TRUE(sector == 'o' || sector == 'n');
    for (size_t i = 0; i < 1024; ++i) ASSERT_EQ(text[i], text[i / 512 * 512]);
    seen.insert({text[0], text[512]});
    total.pages_torn += disk.counters().pages_torn;
    total.pages_kept += disk.counters().pages_kept;
    total.pages_dropped += disk.counters().pages_dropped;
  }
  EXPECT_EQ(seen, (std::set<std::string>{"nn", "no", "on", "oo"}));
  EXPECT_GT(total.pages_torn, 0u);
  EXPECT_GT(total.pages_kept, 0u);
  EXPECT_GT(total.pages_dropped, 0u);
}

// An append may survive with its size but without its bytes, and between two writes.
TEST(SimFileSystem, AppendsSurviveInParts) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SimFileSystem disk;
    Rng rng(seed);
    auto file = MustOpen(disk, "f");
    ASSERT_TRUE(disk.SyncDirectory("").ok());
    ASSERT_TRUE(file->Append("a").ok());
    ASSERT_TRUE(file->Append("b").ok());
    disk.Crash(rng, TornSectors());
    seen.insert(Contents(disk, "f"));
  }
  const std::string zero(1, '\0');
  EXPECT_EQ(seen, (std::set<std::string>{"", "a", "ab", zero, zero + zero, "a" + zero}));
}

// Truncation is one transaction: the old bytes come back only with the old size.
TEST(SimFileSystem, ATruncationIsAtomic) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SimFileSystem disk;
    Rng rng(seed);
    auto file = MustOpen(disk, "f");
    ASSERT_TRUE(disk.SyncDirectory("").ok());
    ASSERT_TRUE(file->Append("old!").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Truncate(0).ok());
    ASSERT_TRUE(file->Append("ab").ok());
    disk.Crash(rng, TornSectors());
    seen.insert(Contents(disk, "f"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old!", "", "ab", std::string(2, '\0')}));
}

// Random writes, syncs and crashes on one file against a plain copy of every version since the last
// sync: a crash leaves, sector by sector, a version of it.
TEST(SimFileSystem, EverySectorAfterACrashIsSomeVersionOfIt) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Rng rng = Rng(seed).Split("test");
    SimFileSystem disk;
    auto file = MustOpen(disk, "f");
    ASSERT_TRUE(disk.SyncDirectory("").ok());
    std::vector<std::string> versions = {""};
    for (int step = 0; step < 60; ++step) {
      const uint64_t action = rng.Below(20);
      std::string text = versions.back();
      if (action < 12) {
        const uint64_t offset = rng.Below(text.size() + 600);
        const std::string data(rng.Below(3000), static_cast<char>('a' + step % 26));
        if (data.empty()) continue;
        ASSERT_TRUE(file->Write(offset, data).ok());
        if (text.size() < offset + data.size()) text.resize(offset + data.size());
        versions.push_back(text.replace(offset, data.size(), data));
      } else if (action < 14) {
        const uint64_t size = rng.Below(text.size() + 100);
        ASSERT_TRUE(file->Truncate(size).ok());
        text.resize(size);
        versions.push_back(text);
      } else if (action < 18) {
        ASSERT_TRUE(file->Sync().ok());
        versions = {text};
      } else {
        disk.Crash(rng, CrashOptions{});
        const std::string left = Contents(disk, "f");
        const auto same_size = [&](const std::string& version) {
          return version.size() == left.size();
        };
        EXPECT_TRUE(std::any_of(versions.begin(), versions.end(), same_size));
        for (size_t at = 0; at < left.size(); at += 512) {
          const std::string sector = left.substr(at, 512);
          const auto holds = [&](std::string version) {
            version.resize(std::max(left.size(), version.size()));
            return version.substr(at, sector.size()) == sector;
          };
          ASSERT_TRUE(std::any_of(versions.begin(), versions.end(), holds)) << "seed " << seed;
        }
        versions = {left};
        file = MustOpen(disk, "f");
      }
      ASSERT_EQ(Contents(disk, "f"), versions.back()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace lockstep::sim
