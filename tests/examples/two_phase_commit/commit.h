// Two-phase commit (Gray 1978), presumed abort: node 1 coordinates, the nodes after it take part.
//
//   client       begin T        ->  coordinator
//   coordinator  prepare T      ->  participants
//   participant  yes T | no T   ->  coordinator    once the vote is on disk
//   coordinator  commit T       ->  participants   once the decision is on disk; all voted yes
//   coordinator  abort T        ->  participants   somebody voted no, or time is up
//   participant  ask T          ->  coordinator    prepared, and nobody tells what was decided
//
// Whoever voted yes has to wait for the decision, however long the coordinator is down. Who asks
// about a transaction that the coordinator does not remember is told: abort.
#ifndef LOCKSTEP_TESTS_EXAMPLES_TWO_PHASE_COMMIT_COMMIT_H_
#define LOCKSTEP_TESTS_EXAMPLES_TWO_PHASE_COMMIT_COMMIT_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/runtime/host.h"
#include "core/runtime/process.h"
#include "core/runtime/record_log.h"

namespace examples {

using lockstep::Bytes;
using lockstep::Index;
using lockstep::NodeId;

inline constexpr NodeId kCoordinator{1};

// Planted, to be found.
enum class CommitMistake {
  kNone,
  kTellsTooEarly,  // the coordinator announces commits that are not yet on its disk
  kForgetsVotes,   // a participant that restarts takes what it had prepared for aborted
};

// What both have in common: records of what was decided, applied once they are on disk, and
// messages that wait for that.
class CommitServer : public lockstep::Process {
 public:
  void OnStorage(lockstep::Lane lane, lockstep::Ticket ticket,
                 absl::StatusOr<lockstep::StorageResult> result) override;
  void OnPeerLink(NodeId /*peer*/, bool /*up*/) override {}
  void OnTurnEnd() override;

 protected:
  CommitServer(const lockstep::ReplicaImage& disk, const lockstep::Host& host)
      : host_(host), log_(disk) {}

  // The record is on disk: what it says holds from now on.
  virtual void Apply(const std::string& verb, const std::string& transaction) = 0;
  void ApplyDurable();
  // Leaves when all that was recorded so far is on disk.
  void SendWhenDurable(NodeId to, const std::string& text);
  void SendNow(NodeId to, const std::string& text);
  void Record(const std::string& text) { log_.Append(Bytes::Copy(text)); }

  const lockstep::Host host_;

 private:
  struct Waiting {
    Index after;
    NodeId to;
    std::string text;
  };

  lockstep::RecordLog log_;
  Index applied_;
  std::deque<Waiting> waiting_;
};

class Coordinator final : public CommitServer {
 public:
  Coordinator(const lockstep::ReplicaImage& disk, const lockstep::Host& host, uint16_t participants,
              CommitMistake mistake);

  void OnRequest(lockstep::RequestId id, const Bytes& request) override;
  void OnMessage(NodeId from, const Bytes& message) override;
  void OnWake() override;

 private:
  struct Active {
    lockstep::RequestId client;
    lockstep::Instant deadline;
    std::set<NodeId> yes;
    bool decided = false;  // to commit; only waits for the disk
  };

  void Apply(const std::string& verb, const std::string& transaction) override;
  void OnYes(NodeId from, const std::string& transaction);
  void Abort(const std::string& transaction);
  void Announce(const std::string& text);

  const uint16_t participants_;
  const CommitMistake mistake_;
  std::map<std::string, Active> active_;
  std::set<std::string> committed_;
};

class Participant final : public CommitServer {
 public:
  Participant(const lockstep::ReplicaImage& disk, const lockstep::Host& host, lockstep::Rng rng,
              CommitMistake mistake);

  void OnRequest(lockstep::RequestId /*id*/, const Bytes& /*request*/) override {}
  void OnMessage(NodeId from, const Bytes& message) override;
  void OnWake() override;

  struct Decision {
    std::string transaction;
    bool commit = false;
  };
  // What was decided here, in the order in which it was recorded. Only grows, over restarts too.
  const std::vector<Decision>& decisions() const { return decisions_; }
  // Voted yes, and no decision is known.
  const std::set<std::string>& prepared() const { return prepared_; }

 private:
  void Apply(const std::string& verb, const std::string& transaction) override;
  void OnPrepare(const std::string& transaction);

  lockstep::Rng rng_;
  std::set<std::string> voting_;  // the vote is on its way to the disk
  std::set<std::string> prepared_;
  std::map<std::string, bool> decided_;  // by transaction: commit?
  std::vector<Decision> decisions_;
};

}  // namespace examples

#endif  // LOCKSTEP_TESTS_EXAMPLES_TWO_PHASE_COMMIT_COMMIT_H_
