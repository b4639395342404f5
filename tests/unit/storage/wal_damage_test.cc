// Every way in which the bytes of a log can be wrong: what a crash may leave is repaired, all else
// is reported and left alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/rng.h"
#include "sim/disk/sim_file_system.h"
#include "storage/wal.h"
#include "storage/wal_format.h"
#include "tests/unit/storage/wal_test_support.h"

namespace lockstep::storage {
namespace {

constexpr char kDirectory[] = "/wal";

// A log that was written by random commits, taken apart. It is as the last commit's write left it:
// what that commit made superfluous has not been deleted yet.
struct Specimen {
  WalOptions options;
  std::map<std::string, std::string> segments;  // bytes by path, oldest first
  std::string last_path;
  uint64_t last_frame = 0;  // offset of the last commit's frame in the last segment
  std::string before;       // what recovery must find without the last commit
  std::string after;        // and with it

  std::string& last() { return segments[last_path]; }
};

std::map<std::string, std::string> Contents(FileSystem& files, const WalRig& rig) {
  std::map<std::string, std::string> contents;
  for (const std::string& path : rig.Segments()) contents[path] = ReadAll(files, path);
  return contents;
}

// The offset behind a segment's statement.
uint64_t EndOfStatement(const std::string& bytes) {
  const auto header = wal::DecodeSegmentHeader(bytes);
  EXPECT_TRUE(header.ok()) << header.status();
  wal::Frame frame;
  EXPECT_TRUE(
      wal::DecodeFrame(bytes, wal::kSegmentHeaderBytes, header->first_batch, header->salt, &frame)
          .ok());
  return frame.end_offset;
}

Specimen Grow(uint64_t seed, uint64_t segment_bytes, int commits, const JobMix& mix) {
  Rng rng = Rng(seed).Split("specimen");
  Specimen specimen;
  specimen.options = {.groups = Groups(3), .segment_bytes_max = segment_bytes, .salt = seed};
  sim::SimFileSystem files;
  WalRig rig(files, kDirectory, specimen.options);
  EXPECT_TRUE(rig.Open().ok());
  for (int i = 0; i < commits; ++i) {
    specimen.before = Describe(rig.expected());
    if (i + 1 == commits) specimen.segments = Contents(files, rig);
    EXPECT_TRUE(rig.Commit(RandomJob(rng, mix, rig.expected())).ok());
  }
  specimen.after = Describe(rig.expected());
  specimen.last_path = rig.Segments().back();
  const std::string bytes = ReadAll(files, specimen.last_path);
  const auto old = specimen.segments.find(specimen.last_path);
  specimen.last_frame = old == specimen.segments.end() ? EndOfStatement(bytes) : old->second.size();
  specimen.last() = bytes;
  return specimen;
}

struct Verdict {
  absl::Status status;
  std::string found;
  bool changed = false;  // the files were touched although the status is an error
};

Verdict Judge(const Specimen& specimen) {
  sim::SimFileSystem files;
  EXPECT_TRUE(files.CreateDirectory(kDirectory).ok());
  for (const auto& [path, bytes] : specimen.segments) WriteAll(files, path, bytes);
  const uint64_t digest = files.Digest();
  WalRig rig(files, kDirectory, specimen.options);
  Verdict verdict;
  verdict.status = rig.Open();
  verdict.changed = !verdict.status.ok() && files.Digest() != digest;
  if (!verdict.status.ok()) return verdict;
  verdict.found = rig.found();
  // Whatever was repaired stays repaired, and the log goes on.
  LogBatch batch;
  batch.group = GroupId(2);
  batch.hard_state = HardState{Term(1 << 20), NodeId(1)};
  EXPECT_TRUE(rig.wal().Commit({.batches = {batch}}).ok());
  EXPECT_TRUE(rig.Open().ok());
  EXPECT_EQ(rig.images()[1].hard_state, *batch.hard_state);
  EXPECT_EQ(rig.wal().size().torn_bytes, 0u);
  return verdict;
}

TEST(WalDamage, LastFrameCutAtEveryByte) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Specimen whole = Grow(seed, 1500, 40, JobMix());
    EXPECT_EQ(Judge(whole).found, whole.after);
    Specimen cut = whole;
    for (size_t size = whole.last_frame; size < cut.last().size(); ++size) {
      cut.last() = whole.segments.at(whole.last_path).substr(0, size);
      const Verdict verdict = Judge(cut);
      ASSERT_TRUE(verdict.status.ok()) << verdict.status;
      ASSERT_EQ(verdict.found, whole.before) << "seed " << seed << " size " << size;
      cut.last() = whole.segments.at(whole.last_path);
    }
  }
}

