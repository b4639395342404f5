// Which connection a message takes, also when only its beginning is at hand.
#include "core/node/channel.h"

#include <gtest/gtest.h>

#include <string>

#include "core/raft/codec.h"

namespace lockstep::node {
namespace {

raft::Message AppendOf(size_t bytes) {
  raft::AppendRequest append;
  append.entries.push_back(
      {Index(1), Term(1), EntryKind::kCommand, Bytes::Copy(std::string(bytes, 'x'))});
  return {Term(1), append};
}

Channel Of(const Parcel& parcel) { return ChannelOf(parcel.head.view(), parcel.size()); }

TEST(Channel, AppendsKeepTheirOrder) {
  EXPECT_EQ(Of(raft::EncodePeerParcel(GroupId(7), AppendOf(10))), Channel::kLog);
  const Parcel large = raft::EncodePeerParcel(GroupId(7), AppendOf(size_t{1} << 20));
  ASSERT_FALSE(large.tail.empty());
  EXPECT_EQ(Of(large), Channel::kLog) << "by its head alone";
  EXPECT_EQ(Of(raft::EncodePeerParcel(GroupId(0), {Term(), AppendOf(size_t{1} << 20).body})),
            Channel::kLog);
}

// The incarnation stands before the body, too: a loop that looked at three fields never saw that of
// a shard group's append.
TEST(Channel, AppendsOfAKnownIncarnationKeepTheirOrder) {
  raft::Message append = AppendOf(10);
  append.incarnation = IncarnationId(0xABCDEF);
  EXPECT_EQ(Of(raft::EncodePeerParcel(GroupId(101), append)), Channel::kLog);
  raft::Message large = AppendOf(size_t{1} << 20);
  large.incarnation = IncarnationId(0xABCDEF);
  EXPECT_EQ(Of(raft::EncodePeerParcel(GroupId(101), large)), Channel::kLog);
  const raft::SnapshotChunk chunk{.snapshot = {Index(1), Term(1)}, .data = Bytes::Copy("x")};
  EXPECT_EQ(Of(raft::EncodePeerParcel(GroupId(101), {Term(1), chunk, IncarnationId(0xABCDEF)})),
            Channel::kBulk);
}

TEST(Channel, WhatIsSmallIsControl) {
  EXPECT_EQ(Of(raft::EncodePeerParcel(GroupId(7), {Term(1), raft::TimeoutNow{}})),
            Channel::kControl);
  EXPECT_EQ(ChannelOf("", 0), Channel::kControl);
}

TEST(Channel, WhatIsLargeIsBulk) {
  const raft::SnapshotChunk chunk{.snapshot = {Index(1), Term(1)}, .data = Bytes::Copy("x")};
  EXPECT_EQ(Of(raft::EncodePeerParcel(GroupId(7), {Term(1), chunk})), Channel::kBulk);
  EXPECT_EQ(ChannelOf("anything", size_t{1} << 20), Channel::kBulk);
}

}  // namespace
}  // namespace lockstep::node
