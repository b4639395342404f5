// Frames of the peer protocol: length, kind, checksum, payload.
//
//   u32  length of the payload, little endian
//   u8   kind
//   u32  CRC-32C over kind and payload
//   ...  payload
//
// What arrives is untrusted: a frame that is too long, of an unknown kind or damaged ends the
// connection.
#ifndef LOCKSTEP_NET_FRAMING_H_
#define LOCKSTEP_NET_FRAMING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"

namespace lockstep::net {

enum class FrameKind : uint8_t {
  kHello = 1,    // proto::Hello
  kWelcome = 2,  // proto::Welcome
  kMessage = 3,  // an encoded PeerMessage or NodeMessage
  kPing = 4,     // empty: the connection is alive
};

inline constexpr size_t kFrameHeaderBytes = 9;
// The largest command (two values of 64 MiB in a CompareAndSwap) in an AppendRequest, and room.
inline constexpr uint64_t kFrameBytesMax = uint64_t{160} << 20;
// Before the handshake is done.
inline constexpr uint64_t kHandshakeBytesMax = uint64_t{1} << 20;

using FrameHeader = std::array<char, kFrameHeaderBytes>;
// Of a payload in two pieces; `tail` may be empty.
FrameHeader MakeFrameHeader(FrameKind kind, absl::string_view payload, absl::string_view tail = {});

// Puts frames together from what arrives in pieces. The checksum is computed as the bytes come, so
// that a large frame costs no long pause at its end.
class FrameReader {
 public:
  // Longer payloads are refused. May be raised between frames.
  void set_payload_bytes_max(uint64_t bytes) { payload_bytes_max_ = bytes; }

  // Hands each complete frame to `take`, which may say false: then the rest is dropped and Feed
  // returns OK. DataLoss or OutOfRange: the connection is of no further use.
  using Take = std::function<bool(FrameKind kind, Bytes payload)>;
  absl::Status Feed(absl::string_view bytes, const Take& take);

 private:
  absl::Status BeginPayload();
  void AddToPayload(absl::string_view part);

  uint64_t payload_bytes_max_ = kHandshakeBytesMax;
  FrameHeader header_;
  size_t header_bytes_ = 0;
  FrameKind kind_ = FrameKind::kPing;
  uint32_t expected_crc_ = 0;
  uint32_t crc_ = 0;
  Bytes payload_;         // being filled
  char* fill_ = nullptr;  // into payload_
  size_t missing_ = 0;    // bytes of the payload
  bool in_payload_ = false;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_FRAMING_H_