TEST(WalDamage, LastFrameWithEveryByteFlipped) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Specimen damaged = Grow(seed, 1500, 40, JobMix());
    const std::string whole = damaged.last();
    for (const int mask : {0x01, 0x80, 0xFF}) {
      for (size_t at = damaged.last_frame; at < whole.size(); ++at) {
        damaged.last() = whole;
        damaged.last()[at] = static_cast<char>(damaged.last()[at] ^ mask);
        const Verdict verdict = Judge(damaged);
        ASSERT_TRUE(verdict.status.ok()) << verdict.status;
        ASSERT_EQ(verdict.found, damaged.before) << "seed " << seed << " byte " << at;
      }
    }
  }
}

// A byte of anything but the last frame: never repaired, named, and nothing on the disk is touched.
TEST(WalDamage, EarlierBytesFlippedAreDataLoss) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Specimen whole = Grow(seed, 1500, 40, JobMix());
    ASSERT_GT(whole.segments.size(), 1u);
    for (const auto& [path, bytes] : whole.segments) {
      const size_t until = path == whole.last_path ? whole.last_frame : bytes.size();
      for (size_t at = 0; at < until; ++at) {
        Specimen damaged = whole;
        char& byte = damaged.segments[path][at];
        byte = static_cast<char>(byte ^ 0x10);
        const Verdict verdict = Judge(damaged);
        ASSERT_TRUE(absl::IsDataLoss(verdict.status)) << path << " byte " << at;
        ASSERT_NE(verdict.status.message().find(path), absl::string_view::npos) << verdict.status;
        ASSERT_FALSE(verdict.changed);
      }
    }
  }
}

TEST(WalDamage, EarlierSegmentsCutAreDataLoss) {
  const Specimen whole = Grow(7, 1500, 40, JobMix());
  for (const auto& [path, bytes] : whole.segments) {
    if (path == whole.last_path) continue;
    for (size_t size = 0; size < bytes.size(); ++size) {
      Specimen damaged = whole;
      damaged.segments[path].resize(size);
      const Verdict verdict = Judge(damaged);
      ASSERT_TRUE(absl::IsDataLoss(verdict.status)) << path << " size " << size;
      ASSERT_FALSE(verdict.changed);
    }
  }
}

// The sectors of a large last write reach the disk in any combination; others still hold zeros or
// what an erased file left there.
TEST(WalDamage, SectorsOfTheLastWriteSurviveInAnyCombination) {
  JobMix mix;
  mix.data_bytes_max = 6000;
  mix.entries_max = 3;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Rng rng = Rng(seed).Split("sectors");
    Specimen damaged = Grow(seed, 100000, 12, mix);
    const std::string whole = damaged.last();
    const std::string stale = damaged.segments.begin()->second;
    for (int round = 0; round < 5; ++round) {
      std::string& bytes = damaged.last();
      bytes = whole;
      const uint64_t content = rng.Below(3);
      const uint64_t survive = rng.Below(9);
      bool intact = true;
      for (size_t at = damaged.last_frame; at < bytes.size(); at = (at / 512 + 1) * 512) {
        if (rng.Below(8) < survive) continue;
        for (size_t i = at; i < std::min(bytes.size(), (at / 512 + 1) * 512); ++i) {
          const char old = bytes[i];
          bytes[i] = content == 0   ? '\0'
                     : content == 1 ? stale[i % stale.size()]
                                    : static_cast<char>(rng.Below(256));
          intact = intact && bytes[i] == old;
        }
      }
      const Verdict verdict = Judge(damaged);
      ASSERT_TRUE(verdict.status.ok()) << "seed " << seed << ": " << verdict.status;
      ASSERT_EQ(verdict.found, intact ? damaged.after : damaged.before) << "seed " << seed;
    }
  }
}

