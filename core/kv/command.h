// Commands and queries: how they are made, and what makes one acceptable.
//
// Validation runs at the door, before anything is proposed, so that a bad request costs no log
// entry; the machine runs the same validation again when it applies, because a log may hold
// anything.
#ifndef LOCKSTEP_CORE_KV_COMMAND_H_
#define LOCKSTEP_CORE_KV_COMMAND_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/kv/options.h"
#include "core/proto/client.pb.h"

namespace lockstep::kv {

// InvalidArgument: the request makes no sense. OutOfRange: a key or value is over its limit. The
// messages are for people: what is wrong, the value, the limit, and what to do.
//
// A command must name an operation. Keys are 1 to key_bytes_max bytes: an empty key is refused,
// since it is nearly always a forgotten field. RegisterSession carries no session, sequence or
// first_outstanding; CloseSession only the session; all others have
//   1 <= first_outstanding <= sequence < first_outstanding + session_window_max.
// A Batch holds 1 to batch_operations_max operations, each on a key of its own.
absl::Status ValidateCommand(const proto::Command& command, const KvLimits& limits);
// Of a value that is not at hand: how long it may be.
absl::Status ValidateValueBytes(uint64_t bytes, const KvLimits& limits);
// The second half of it, for whatever operation: session, sequence and first_outstanding.
absl::Status ValidatePlace(const proto::Command& command, const KvLimits& limits);
absl::Status ValidateQuery(const proto::Query& query, const KvLimits& limits);

// The code that a client gets for a status of the functions above. REQUIRES: !status.ok().
proto::Code CodeOf(const absl::Status& status);
// A whole answer made from such a status.
proto::Result RefusalFor(const absl::Status& status);

// The key that it is about; empty when it names none.
absl::string_view KeyOf(const proto::BatchOperation& operation);
// The same of a command; of a batch, the first one's. REQUIRES: a batch has operations.
absl::string_view KeyOf(const proto::Command& command);

// Commands without their place in a session.
proto::Command MakePut(absl::string_view key, absl::string_view value);
proto::Command MakeAppend(absl::string_view key, absl::string_view value);
proto::Command MakeDelete(absl::string_view key);
// `expected` absent: the key must be missing. `value` absent: the key is deleted.
proto::Command MakeCompareAndSwap(absl::string_view key, std::optional<absl::string_view> expected,
                                  std::optional<absl::string_view> value);
// All or nothing. `commands` are put, append, delete and compare_and_swap.
proto::Command MakeBatch(const std::vector<proto::Command>& commands);
// Complete commands.
proto::Command MakeRegisterSession(uint64_t nonce);
proto::Command MakeCloseSession(SessionId session);
// Puts a command in its place.
proto::Command InSession(proto::Command command, SessionId session, uint64_t sequence,
                         uint64_t first_outstanding);

proto::Query MakeGet(absl::string_view key);
proto::Query MakeGetMany(const std::vector<std::string>& keys);
// `limit` 0: as many as the server gives.
proto::Query MakeList(absl::string_view prefix, absl::string_view start = "", uint32_t limit = 0,
                      absl::string_view continuation = "");

Bytes Encode(const google::protobuf::MessageLite& message);

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_COMMAND_H_
