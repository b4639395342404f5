#include "net/client/byte_buffers.h"

#include <grpc/slice.h>
#include <grpcpp/support/slice.h>

#include <cstring>
#include <iterator>
#include <utility>

#include "core/base/check.h"
#include "core/proto/wire.h"

namespace lockstep::net {
namespace {

// Below this, copying is cheaper than a slice of its own.
constexpr size_t kSharedBytesMin = size_t{16} << 10;

grpc::Slice Share(const Bytes& bytes) {
  const auto drop = [](void* owner) { delete static_cast<Bytes*>(owner); };
  auto* owner = new Bytes(bytes);
  return grpc::Slice(const_cast<char*>(bytes.data()), bytes.size(), drop, owner);
}

// What goes before the bytes of a piece that is shared: DirectCall and DirectAnswer alike.
void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

grpc::Slice Header(const Piece& piece) {
  std::string inner;
  if (piece.id != 0) {
    AppendVarint(1 << 3, &inner);
    AppendVarint(piece.id, &inner);
  }
  AppendVarint((2 << 3) | 2, &inner);
  AppendVarint(piece.bytes.size(), &inner);
  std::string header;
  AppendVarint((1 << 3) | 2, &header);
  AppendVarint(inner.size() + piece.bytes.size(), &header);
  header += inner;
  return grpc::Slice(header);
}

grpc::Slice Encode(const std::vector<Piece>& pieces) {
  grpc_slice slice = grpc_slice_malloc(ExchangeSize(pieces));
  EncodeExchange(pieces, reinterpret_cast<char*>(GRPC_SLICE_START_PTR(slice)));
  return grpc::Slice(slice, grpc::Slice::STEAL_REF);
}

}  // namespace

grpc::ByteBuffer ToByteBuffer(const Bytes& bytes) {
  if (bytes.size() < kSharedBytesMin) {
    const grpc::Slice slice(bytes.data(), bytes.size());
    return grpc::ByteBuffer(&slice, 1);
  }
  const grpc::Slice slice = Share(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer ToByteBuffer(const std::vector<Piece>& pieces) {
  std::vector<grpc::Slice> slices;
  std::vector<Piece> small;
  const auto close = [&] {
    if (!small.empty()) slices.push_back(Encode(small));
    small.clear();
  };
  for (const Piece& piece : pieces) {
    if (piece.bytes.size() < kSharedBytesMin) {
      small.push_back(piece);
      continue;
    }
    close();
    slices.push_back(Header(piece));
    slices.push_back(Share(piece.bytes));
  }
  close();
  return grpc::ByteBuffer(slices.data(), slices.size());
}

bool Flatten(const grpc::ByteBuffer& buffer, grpc::Slice* slice) {
  if (!buffer.Valid()) return false;
  return buffer.TrySingleSlice(slice).ok() || buffer.DumpToSingleSlice(slice).ok();
}

absl::string_view ViewOf(const grpc::Slice& slice) {
  return absl::string_view(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

std::optional<Bytes> FromByteBuffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return std::nullopt;
  return Bytes::Make(buffer.Length(), [&](char* to) {
    for (const grpc::Slice& slice : slices) {
      if (slice.size() > 0) std::memcpy(to, slice.begin(), slice.size());
      to += slice.size();
    }
  });
}

}  // namespace lockstep::net
