// Frames of the peer protocol, from an untrusted stream. However the stream is cut into pieces, the
// same frames come out with the same verdict; what was framed comes out as it was; and one flipped
// bit never passes for a frame.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "net/framing.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kFramesMax = 32;

struct Seen {
  std::vector<std::pair<net::FrameKind, std::string>> frames;
  absl::Status status;

  friend bool operator==(const Seen& a, const Seen& b) {
    return a.frames == b.frames && a.status == b.status;
  }
};

// Feeds `stream` in pieces of the sizes that `next_piece` says; 0: all that is left.
template <class NextPiece>
Seen Read(absl::string_view stream, uint64_t payload_bytes_max, NextPiece next_piece) {
  Seen seen;
  net::FrameReader reader;
  reader.set_payload_bytes_max(payload_bytes_max);
  const auto take = [&](net::FrameKind kind, Bytes payload) {
    seen.frames.emplace_back(kind, std::string(payload.view()));
    return true;
  };
  while (!stream.empty() && seen.status.ok()) {
    const size_t wanted = next_piece();
    const absl::string_view piece = stream.substr(0, wanted == 0 ? stream.size() : wanted);
    seen.status = reader.Feed(piece, take);
    stream.remove_prefix(piece.size());
  }
  return seen;
}

void CheckPiecesDoNotMatter(absl::string_view stream, uint64_t payload_bytes_max, Input cuts) {
  const Seen whole = Read(stream, payload_bytes_max, [] { return size_t{0}; });
  const Seen pieces = Read(stream, payload_bytes_max, [&] { return size_t{cuts.Byte()} % 64; });
  const Seen bytes = Read(stream, payload_bytes_max, [] { return size_t{1}; });
  Check(whole == pieces);
  Check(whole == bytes);
  for (const auto& [kind, payload] : whole.frames) CheckLe(payload.size(), payload_bytes_max);
}

// Frames as a correct peer sends them, then perhaps with one bit flipped on the way.
void CheckFramesComeThrough(Input& input) {
  std::string stream;
  Seen sent;
  const size_t count = input.Below(kFramesMax);
  for (size_t i = 0; i < count; ++i) {
    const auto kind = static_cast<net::FrameKind>(1 + input.Below(4));
    const std::string payload(input.Text(512));
    const net::FrameHeader header = net::MakeFrameHeader(kind, payload);
    stream.append(header.data(), header.size());
    stream += payload;
    sent.frames.emplace_back(kind, payload);
  }
  const bool flip = input.Flip();
  const size_t bit = stream.empty() ? 0 : input.Number(4) % (stream.size() * 8);
  const Seen intact = Read(stream, net::kHandshakeBytesMax, [] { return size_t{0}; });
  Check(intact == sent);
  if (!flip || stream.empty()) return;
  stream[bit / 8] = static_cast<char>(stream[bit / 8] ^ (1 << (bit % 8)));
  const Seen damaged = Read(stream, net::kHandshakeBytesMax, [] { return size_t{0}; });
  CheckLt(damaged.frames.size(), sent.frames.size());
  for (size_t i = 0; i < damaged.frames.size(); ++i) Check(damaged.frames[i] == sent.frames[i]);
}

void RunFrames(Input input) {
  if (input.Flip()) return CheckFramesComeThrough(input);
  // Half of the limits are so low that an input can reach them.
  const uint64_t payload_bytes_max = input.Flip() ? net::kHandshakeBytesMax : input.Below(256);
  const Input cuts = input;
  CheckPiecesDoNotMatter(input.rest(), payload_bytes_max, cuts);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunFrames(lockstep::fuzz::Input(data, size));
  return 0;
}
