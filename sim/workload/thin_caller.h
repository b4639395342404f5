// A client that knows nothing of groups: it asks any node, whose gateway routes (core/gateway).
// What a caller of the public API does, as a state machine.
//
//   reads          asked again, of another node, after silence or a refusal
//   without a session, and bulks: one call. No answer, or "unknown", and the outcome is unknown; it
//                  is not repeated
//   with sessions  one for each shard in use, opened and closed through gateways. After silence the
//                  same sequence is sent to another node: executed once from end to end
//
// "Not executed" is a gateway's word for its own call alone. A command with a session may have been
// executed by an earlier call, through another gateway: calls without an answer stay open, as the
// attempts of a Client do.
#ifndef LOCKSTEP_SIM_WORKLOAD_THIN_CALLER_H_
#define LOCKSTEP_SIM_WORKLOAD_THIN_CALLER_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/caller.h"
#include "core/proto/gateway.pb.h"

namespace lockstep::sim {

struct ThinOptions {
  std::vector<NodeId> nodes;  // whom it may ask
  uint32_t shards = 1;        // of the store: sessions belong to shards
  bool sessions = false;      // commands have a place in a session of the caller's
  Duration patience_min{0};   // that a call names; doubled after each that got no good answer
  Duration grace{0};          // that the answer may come later than that
  Duration pause{0};          // before asking again
};

class ThinCaller final : public client::Caller {
 public:
  ThinCaller(const ThinOptions& options, Rng rng);

  void Step(Instant now, client::Input input, client::Output* out) override;
  size_t unfinished() const override { return operations_.size() - registering_; }

 private:
  enum class Kind : uint8_t { kRead, kOnce, kInSession, kRegister };
  enum class Phase : uint8_t { kQueued, kAsking, kPausing };

  struct Operation {
    Kind kind = Kind::kRead;
    Phase phase = Phase::kQueued;
    proto::GatewayRequest request;
    uint32_t shard = 0;  // of a command with a session
    Instant deadline = kNever;
    Instant timer = kNever;
    client::AttemptId current;
    NodeId target;                            // of the current attempt
    absl::btree_set<client::AttemptId> open;  // calls that may have executed it
  };
  struct Session {
    SessionId id;  // none: there is none yet
    uint64_t next = 1;
    absl::btree_map<uint64_t, client::OperationId> unfinished;  // by sequence
  };
  // Registrations are operations of ours, under ids that no caller reaches.
  static client::OperationId RegistrationOf(uint32_t shard) {
    return client::OperationId((uint64_t{1} << 60) + shard);
  }

  void OnInvoke(Instant now, client::Invoke invoke, client::Output* out);
  void OnInvokeBulk(Instant now, client::InvokeBulk bulk, client::Output* out);
  void Register(Instant now, uint32_t shard, client::Output* out);
  void StartQueued(Instant now, uint32_t shard, client::Output* out);
  void Ask(Instant now, client::OperationId id, client::Output* out);
  NodeId DrawNode();
  void OnReply(Instant now, const client::Reply& reply, client::Output* out);
  void OnExecuted(Instant now, client::OperationId id, proto::GatewayReply reply,
                  client::Output* out);
  void OnNotExecuted(Instant now, client::OperationId id, client::AttemptId attempt,
                     proto::GatewayReply reply, client::Output* out);
  void OnNoAnswer(Instant now, client::OperationId id, proto::GatewayReply reply,
                  client::Output* out);
  void OnTimer(Instant now, client::OperationId id, client::Output* out);
  void AskAgain(Instant now, client::OperationId id, client::Output* out);
  void LoseSession(Instant now, client::OperationId id, client::Output* out);
  void Pause(Instant now, Operation& operation);
  // Without its answer: what is open decides.
  void FinishUnanswered(client::OperationId id, proto::GatewayReply reply, client::Output* out);
  void Finish(client::OperationId id, client::Outcome outcome, client::Output* out);
  void MaybeClose(uint32_t shard, absl::string_view key, client::Output* out);

  const ThinOptions options_;
  Rng rng_;
  NodeId silent_;          // the last node that did not answer in time
  uint32_t failures_ = 0;  // calls in a row without a good answer
  client::AttemptId last_attempt_;
  absl::btree_map<client::OperationId, Operation> operations_;
  absl::btree_map<client::AttemptId, client::OperationId> attempts_;  // the open ones
  absl::btree_map<uint32_t, Session> sessions_;                       // by shard
  size_t registering_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_THIN_CALLER_H_
