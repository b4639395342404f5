// A client of the sharded store as a state machine: it finds the group of each shard, and works
// through moves. No I/O; time is an argument.
//
// It asks the controller for the configuration when it needs one, sends each operation to the group
// that has the shard of its keys, and asks again when a group says that it has not, or is silent.
// Each shard in use has a Client of its own with its own session, which is retargeted when the
// shard moves and keeps session and sequence. So what that Client promises holds here: executed at
// most once, three outcomes, nothing waits beyond its deadline.
//
// What is atomic, and what is not:
//   put, append, delete, compare_and_swap, get    atomic, linearizable
//   batch      all or nothing. All keys of one shard, as keys that share a {tag} are; refused else
//   get_many   of one shard: all values from one state. Of several: each shard's from one state,
//   but
//              not the same moment for all; kNotExecuted if any of them cannot be read
//   InvokeBulk each shard's in batches of their own: some may be executed and others not
//   list       all shards, ascending keys. Each key is as it was at some moment between invocation
//              and answer, a key that is absent too; not one snapshot. The continuation names a key
//              and no group, so it outlives moves. A request may not name shards: that is ours
//   join, leave, move, unpin, get_configuration   go to the controller
//
// Without configuration or without groups operations wait, to their deadline.
#ifndef LOCKSTEP_CORE_CLIENT_ROUTER_H_
#define LOCKSTEP_CORE_CLIENT_ROUTER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/caller.h"
#include "core/client/client.h"
#include "core/client/events.h"
#include "core/client/gather.h"
#include "core/client/router_options.h"
#include "core/client/routes.h"

namespace lockstep::client {

class Router final : public Caller {
 public:
  // REQUIRES: ValidateRouterOptions(options).ok().
  Router(const RouterOptions& options, Rng rng);

  void Step(Instant now, Input input, Output* out) override;

  size_t unfinished() const override { return operations_.size(); }
  // Of the configuration in use; 0: none yet.
  uint64_t configuration_num() const { return routes_.num(); }
  // The newest members of the controller that it has heard of; membership 0: those of its options.
  const LearnControllers& controllers() const { return controllers_; }
  // Shards with a client of their own.
  size_t shard_clients() const { return shard_lines_; }

 private:
  using Body = std::variant<proto::Command, proto::Query, std::vector<proto::BatchOperation>>;

  // A client of ours, by its slot: a shard's number, or one of those behind the shards. A slot may
  // be taken again; attempts are numbered on, so that late answers find nobody.
  using Slot = uint32_t;
  static constexpr uint32_t kSlotBits = 20;
  static constexpr Slot kAdminSlot = kRoutedShardsMax;
  static constexpr Slot kRefreshSlot = kAdminSlot + 1;
  static constexpr Slot kFirstGroupSlot = kAdminSlot + 2;
  struct Line {
    Line(const ClientOptions& options, Rng rng, uint64_t first)
        : client(options, rng), attempts_before(first) {}
    Client client;
    const uint64_t attempts_before;  // ours is the client's, plus this
    Instant timer = kNever;          // its entry in line_timers_
    uint64_t idle_since = 0;         // its entry in idle_; 0: not there
  };

  struct Operation {
    Body body = {};  // until it is routed
    Invoke::Place place = Invoke::Place::kGiven;
    std::string key = {};      // as in Invoke
    bool stale = false;        // a query that takes any state
    bool any_replica = false;  // a query that any replica may answer
    Instant deadline = kNever;
    Instant timer = kNever;  // its entry in timers_
    std::variant<std::monostate, GatheredGet, GatheredBulk, GatheredList> gathered = {};
    size_t parts = 0;  // under way; of a gathered get or bulk
    uint32_t backoffs = 0;
    std::string last_problem = {};
    proto::Stages stages = {};  // of the last part that is done
    Duration hop{0};            // likewise
  };
  // An operation of one of our clients. Its id there counts over all of them.
  struct PartOf {
    OperationId operation;  // none: nobody waits for it any more
    size_t place = 0;
    Slot slot = 0;
  };

