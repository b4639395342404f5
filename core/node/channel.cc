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
  // Before the body, of which the end may be elsewhere, come the group, the term and the
  // incarnation.
  constexpr uint32_t kBodies = proto::PeerMessage::kPreVoteRequestFieldNumber;
  wire::Reader reader(head);
  bool whole = true;
  do {
    whole = reader.Next();
    if (reader.field() == kAppend) return Channel::kLog;
    if (reader.field() == kChunk) return Channel::kBulk;
  } while (whole && reader.field() < kBodies);
  return size > kControlBytesMax ? Channel::kBulk : Channel::kControl;
}

}  // namespace lockstep::node
