// The bytes of the log: what is built is read back, and nothing else is.
#include "storage/wal_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/rng.h"

namespace lockstep::storage::wal {
namespace {

TEST(WalFormat, SegmentNames) {
  EXPECT_EQ(SegmentName(1), "0000000000000001.log");
  EXPECT_EQ(SegmentName(1234567890123456), "1234567890123456.log");
  EXPECT_EQ(ParseSegmentName("0000000000000042.log"), 42u);
  for (const char* name :
       {"", "1.log", "0000000000000000.log", "000000000000000a.log", "0000000000000001.tmp",
        "00000000000000001.log", "-000000000000001.log", "0000000000000001.log~", "LOCK"}) {
    EXPECT_EQ(ParseSegmentName(name), std::nullopt) << name;
  }
}

// A segment with one record of each type.
std::string Build(SegmentHeader* header) {
  *header = {.sequence = 3, .first_batch = 17, .salt = 0xABCD};
  FrameBuilder builder;
  builder.BeginSegment(*header);
  builder.AddGroup({GroupId(5), {Term(6), NodeId(7)}, {Index(8), Term(9)}, Index(10)});
  std::string segment(builder.Finish());
  builder.Begin(18, header->salt);
  builder.AddHardState(GroupId(1), {Term(2), NodeId(3)});
  builder.AddBase(RecordType::kBase, GroupId(1), {Index(4), Term(2)});
  builder.AddBase(RecordType::kReset, GroupId(2), {Index(40), Term(20)});
  builder.AddTruncate(GroupId(1), Index(6));
  builder.AddEntry(GroupId(1), {Index(6), Term(2), EntryKind::kNoop, Bytes()});
  const size_t entry =
      builder.AddEntry(GroupId(1), {Index(7), Term(2), EntryKind::kCommand, Bytes::Copy("data")});
  const std::string record = std::string(builder.Finish()).substr(entry, kEntryRecordBytes + 4);
  builder.Begin(18, header->salt);
  builder.AddHardState(GroupId(1), {Term(2), NodeId(3)});
  builder.AddBase(RecordType::kBase, GroupId(1), {Index(4), Term(2)});
  builder.AddBase(RecordType::kReset, GroupId(2), {Index(40), Term(20)});
  builder.AddTruncate(GroupId(1), Index(6));
  builder.AddEntry(GroupId(1), {Index(6), Term(2), EntryKind::kNoop, Bytes()});
  builder.AddEntry(GroupId(1), {Index(7), Term(2), EntryKind::kCommand, Bytes::Copy("data")});
  builder.AddRewrite(record);
  const absl::string_view frame = builder.Finish();
  return segment.append(frame.data(), frame.size());
}

TEST(WalFormat, EveryRecordIsReadBack) {
  SegmentHeader header;
  const std::string segment = Build(&header);
  const auto decoded = DecodeSegmentHeader(segment);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->sequence, 3u);
  EXPECT_EQ(decoded->first_batch, 17u);
  EXPECT_EQ(decoded->salt, 0xABCDu);

  Frame frame;
  ASSERT_TRUE(DecodeFrame(segment, kSegmentHeaderBytes, 17, 0xABCD, &frame).ok());
  ASSERT_EQ(frame.records.size(), 1u);
  EXPECT_EQ(frame.records[0].type, RecordType::kGroup);
  EXPECT_EQ(frame.records[0].group, GroupId(5));
  EXPECT_EQ(frame.records[0].hard_state, (HardState{Term(6), NodeId(7)}));
  EXPECT_EQ(frame.records[0].position, (LogPosition{Index(8), Term(9)}));
  EXPECT_EQ(frame.records[0].last, Index(10));

