// The token with which a List goes on where an answer ended. Opaque to clients. It names the last
// key that was given and nothing of the state it was read from, so it stays good whatever is
// written in between and at any replica: keys that appear or vanish behind it are not seen, those
// ahead of it are seen as they are when the next part is read.
#ifndef LOCKSTEP_CORE_KV_CONTINUATION_H_
#define LOCKSTEP_CORE_KV_CONTINUATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/kv/options.h"

namespace lockstep::kv {

// A token for the list of `prefix` that has given all keys through `final_key`.
std::string MakeContinuation(absl::string_view prefix, absl::string_view final_key);

// The final key of a token. InvalidArgument when it is not one of ours or belongs to another
// prefix. The view points into `token`.
absl::StatusOr<absl::string_view> ReadContinuation(absl::string_view prefix,
                                                   absl::string_view token, const KvLimits& limits);

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_CONTINUATION_H_
