// Forwarded requests and replies on the wire: what Protobuf reads, without a copy of the payload.
#include "core/gateway/forwarding_message.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/rng.h"
#include "core/proto/node.pb.h"

namespace lockstep::gateway {
namespace {

Forwarding Drawn(Rng& rng, size_t bytes) {
  Forwarding forwarding;
  forwarding.kind = rng.Below(2) == 0 ? Forwarding::Kind::kRequest : Forwarding::Kind::kReply;
  forwarding.life = rng.Magnitude(1, UINT64_MAX) - 1;
  forwarding.id = rng.Magnitude(1, UINT64_MAX) - 1;
  forwarding.other_life = rng.Magnitude(1, UINT64_MAX) - 1;
  forwarding.not_taken = forwarding.kind == Forwarding::Kind::kReply && rng.Below(4) == 0;
  forwarding.payload = Bytes::Copy(std::string(bytes, static_cast<char>('a' + rng.Below(26))));
  return forwarding;
}

void ExpectSame(const Forwarding& a, const Forwarding& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.life, b.life);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.other_life, b.other_life);
  EXPECT_EQ(a.not_taken, b.not_taken);
  EXPECT_EQ(a.payload, b.payload);
}

TEST(ForwardingMessage, ProtobufReadsTheSame) {
  Rng rng(1);
  for (int i = 0; i < 1000; ++i) {
    const Forwarding said = Drawn(rng, rng.Below(100));
    const Bytes bytes = Encode(said).Joined();
    proto::NodeMessage read;
    ASSERT_TRUE(read.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    if (said.kind == Forwarding::Kind::kRequest) {
      ASSERT_TRUE(read.has_forwarded_request());
      EXPECT_EQ(read.forwarded_request().id(), said.id);
      EXPECT_EQ(read.forwarded_request().to_life(), said.other_life);
      EXPECT_EQ(read.forwarded_request().request(), said.payload.view());
    } else {
      ASSERT_TRUE(read.has_forwarded_reply());
      EXPECT_EQ(read.forwarded_reply().from_life(), said.other_life);
      EXPECT_EQ(read.forwarded_reply().not_taken(), said.not_taken);
      EXPECT_EQ(read.forwarded_reply().reply(), said.payload.view());
    }
    const auto back = DecodeForwarding(Bytes::Copy(read.SerializeAsString()));
    ASSERT_TRUE(back.has_value());
    ExpectSame(*back, said);
  }
}

TEST(ForwardingMessage, ALargePayloadIsNeverCopied) {
  Rng rng(2);
  const Forwarding said = Drawn(rng, size_t{1} << 20);
  const Parcel parcel = Encode(said);
  EXPECT_EQ(parcel.tail.data(), said.payload.data());
  const Bytes arrived = parcel.Joined();
  const auto read = DecodeForwarding(arrived);
  ASSERT_TRUE(read.has_value());
  ExpectSame(*read, said);
  EXPECT_GE(read->payload.data(), arrived.data());
  EXPECT_LE(read->payload.data() + read->payload.size(), arrived.data() + arrived.size());
}

TEST(ForwardingMessage, OtherMessagesAreNone) {
  EXPECT_FALSE(DecodeForwarding(Bytes()).has_value());
  proto::NodeMessage bundle;
  bundle.add_bundle("x");
  EXPECT_FALSE(DecodeForwarding(Bytes::Copy(bundle.SerializeAsString())).has_value());
}

TEST(ForwardingMessage, BadBytesAreHarmless) {
  Rng rng(3);
  for (int i = 0; i < 20000; ++i) {
    std::string text(Encode(Drawn(rng, rng.Below(50))).Joined().view());
    for (uint64_t left = rng.Between(1, 4); left > 0 && !text.empty(); --left) {
      const size_t at = rng.Below(text.size());
      if (rng.Below(2) == 0) {
        text[at] = static_cast<char>(rng.Below(256));
      } else {
        text.resize(at);
      }
    }
    const Bytes bytes = Bytes::Copy(text);
    const auto read = DecodeForwarding(bytes);
    if (!read.has_value() || read->payload.empty()) continue;
    ASSERT_GE(read->payload.data(), bytes.data());
    ASSERT_LE(read->payload.data() + read->payload.size(), bytes.data() + bytes.size());
  }
}

}  // namespace
}  // namespace lockstep::gateway
