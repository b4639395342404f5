#include "core/node/channel.h"

#include "core/proto/peer.pb.h"
#include "core/proto/wire.h"

namespace lockstep::node {
namespace {

constexpr size_t kControlBytesMax = size_t{64} << 10;

}  // namespace

Channel ChannelOf(const Bytes& message) {
  constexpr uint32_t kAppend = proto::PeerMessage::kAppendRequestFieldNumber;
  constexpr uint32_t kChunk = proto::PeerMessage::kSnapshotChunkFieldNumber;
  wire::Reader reader(message.view());
  // The group and the term come before the body.
  for (int field = 0; field < 3 && reader.Next(); ++field) {
    if (reader.field() == kAppend) return Channel::kLog;
    if (reader.field() == kChunk) return Channel::kBulk;
  }
  return message.size() > kControlBytesMax ? Channel::kBulk : Channel::kControl;
}

}  // namespace lockstep::node
