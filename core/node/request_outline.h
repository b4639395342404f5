// A client's write as far as it must be looked at before it goes into the log: without its value,
// which may be large and is not copied.
#ifndef LOCKSTEP_CORE_NODE_REQUEST_OUTLINE_H_
#define LOCKSTEP_CORE_NODE_REQUEST_OUTLINE_H_

#include <cstdint>

#include "core/base/bytes.h"
#include "core/proto/client.pb.h"

namespace lockstep::node {

// Reads an encoded proto::ClientRequest that holds a Put or an Append. *request is what parsing it
// would give, but that the value is missing; *value_bytes is how long it is. False: the request is
// another one, or written in an unusual way, or malformed; parse it then. Total.
bool ReadOutline(const Bytes& bytes, proto::ClientRequest* request, uint64_t* value_bytes);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_REQUEST_OUTLINE_H_
