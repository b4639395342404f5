#include "core/node/channel.h"

#include "core/proto/peer.pb.h"
#include "core/proto/wire.h"

namespace lockstep::node {
namespace {

constexpr size_t kControlBytesMax = size_t{64} << 10;

}  // namespace

Channel ChannelOf(absl::string_view head, size_t size) {
  constexpr uint32_t kAppend = proto::PeerMessage::kAppendRequestFieldNumber;
  constexpr uint32_t kChunk = proto::PeerMessage::kSnapshotChunkFieldNumber;
  wire::Reader reader(head);
  // The group and the term come before the body, of which the end may be elsewhere.
  for (int field = 0; field < 3; ++field) {
    const bool whole = reader.Next();
    if (reader.field() == kAppend) return Channel::kLog;
    if (reader.field() == kChunk) return Channel::kBulk;
    if (!whole) break;
  }
  return size > kControlBytesMax ? Channel::kBulk : Channel::kControl;
}

}  // namespace lockstep::node