TEST(WalDamage, GarbageAfterTheEndIsCut) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng = Rng(seed).Split("garbage");
    Specimen specimen = Grow(seed, 1500, 40, JobMix());
    const std::string whole = specimen.last();
    std::string noise;
    const uint64_t bytes = rng.Magnitude(1, 5000);
    for (uint64_t i = 0; i < bytes; ++i) noise.push_back(static_cast<char>(rng.Below(256)));
    const std::vector<std::string> tails = {
        noise, std::string(bytes, '\0'), whole.substr(specimen.last_frame),
        whole.substr(wal::kSegmentHeaderBytes), specimen.segments.begin()->second};
    for (const std::string& tail : tails) {
      specimen.last() = whole + tail;
      const Verdict verdict = Judge(specimen);
      ASSERT_TRUE(verdict.status.ok()) << verdict.status;
      ASSERT_EQ(verdict.found, specimen.after) << "seed " << seed;
    }
  }
}

// A command may hold a copy of a log, even one of our own future: it must not prove anything.
TEST(WalDamage, FramesInsideCommandsProveNothing) {
  Specimen other = Grow(99, 1 << 20, 60, JobMix());
  sim::SimFileSystem files;
  WalRig rig(files, kDirectory, {.groups = Groups(1), .salt = 5});
  ASSERT_TRUE(rig.Open().ok());
  LogBatch batch;
  batch.group = GroupId(1);
  batch.append.push_back({.index = Index(1), .term = Term(1), .data = Bytes::Copy(other.last())});
  ASSERT_TRUE(rig.wal().Commit({.batches = {batch}}).ok());
  const std::string path = rig.Segments().back();
  std::string bytes = ReadAll(files, path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  WriteAll(files, path, bytes);
  const absl::Status status = rig.Open();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(rig.images()[0].entries.empty());
}

// A crash while a segment is begun leaves any part of it; it counts for nothing.
TEST(WalDamage, UnfinishedSegmentIsDiscarded) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    // A limit that every segment exceeds at once: the last commit began the last segment.
    const Specimen whole = Grow(seed, 1, 30, JobMix());
    const size_t start_bytes = whole.last_frame;
    for (size_t size = 0; size <= start_bytes; ++size) {
      Specimen cut = whole;
      cut.last().resize(size);
      const Verdict verdict = Judge(cut);
      ASSERT_TRUE(verdict.status.ok()) << verdict.status;
      ASSERT_EQ(verdict.found, whole.before) << "seed " << seed << " size " << size;
    }
    for (size_t at = 0; at < start_bytes; ++at) {
      Specimen damaged = whole;
      damaged.last()[at] = static_cast<char>(damaged.last()[at] ^ 0x40);
      // With the commit behind it, the start was durable once.
      ASSERT_TRUE(absl::IsDataLoss(Judge(damaged).status)) << at;
      damaged.last().resize(start_bytes);
      const Verdict verdict = Judge(damaged);
      ASSERT_TRUE(verdict.status.ok()) << verdict.status;
      ASSERT_EQ(verdict.found, whole.before) << "seed " << seed << " byte " << at;
    }
  }
}

TEST(WalDamage, FirstSegmentUnfinishedIsBegunAnew) {
  const Specimen whole = Grow(1, 1 << 20, 1, JobMix());
  for (size_t size = 0; size <= whole.last_frame; ++size) {
    Specimen cut = whole;
    cut.last().resize(size);
    const Verdict verdict = Judge(cut);
    ASSERT_TRUE(verdict.status.ok()) << verdict.status;
    ASSERT_EQ(verdict.found, whole.before);
  }
}

