// Raft messages on the wire (core/proto/peer.proto), and the door: nothing malformed gets past it.
#ifndef LOCKSTEP_CORE_RAFT_CODEC_H_
#define LOCKSTEP_CORE_RAFT_CODEC_H_

#include "absl/status/status.h"
#include "core/base/bytes.h"
#include "core/base/parcel.h"
#include "core/base/types.h"
#include "core/raft/messages.h"

namespace lockstep::raft {

Bytes EncodePeerMessage(GroupId group, const Message& message);
// The same; the data of a large last entry is not copied.
Parcel EncodePeerParcel(GroupId group, const Message& message);

// InvalidArgument when the bytes are no message or fail Validate; `*group` and `*message` are
// unspecified then. Entries and snapshot data share the buffer of `bytes`.
absl::Status DecodePeerMessage(const Bytes& bytes, GroupId* group, Message* message);

// Shape and bounds: what no correct replica ever sends. Checked by DecodePeerMessage.
absl::Status Validate(const Message& message);

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_CODEC_H_
