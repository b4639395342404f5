// Between our bytes and gRPC's.
#ifndef LOCKSTEP_NET_CLIENT_BYTE_BUFFERS_H_
#define LOCKSTEP_NET_CLIENT_BYTE_BUFFERS_H_

#include <grpcpp/support/byte_buffer.h>

#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "net/client/exchange.h"

namespace lockstep::net {

// Shares the bytes.
grpc::ByteBuffer ToByteBuffer(const Bytes& bytes);
// An ExchangeRequest or ExchangeReply of these. Large pieces are shared, not copied.
grpc::ByteBuffer ToByteBuffer(const std::vector<Piece>& pieces);

// A buffer of their own. Nothing: gRPC could not read it.
std::optional<Bytes> FromByteBuffer(const grpc::ByteBuffer& buffer);

// The whole as one run of bytes, shared if it is one already. False: gRPC could not read it.
bool Flatten(const grpc::ByteBuffer& buffer, grpc::Slice* slice);
absl::string_view ViewOf(const grpc::Slice& slice);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_CLIENT_BYTE_BUFFERS_H_