TEST(WalDamage, MissingSegmentsAreDataLoss) {
  JobMix mix;  // Nothing is ever forgotten, so every segment but the newest holds live entries.
  mix.base = mix.reset = mix.truncate = {0, 1};
  const Specimen whole = Grow(3, 1500, 60, mix);
  ASSERT_GT(whole.segments.size(), 4u);
  for (const auto& [path, bytes] : whole.segments) {
    if (path == whole.last_path) continue;
    Specimen damaged = whole;
    damaged.segments.erase(path);
    const Verdict verdict = Judge(damaged);
    EXPECT_TRUE(absl::IsDataLoss(verdict.status)) << path << ": " << verdict.status;
    EXPECT_FALSE(verdict.changed);
  }
  // Segments that changed places, and the newest one alone without its start.
  Specimen swapped = whole;
  std::swap(swapped.segments.begin()->second, std::next(swapped.segments.begin())->second);
  EXPECT_TRUE(absl::IsDataLoss(Judge(swapped).status));
  Specimen alone;
  alone.options = whole.options;
  alone.segments[whole.last_path] = whole.segments.at(whole.last_path).substr(0, 20);
  EXPECT_TRUE(absl::IsDataLoss(Judge(alone).status));
}

// A segment of another log that fits in number and batch: its statement gives it away.
TEST(WalDamage, SegmentOfAnotherLogIsDataLoss) {
  JobMix mix;
  mix.base = mix.reset = {0, 1};
  Specimen mixed = Grow(1, 1, 10, mix);
  Specimen other = Grow(2, 1, 10, mix);
  ASSERT_EQ(mixed.last_path, other.last_path);
  mixed.last() = other.last();
  const Verdict verdict = Judge(mixed);
  EXPECT_TRUE(absl::IsDataLoss(verdict.status)) << verdict.status;
  EXPECT_NE(verdict.status.message().find("but the segments before give"), absl::string_view::npos);
}

// The deletion of the oldest segment may be undone by a crash.
TEST(WalDamage, DeletedSegmentMayComeBack) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng = Rng(seed).Split("back");
    sim::SimFileSystem files;
    WalRig rig(files, kDirectory, {.groups = Groups(3), .segment_bytes_max = 700});
    ASSERT_TRUE(rig.Open().ok());
    JobMix mix;
    mix.base = {1, 2};
    std::string ghost_path, ghost;
    int ghosts = 0;
    for (int i = 0; i < 200; ++i) {
      const std::string oldest_path = rig.Segments().front();
      const std::string oldest = ReadAll(files, oldest_path);
      ASSERT_TRUE(rig.Commit(RandomJob(rng, mix, rig.expected())).ok());
      if (files.Exists(oldest_path)) continue;
      if (wal::ParseSegmentName(rig.Segments().front().substr(5)).value() !=
          wal::ParseSegmentName(oldest_path.substr(5)).value() + 1) {
        continue;  // Several went at once, each durably before the next.
      }
      ++ghosts;
      WriteAll(files, oldest_path, oldest);
      const absl::Status status = rig.Open();
      ASSERT_TRUE(status.ok()) << status;
      ASSERT_EQ(rig.found(), Describe(rig.expected())) << "seed " << seed << " commit " << i;
    }
    EXPECT_GT(ghosts, 3);
  }
}

TEST(WalDamage, NewerFormatIsRefused) {
  Specimen specimen = Grow(1, 1 << 20, 3, JobMix());
  std::string& bytes = specimen.last();
  bytes[8] = 9;  // the version
  const uint32_t crc = Crc32c(absl::string_view(bytes.data(), wal::kSegmentHeaderBytes - 4));
  bytes.replace(wal::kSegmentHeaderBytes - 4, 4,
                std::string(reinterpret_cast<const char*>(&crc), 4));
  const Verdict verdict = Judge(specimen);
  EXPECT_TRUE(absl::IsFailedPrecondition(verdict.status)) << verdict.status;
  EXPECT_FALSE(verdict.changed);
}

// Random bytes, and logs with many random flips: a Status, never a crash.
TEST(WalDamage, AnyBytesGetAnAnswer) {
  const Specimen whole = Grow(5, 3000, 40, JobMix());
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Rng rng = Rng(seed).Split("any bytes");
    Specimen damaged = whole;
    for (auto& [path, bytes] : damaged.segments) {
      const uint64_t flips = rng.Below(4);
      for (uint64_t i = 0; i < flips && !bytes.empty(); ++i) {
        const uint64_t at = rng.Below(bytes.size());
        bytes[at] = static_cast<char>(rng.Below(256));
      }
      if (rng.Chance({1, 20})) bytes.resize(rng.Below(bytes.size() + 1));
    }
    (void)Judge(damaged);
  }
}

}  // namespace
}  // namespace lockstep::storage
