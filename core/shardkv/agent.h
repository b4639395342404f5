// The driver of hand-overs at the leader of a shard group: it asks for the next configuration,
// fetches what the group has gained, tells sources what has arrived, and deletes what nobody needs.
//
// A state machine like the others: events in, commands and messages out. It decides nothing:
// whatever is to be done follows from the replicated state (docs/decisions/0011), so a new leader
// begins from that and forgets nothing, and what is done twice or too late is harmless. What it
// remembers beside that state are only times: whom it has asked, and when to ask again. So a source
// that is dead costs a message now and then, and nobody waits for it but its own shards.
//
// Invariants: at most one part of a tenure is under way, and at most pulls_max parts in all.
#ifndef LOCKSTEP_CORE_SHARDKV_AGENT_H_
#define LOCKSTEP_CORE_SHARDKV_AGENT_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "core/proto/shard.pb.h"
#include "core/shardkv/tenure.h"

namespace lockstep::shardkv {

struct AgentOptions {
  Duration poll_every = std::chrono::milliseconds(200);  // for the next configuration
  Duration retry_min = std::chrono::milliseconds(100);   // after silence or a refusal, doubled...
  Duration retry_max = std::chrono::seconds(2);          // ...up to this
  uint32_t part_bytes_max = 256 << 10;                   // of records in one part
  uint32_t pulls_max = 4;                                // parts that are asked for at a time
  uint64_t pull_bytes_per_second_max = uint64_t{64} << 20;
};

// What is to be done. Appended to, never taken from.
struct AgentOutput {
  std::vector<proto::Command> proposals;  // entries of the group itself
  std::vector<std::pair<NodeId, proto::ShardMessage>> messages;
  std::vector<proto::GetConfiguration> configurations;  // ask the controller for these
};

class Agent {
 public:
  Agent(const AgentOptions& options, GroupId group, Rng rng);

  // This replica leads, and has applied all of earlier terms: `all` is the state it begins with.
  void Lead(Instant now, const proto::ShardStates& all);
  // It leads no more.
  void Rest();
  bool leads() const { return leads_; }

  // An entry of the group itself was applied, and changed this.
  void OnChanged(Instant now, const proto::ShardStates& changed);
  // The controller's answers, at any time: a configuration of any number; or there is none that was
  // asked for, up to the one named.
  void OnConfiguration(Instant now, const proto::Configuration& configuration);
  void OnNoConfiguration(uint64_t through);
  // An answer of another group, from one of its nodes.
  void OnAnswer(Instant now, const proto::ShardMessage& message);

  // At the end of a turn, and when wake_at() has come: what is due.
  void Act(Instant now, AgentOutput* out);
  Instant wake_at() const;

 private:
  // A tenure with something to be done.
  struct Task {
    proto::ShardTenure tenure;
    Instant due;                            // ask, or ask again
    bool asked = false;                     // an answer is waited for
    uint32_t silences = 0;                  // in a row
    size_t target = 0;                      // of the source's members, whom to ask
    std::optional<proto::TenurePart> part;  // arrived, to be proposed
    bool told = false;                      // the source knows; to be proposed
  };
  enum class Work : uint8_t { kNothing, kPull, kTell, kSweep };

  static Work WorkOf(const proto::ShardTenure& tenure);
  void Take(Instant now, const proto::ShardTenure& tenure);
  void ActOn(Instant now, Task& task, AgentOutput* out);
  void Pull(Instant now, Task& task, AgentOutput* out);
  void Tell(Instant now, Task& task, AgentOutput* out);
  void AskForConfiguration(Instant now, AgentOutput* out);
  void Again(Instant now, Task& task);
  proto::ShardMessage MessageOf(const Task& task) const;
  uint32_t PullsUnderWay() const;

  const AgentOptions options_;
  const GroupId group_;
  Rng rng_;
  bool leads_ = false;
  proto::ShardStates group_state_;  // without tenures
  absl::btree_map<TenureId, Task> tasks_;
  Instant poll_at_;
  uint64_t no_member_through_ = 0;            // up to this configuration the group does not join
  std::optional<proto::Reconfigure> change_;  // the next configuration, to be proposed
  Instant change_at_;                         // when
  Instant pull_at_;                           // not before: the rate is limited
};

// What `configuration` means for a group that has come to `state`. Nullopt: it is not its next one.
std::optional<proto::Reconfigure> ChangeFor(GroupId group, const proto::ShardStates& state,
                                            const proto::Configuration& configuration);

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_AGENT_H_
