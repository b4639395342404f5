#include "net/framing.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"

namespace lockstep::net {
namespace {

struct Taken {
  FrameKind kind;
  std::string payload;
  friend bool operator==(const Taken&, const Taken&) = default;
};

std::string Framed(FrameKind kind, const std::string& payload) {
  const FrameHeader header = MakeFrameHeader(kind, payload);
  return std::string(header.data(), header.size()) + payload;
}

FrameReader::Take Into(std::vector<Taken>* taken) {
  return [taken](FrameKind kind, Bytes payload) {
    taken->push_back({kind, std::string(payload.view())});
    return true;
  };
}

TEST(Framing, AnyPiecesGiveTheSameFrames) {
  const std::vector<Taken> want = {{FrameKind::kHello, "hello"},
                                   {FrameKind::kPing, ""},
                                   {FrameKind::kMessage, std::string(100000, 'x')},
                                   {FrameKind::kPing, ""}};
  std::string stream;
  for (const Taken& frame : want) stream += Framed(frame.kind, frame.payload);
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    FrameReader reader;
    std::vector<Taken> taken;
    for (size_t at = 0; at < stream.size();) {
      const size_t part = std::min<size_t>(rng.Magnitude(1, 20000), stream.size() - at);
      ASSERT_TRUE(reader.Feed(absl::string_view(stream).substr(at, part), Into(&taken)).ok());
      at += part;
    }
    ASSERT_EQ(taken, want);
  }
}

TEST(Framing, EveryFlippedBitIsNoticed) {
  const std::string good = Framed(FrameKind::kMessage, "some bytes that matter");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    FrameReader reader;
    std::vector<Taken> taken;
    // A longer length only makes it wait for more; what follows then does not match.
    absl::Status status = reader.Feed(bad, Into(&taken));
    if (status.ok()) status = reader.Feed(std::string(2 << 20, '\0'), Into(&taken));
    EXPECT_FALSE(status.ok()) << "bit " << bit;
    EXPECT_TRUE(taken.empty()) << "bit " << bit;
  }
}

TEST(Framing, ATooLongFrameIsRefusedBeforeItIsRead) {
  FrameReader reader;
  std::vector<Taken> taken;
  reader.set_payload_bytes_max(10);
  EXPECT_TRUE(reader.Feed(Framed(FrameKind::kMessage, "0123456789"), Into(&taken)).ok());
  const FrameHeader header = MakeFrameHeader(FrameKind::kMessage, "0123456789a");
  const absl::Status status =
      reader.Feed(absl::string_view(header.data(), header.size()), Into(&taken));
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(std::string(status.message()), "a frame of 11 bytes; allowed are 10");
  EXPECT_EQ(taken.size(), 1u);
}

TEST(Framing, WhoeverTakesMayStopIt) {
  FrameReader reader;
  int taken = 0;
  const std::string two = Framed(FrameKind::kPing, "") + Framed(FrameKind::kPing, "");
  EXPECT_TRUE(reader
                  .Feed(two,
                        [&](FrameKind, Bytes) {
                          ++taken;
                          return false;
                        })
                  .ok());
  EXPECT_EQ(taken, 1);
}

}  // namespace
}  // namespace lockstep::net
