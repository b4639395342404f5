// The messages of lockstep.v1.Direct.Exchange in their wire format: ExchangeRequest and
// ExchangeReply are the same bytes, numbered pieces one after the other. Written into one buffer
// and read without copying, because every operation of the client library passes here twice.
// cluster.proto stays the definition; tests/unit/net/rpc_messages_test.cc holds the two
// together.
#ifndef LOCKSTEP_NET_CLIENT_EXCHANGE_H_
#define LOCKSTEP_NET_CLIENT_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/proto/wire.h"

namespace lockstep::net {

// The largest message either side takes: a CompareAndSwap carries two values of 64 MiB.
inline constexpr uint64_t kMessageBytesMax = uint64_t{130} << 20;
// A message stops growing beyond this; one piece may be larger alone.
inline constexpr uint64_t kExchangeBytesMax = uint64_t{512} << 10;
// Pieces in one message.
inline constexpr uint32_t kExchangePiecesMax = 4096;

// A DirectCall (a request) or a DirectAnswer (a reply).
struct Piece {
  uint64_t id = 0;
  Bytes bytes;
};

// Moves what fits one message from the front of `queue`, at least one piece if there is any.
std::vector<Piece> TakePieces(std::deque<Piece>* queue);

// Bytes of the message, and the message itself. REQUIRES: room for as many behind `to`.
size_t ExchangeSize(const std::vector<Piece>& pieces);
void EncodeExchange(const std::vector<Piece>& pieces, char* to);

// Calls `take(uint64_t id, absl::string_view bytes)` for each piece. False: malformed, or more than
// kExchangePiecesMax; then some may have been taken.
template <class Take>
bool DecodeExchange(absl::string_view message, Take&& take) {
  wire::Reader outer(message);
  uint32_t pieces = 0;
  while (outer.Next()) {
    if (outer.field() != 1) continue;
    if (++pieces > kExchangePiecesMax) return false;
    wire::Reader inner(outer.text());
    uint64_t id = 0;
    absl::string_view bytes;
    while (inner.Next()) {
      if (inner.field() == 1) id = inner.number();
      if (inner.field() == 2) bytes = inner.text();
    }
    if (!inner.ok()) return false;
    take(id, bytes);
  }
  return outer.ok();
}

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_CLIENT_EXCHANGE_H_