  ASSERT_TRUE(DecodeFrame(segment, frame.end_offset, 18, 0xABCD, &frame).ok());
  EXPECT_EQ(frame.end_offset, segment.size());
  const std::vector<Record>& records = frame.records;
  ASSERT_EQ(records.size(), 7u);
  EXPECT_EQ(records[0].hard_state, (HardState{Term(2), NodeId(3)}));
  EXPECT_EQ(records[1].type, RecordType::kBase);
  EXPECT_EQ(records[1].position, (LogPosition{Index(4), Term(2)}));
  EXPECT_EQ(records[2].type, RecordType::kReset);
  EXPECT_EQ(records[2].group, GroupId(2));
  EXPECT_EQ(records[3].type, RecordType::kTruncate);
  EXPECT_EQ(records[3].position.index, Index(6));
  EXPECT_EQ(records[4].kind, EntryKind::kNoop);
  EXPECT_EQ(records[4].data, "");
  for (const size_t i : {5u, 6u}) {
    EXPECT_EQ(records[i].type, i == 5 ? RecordType::kAppend : RecordType::kRewrite);
    EXPECT_EQ(records[i].group, GroupId(1));
    EXPECT_EQ(records[i].position, (LogPosition{Index(7), Term(2)}));
    EXPECT_EQ(records[i].kind, EntryKind::kCommand);
    EXPECT_EQ(records[i].data, "data");
    EXPECT_EQ(records[i].bytes, kEntryRecordBytes + 4);
  }
}

// Behind the last of all numbers would come 0, and what follows would be read as what was before.
TEST(WalFormat, CommitsThatNoLogReachesAreDamage) {
  for (const uint64_t batch : {kBatchMax, kBatchMax + 1, UINT64_MAX}) {
    const SegmentHeader header{.sequence = 1, .first_batch = batch, .salt = 7};
    FrameBuilder builder;
    builder.BeginSegment(header);
    builder.Begin(batch, header.salt);
    FrameBuilder segment;
    segment.BeginSegment(header);
    const std::string bytes(segment.Finish());
    EXPECT_EQ(DecodeSegmentHeader(bytes).ok(), batch == kBatchMax);
    const std::string frame(builder.Finish());
    EXPECT_EQ(DecodeFrameHeader(frame, 0).has_value(), batch == kBatchMax);
  }
}

TEST(WalFormat, EveryFlippedByteAndEveryCutIsNoticed) {
  SegmentHeader header;
  const std::string whole = Build(&header);
  Frame frame;
  ASSERT_TRUE(DecodeFrame(whole, kSegmentHeaderBytes, 17, header.salt, &frame).ok());
  const uint64_t second = frame.end_offset;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x04);
    EXPECT_EQ(DecodeSegmentHeader(bytes).ok(), at >= kSegmentHeaderBytes) << at;
    const bool in_first = at >= kSegmentHeaderBytes && at < second;
    EXPECT_EQ(DecodeFrame(bytes, kSegmentHeaderBytes, 17, header.salt, &frame).ok(), !in_first);
    EXPECT_EQ(DecodeFrame(bytes, second, 18, header.salt, &frame).ok(), at < second) << at;
    bytes = whole.substr(0, at);
    EXPECT_FALSE(DecodeFrame(bytes, second, 18, header.salt, &frame).ok()) << at;
  }
}

// Two records of equal length change places: each one's checksum is right, their sequence is not.
TEST(WalFormat, RecordsMayNotChangePlaces) {
  FrameBuilder builder;
  builder.Begin(1, 2);
  builder.AddTruncate(GroupId(1), Index(6));
  builder.AddTruncate(GroupId(1), Index(5));
  std::string bytes(builder.Finish());
  Frame frame;
  ASSERT_TRUE(DecodeFrame(bytes, 0, 1, 2, &frame).ok());
  const size_t size = frame.records[0].bytes;
  std::swap_ranges(bytes.begin() + kFrameHeaderBytes,
                   bytes.begin() + static_cast<int64_t>(kFrameHeaderBytes + size),
                   bytes.begin() + static_cast<int64_t>(kFrameHeaderBytes + size));
  EXPECT_TRUE(absl::IsDataLoss(DecodeFrame(bytes, 0, 1, 2, &frame)));
}

TEST(WalFormat, DamageIsLocated) {
  SegmentHeader header;
  std::string segment = Build(&header);
  Frame frame;
  ASSERT_TRUE(DecodeFrame(segment, kSegmentHeaderBytes, 17, header.salt, &frame).ok());
  const uint64_t second = frame.end_offset;
  ASSERT_TRUE(DecodeFrame(segment, second, 18, header.salt, &frame).ok());
  const uint64_t at = frame.records[2].offset;
  segment[at + 20] = '!';
  const absl::Status status = DecodeFrame(segment, second, 18, header.salt, &frame);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_EQ(status.message(), "byte " + std::to_string(at) + ": record fails its checksum");
}

TEST(WalFormat, WrongBatchOrSaltIsNoFrame) {
  SegmentHeader header;
  const std::string segment = Build(&header);
  Frame frame;
  EXPECT_FALSE(DecodeFrame(segment, kSegmentHeaderBytes, 16, header.salt, &frame).ok());
  EXPECT_FALSE(DecodeFrame(segment, kSegmentHeaderBytes, 18, header.salt, &frame).ok());
  EXPECT_FALSE(DecodeFrame(segment, kSegmentHeaderBytes, 17, header.salt + 1, &frame).ok());
}

TEST(WalFormat, FramesAreFoundBehindGarbage) {
  SegmentHeader header;
  const std::string segment = Build(&header);
  const std::string bytes = std::string(1001, '\xE5') + segment;
  EXPECT_EQ(FindFrame(bytes, 0, 17, header.salt), 1001 + kSegmentHeaderBytes);
  EXPECT_GT(FindFrame(bytes, 0, 18, header.salt).value(), 1001 + kSegmentHeaderBytes);
  EXPECT_EQ(FindFrame(bytes, 0, 19, header.salt), std::nullopt);
  EXPECT_EQ(FindFrame(bytes, 0, 17, header.salt + 1), std::nullopt);
  EXPECT_EQ(FindFrame(bytes, 0, 17, std::nullopt), 1001 + kSegmentHeaderBytes);
  EXPECT_EQ(FindFrame(bytes, bytes.size() + 9, 1, std::nullopt), std::nullopt);
}

TEST(WalFormat, RandomBytesAreNoRecords) {
  Rng rng(1);
  Frame frame;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(rng.Below(300), '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.Next());
    EXPECT_FALSE(DecodeSegmentHeader(bytes).ok());
    EXPECT_FALSE(DecodeFrame(bytes, 0, 1, 0, &frame).ok());
    EXPECT_FALSE(DecodeRecord(bytes, 0).ok());
  }
}

}  // namespace
}  // namespace lockstep::storage::wal