  // router.cc: operations, from the call to the answer.
  void Handle(Instant now, Input input, Output* out);
  void OnInvoke(Instant now, OperationId id, Operation operation, Output* out);
  absl::Status WhyNot(const Operation& operation) const;
  void OnTimer(Instant now, OperationId id, Output* out);
  void OnLeave(Instant now, Output* out);
  void Begin(Instant now, OperationId id, Output* out);
  void BeginCommand(Instant now, OperationId id, proto::Command command, Output* out);
  void BeginQuery(Instant now, OperationId id, proto::Query query, Output* out);
  void BeginParts(Instant now, OperationId id, std::vector<Part> parts, Output* out);
  void Settle(Instant now, Output* out);
  void OnPart(Instant now, Completion completion, Output* out);
  void Wait(OperationId id);
  void SetTimer(OperationId id, Operation& operation, Instant due);
  void Finish(OperationId id, Outcome outcome, Output* out);
  void Refuse(OperationId id, absl::Status status, Output* out);
  Duration Pause(uint32_t backoffs);
  void CheckInvariants() const;

  // router_list.cc
  void PlanList(Instant now, OperationId id, Output* out);
  void OnListPart(Instant now, OperationId id, OperationId part, Outcome outcome, Output* out);
  void AbandonMisplaced(OperationId id);
  void Abandon(OperationId part);

  // router_lines.cc: the clients of ours.
  Slot ShardLine(ShardId shard);
  Slot GroupLine(GroupId group);
  ClientOptions OptionsAt(GroupId group) const;
  NodeId LeaderOf(GroupId group) const;
  void NoteLeader(const Client& client, const std::vector<Completion>& completions);
  void Open(Slot slot, const ClientOptions& options);
  void Close(Slot slot);
  void Dispatch(Instant now, Slot slot, OperationId id, size_t place,
                std::variant<proto::Command, proto::Query> operation, Output* out);
  void StepLine(Instant now, Slot slot, Input input, Output* out);
  void Forward(Slot slot, const Line& line, std::vector<Send> sends, Output* out);
  void NoteUse(Slot slot, Line& line);
  void EvictIdle(Instant now, Output* out);
  void OnAnswer(Instant now, AttemptId attempt, Input input, Output* out);

  // router_refresh.cc: the configuration.
  bool RefreshWanted() const;
  void KeepRefreshing(Instant now, Output* out);
  void OnRefreshed(Instant now, const Outcome& outcome, Output* out);
  void Learn(Instant now, const proto::Configuration& configuration, Output* out);
  void Retarget(Instant now, Output* out);
  void OnControllers(Instant now, const LearnControllers& controllers, Output* out);
  void RetargetControllers(Instant now, Output* out);
  std::vector<NodeId> ControllerNodes() const;
  ClientOptions OptionsAtControllers() const;
  void DropDeparted();
  void Doubt(Instant now, const Output& line);
  void DoubtIfOld(Instant now);

  const RouterOptions options_;
  Rng rng_;
  Instant now_ = Instant::min();
  OperationId last_operation_;
  OperationId last_part_;
  absl::btree_map<OperationId, Operation> operations_;
  absl::btree_set<std::pair<Instant, OperationId>> timers_;
  absl::btree_set<OperationId> waiting_;  // for a configuration with groups
  absl::btree_set<OperationId> lists_;    // begun
  absl::btree_map<OperationId, PartOf> parts_;
  std::deque<Completion> completed_;  // parts, within one Step

  absl::btree_map<Slot, std::unique_ptr<Line>> lines_;
  absl::btree_map<GroupId, Slot> group_slots_;
  absl::btree_map<GroupId, NodeId> leaders_;  // that answered last; members of the configuration
  absl::btree_set<std::pair<Instant, Slot>> line_timers_;
  absl::btree_set<std::pair<uint64_t, Slot>> idle_;  // shards' lines, least recently used first
  size_t shard_lines_ = 0;
  uint64_t uses_ = 0;
  uint64_t lines_opened_ = 0;
  uint64_t last_attempt_ = 0;  // above all attempts so far, of any line
  Output scratch_;

  Routes routes_;
  LearnControllers controllers_;
  bool controllers_silent_ = false;  // the last question to them was answered in vain
  Instant fetched_at_;               // when the controller last said that there is none newer
  OperationId refreshing_;           // the question under way
  Instant refresh_at_;               // no other before this
  uint32_t refresh_backoffs_ = 0;
  bool doubted_ = false;         // somebody was told, or fears, that there is a newer one
  std::string refresh_problem_;  // of the last question that was answered in vain
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_ROUTER_H_
