// What goes into a client and what comes out of it. All values.
#ifndef LOCKSTEP_CORE_CLIENT_EVENTS_H_
#define LOCKSTEP_CORE_CLIENT_EVENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"

namespace lockstep::client {

// Names an operation of the caller, who counts them up from 1.
using OperationId = Id<struct OperationIdTag>;
// Names one request on its way, and the reply to it. Never used again.
using AttemptId = Id<struct AttemptIdTag>;

// --- Inputs

// Begin an operation. REQUIRES: id above all earlier ones, deadline < kNever.
struct Invoke {
  OperationId id;
  std::variant<proto::Command, proto::Query> operation;
  Instant deadline;
  // kGiven: the command holds an operation alone, and gets a place in the client's session.
  // kOwn: it is sent as it is. Either it has its place in a session of the caller's, which makes
  // its retries safe, or it opens or closes one: an opening that is retried may leave another
  // session behind, which expires.
  enum class Place : uint8_t { kGiven, kOwn };
  Place place = Place::kGiven;
  // To a Router, with a command that opens or closes a session: any key of the shard meant.
  std::string key = {};
};
// Begin many writes at once, WITHOUT atomicity: each is executed or not on its own, in any order,
// and some may be while others are not. Outcome::each says what became of each. A Router takes it,
// a Client refuses it: there a Batch does more. The same rules for `id` and `deadline`.
struct InvokeBulk {
  OperationId id;
  std::vector<proto::BatchOperation> operations;  // every key at most once
  Instant deadline;
};
// A node's answer (an encoded proto::ClientReply). May come late or more than once.
struct Reply {
  AttemptId attempt;
  Bytes reply;
};
// No answer is to be expected any more: the connection failed. A help to be quick, never required.
struct Failed {
  AttemptId attempt;
  // True: the request certainly never reached the node (the connection was refused).
  bool undelivered = false;
};
// The time Output::wake_at has come.
struct Wake {};
// The caller goes away: closes the session, as a courtesy to the group, without waiting for an
// answer. Ignored while operations are unfinished.
struct Leave {};
// To a Client: what it speaks to is found elsewhere from now on. Session and sequences stay. What
// pauses is tried there at once; what awaits an answer waits for it no longer than a first attempt
// would. No change: no effect. REQUIRES: as ValidateClientOptions of `nodes`.
struct Retarget {
  GroupId group;
  std::vector<NodeId> nodes;
  NodeId leader = {};  // as in ClientOptions
};

// To a Router: somebody near has heard who the controllers are, by their own configuration with the
// id `membership`. Older news have no effect. REQUIRES: ascending nodes from 1, at least one.
struct LearnControllers {
  uint64_t membership = 0;
  std::vector<NodeId> nodes;
};

using Input =
    std::variant<Invoke, InvokeBulk, Reply, Failed, Wake, Leave, Retarget, LearnControllers>;

// --- Outputs

// A request (an encoded proto::ClientRequest) to be carried to a node. The carrier may lose or
// delay it but must deliver it AT MOST ONCE (as any RPC over TCP does): "definitely not executed"
// rests on it, since the refusal of one copy would say nothing of another.
struct Send {
  AttemptId attempt;
  NodeId to;
  Bytes request;
  OperationId operation;  // whose attempt it is; none: of a session, its beginning or end
};

struct Outcome {
  enum class Kind : uint8_t {
    kOk,           // executed once; `result` is its reply. CONFLICT is such a reply, and so is
                   // what the controller refuses.
    kNotExecuted,  // certainly without effect, now and later; `status` says why. Also unfinished
                   // reads, which have no effect anyway.
    kUnknown,      // executed once, or not, or later still (at most once); `status` says why.
  };
  Kind kind = Kind::kUnknown;
  absl::Status status;   // OK exactly when kind is kOk
  proto::Result result;  // kOk: the reply. Otherwise the refusal that settled it, if one did.
  // InvokeBulk: of each operation in its place; empty when it was refused as a whole. Then `kind`
  // is kOk if all are, kNotExecuted if all are, and otherwise kUnknown.
  std::vector<Outcome> each = {};
  // Where the time of the last answer went: at the replica, and on the way there and back. What of
  // the operation's time is left was spent here.
  proto::Stages stages = {};
  Duration hop{0};
};
// Of all stages together, in microseconds.
inline uint64_t SumUs(const proto::Stages& stages) {
  return stages.queue_us() + stages.log_us() + stages.replicate_us() + stages.apply_us() +
         stages.barrier_us() + stages.read_us();
}
struct Completion {
  OperationId id;
  Outcome outcome;
};

struct Output {
  std::vector<Send> sends;
  std::vector<Completion> completions;
  Instant wake_at =
      kNever;  // when to step with Wake, if nothing comes before; replaces all earlier
  // Of a Client, reasons to doubt that it speaks to the right group. An attempt got no answer; or,
  // of the client of one shard: a node does not know the group; the group does not have the shard,
  // as of this configuration.
  bool unanswered = false;
  bool group_unknown = false;
  bool leader_unlisted =
      false;  // who leads the group is none of the nodes that are known, or nobody
  std::optional<uint64_t> refused_at = {};
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_EVENTS_H_
