// A client of one group, or of one shard wherever it is, as a state machine: it finds the leader,
// keeps a session, retries with the same sequence number, and tells the three outcomes of an
// operation apart. No I/O; time is an argument.
//
// What an attempt leaves behind decides the outcome. An attempt is "open" from when it is sent
// until a reply says that it definitely was not executed; an answer that never comes, or says that
// nobody knows, leaves it open for ever. An operation that ends without its reply is kNotExecuted
// if none of its attempts is open, otherwise kUnknown.
//
// A retry is safe only within one session. When the session is lost (SESSION_UNKNOWN), a command
// with an open attempt is kUnknown; one without goes on in the next session under a new sequence.
//
// Every operation has a timer that is never after its deadline, so nothing waits for ever.
//
// A shard takes its sessions along when it moves. So the client of a shard keeps session and
// sequence through Retarget, and a command that the old group has executed is answered by the new
// one from its stored reply.
#ifndef LOCKSTEP_CORE_CLIENT_CLIENT_H_
#define LOCKSTEP_CORE_CLIENT_CLIENT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/caller.h"
#include "core/client/events.h"
#include "core/client/options.h"
#include "core/proto/client.pb.h"

namespace lockstep::client {

class Client final : public Caller {
 public:
  // REQUIRES: ValidateClientOptions(options).ok().
  Client(const ClientOptions& options, Rng rng);

  // One event. Appends to `out` and sets out->wake_at. REQUIRES: now never goes back.
  void Step(Instant now, Input input, Output* out) override;

  size_t unfinished() const override;
  // The session in use; none before the first command, and while a new one is being registered.
  SessionId session() const { return session_; }
  // Whom it speaks to, and whom it takes for the leader.
  GroupId group() const { return options_.group; }
  NodeId leader() const { return leader_; }

 private:
  // kOwnCommand: its place in a session, if any, is the caller's.
  enum class Kind : uint8_t { kCommand, kOwnCommand, kQuery, kRegister };
  enum class Phase : uint8_t { kQueued, kAwaitingReply, kBackingOff };

  struct Operation {
    Kind kind = Kind::kQuery;
    Phase phase = Phase::kQueued;
    proto::ClientRequest request;  // a command's session and sequence are set when it starts
    Instant deadline = kNever;     // the registration has none: it ends with those who wait for it
    Instant timer = kNever;        // its entry in timers_; never after the deadline
    AttemptId current;             // kAwaitingReply: the attempt waited for
    NodeId target;                 // whom the last attempt went to
    uint64_t target_place = 0;     // and the value of place_ then
    std::vector<AttemptId> open;   // oldest first
    bool forgot_open = false;      // an open attempt had to be dropped from `open`
    bool redirected = false;       // followed a leader's name without a pause since the last pause
    uint64_t attempts = 0;
    uint32_t backoffs = 0;
    uint32_t silences = 0;     // attempts that waited for their answer in vain
    std::string last_problem;  // for the message at the deadline
    Instant sent = kNever;     // the last attempt
    proto::Stages stages;      // as the last answer told them
    Duration hop{0};           // of that answer, beside them
  };
  using Operations = absl::btree_map<OperationId, Operation>;
  // The registration is an operation of ours, under an id that no caller can use.
  static constexpr OperationId kRegistration = OperationId(0);

  // client.cc: from the queue to the deadline.
  void OnInvoke(Instant now, Invoke invoke, Output* out);
  void OnLeave(Output* out);
  NodeId Guess(NodeId hint);
  bool IsListed(NodeId node) const;
  NodeId TargetFor(const Operation& operation) const;
  void OnRetarget(Instant now, Retarget input, Output* out);
  void FireTimers(Instant now, Output* out);
  void OnTimer(Instant now, OperationId id, Output* out);
  void StartQueued(Instant now, Output* out);
  OperationId NextToStart() const;
  void Start(Instant now, OperationId id, Output* out);
  void KeepRegistering(Instant now, Output* out);
  void SendAttempt(Instant now, OperationId id, Operation& operation, Output* out);
  void SetTimer(OperationId id, Operation& operation, Instant due);
  void Finish(OperationId id, Outcome outcome, Output* out);
  void FinishUnanswered(OperationId id, absl::Status status, proto::Result result, Output* out);
  void Erase(OperationId id);
  uint64_t FirstOutstanding() const;
  void CheckInvariants() const;

  // replies.cc: what an answer means, and what to do next.
  void OnReply(Instant now, const Reply& input, Output* out);
  void NoteStages(Instant now, OperationId id, const proto::Stages& stages);
  void OnFailed(Instant now, const Failed& input, Output* out);
  void OnExecuted(OperationId id, proto::Result result, Output* out);
  void OnRefused(Instant now, OperationId id, AttemptId attempt, const proto::ClientReply& reply,
                 Output* out);
  void OnDoubt(const Operation& operation, const proto::Result& result, Output* out);
  void OnNoAnswer(Instant now, OperationId id, AttemptId attempt, std::string problem, Output* out);
  void OnFinal(OperationId id, AttemptId attempt, proto::Result result, Output* out);
  void OnSessionUnknown(Instant now, OperationId id, AttemptId attempt, Output* out);
  void Retry(Instant now, OperationId id, Output* out);
  void Requeue(OperationId id, Operation& operation);
  void CloseAttempt(Operation& operation, AttemptId attempt);
  bool MayBeExecuted(const Operation& operation) const;
  bool SessionLost(const Operation& operation) const;
  bool IsHere(const Operation& operation) const { return operation.target_place == place_; }
  void LeaderIsNot(const Operation& operation, NodeId hint);

  ClientOptions options_;  // `group` and `nodes` as of the last Retarget
  Rng rng_;
  Instant now_ = Instant::min();
  NodeId leader_;           // the best guess
  size_t turn_ = 0;         // of `nodes`, whose turn it was last, hints apart
  uint32_t strangers_ = 0;  // that were named by one another, up to the guess
  uint64_t place_ =
      1;  // counts where it has been: an answer from elsewhere says nothing of leader_
  AttemptId last_attempt_;
  OperationId last_operation_;

  Operations operations_;
  absl::btree_set<std::pair<Instant, OperationId>> timers_;
  absl::btree_map<AttemptId, OperationId> attempts_;  // the open ones
  absl::btree_set<OperationId> queued_commands_;
  absl::btree_set<OperationId> queued_others_;  // which need no session
  uint32_t started_ = 0;                        // without the registration

  SessionId session_;
  uint64_t next_sequence_ = 1;                          // in session_
  absl::btree_map<uint64_t, OperationId> by_sequence_;  // unfinished ones of session_
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_CLIENT_H_
