// The driver of hand-overs at the leader of a shard group: it asks for the next configuration,
// fetches what the group has gained, tells sources what has arrived, and deletes what nobody needs.
//
// A state machine like the others: events in, commands and messages out. It decides nothing:
// whatever is to be done follows from the replicated state (docs/decisions/0011), so a new leader
// begins from that and forgets nothing, and what is done twice or too late is harmless. What it
// remembers beside that state are only times: whom it has asked, and when to ask again. So a source
// that is dead costs a message now and then, and nobody waits for it but its own shards.
//
// A tenure names its source with the members of that time. They may all have been replaced since:
// of a source that answers nothing useful the newest configuration says who they are now. It is
// asked for again by every leader that needs it, so nobody has to remember it.
//
// Invariants: at most one part of a tenure is under way, at most pulls_max of a source, and one of
// a source that is silent; at most pulls_total_max in all. A proposal is made again only after it
// was lost or refused.
#ifndef LOCKSTEP_CORE_SHARDKV_AGENT_H_
#define LOCKSTEP_CORE_SHARDKV_AGENT_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "core/base/pace.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "core/proto/shard.pb.h"
#include "core/shardkv/tenure.h"

namespace lockstep::shardkv {

struct AgentOptions {
  Duration poll_every = std::chrono::milliseconds(200);  // for the next configuration
  Duration retry_min = std::chrono::milliseconds(100);   // after silence or a refusal, doubled...
  // ...up to this. An answer is waited for a quarter as long, and longer after others that did not
  // come, up to twice as long.
  Duration retry_max = std::chrono::seconds(2);
  uint32_t part_bytes_max = 64 << 10;  // of records in one part; one always fits
  uint32_t pulls_max = 4;              // parts that one source is asked for at a time
  uint32_t pulls_total_max = 64;       // and all sources together
  // Tenures that the group keeps, those included that are frozen or being deleted. At the bound its
  // leader takes no configuration that gives it more, until its neighbours have fetched what is
  // theirs. At least twice the shards of the cluster, or a configuration might never be taken.
  uint32_t tenures_max = 4 * 16384;
};

// What is to be done. Appended to, never taken from.
struct AgentOutput {
  // Entries of the group itself. What becomes of one that is not applied with success must be told
  // by its number: Agent::OnLost or OnRefused.
  struct Proposal {
    uint64_t number = 0;
    proto::Command command;
  };
  std::vector<Proposal> proposals;
  std::vector<std::pair<NodeId, proto::ShardMessage>> messages;
  std::vector<proto::GetConfiguration> configurations;  // ask the controller for these
};

class Agent {
 public:
  // `pace`: what is fetched keeps to it, together with whatever else does. It outlives the agent.
  Agent(const AgentOptions& options, GroupId group, Rng rng, Pace& pace);

  // This replica leads, and has applied all of earlier terms: `all` is the state it begins with.
  void Lead(Instant now, const proto::ShardStates& all);
  // It leads no more.
  void Rest();
  bool leads() const { return leads_; }
  // The configuration with which the group joined last, as far as its leader has come; 0: it never
  // did, or this replica does not lead.
  uint64_t joined() const { return leads_ ? group_state_.joined() : 0; }

  // An entry of the group itself was applied, and changed this.
  void OnChanged(Instant now, const proto::ShardStates& changed);
  // A proposal may never be executed; or it was, and refused.
  void OnLost(Instant now, uint64_t proposal);
  void OnRefused(Instant now, uint64_t proposal);
  // The controller's answers, at any time: a configuration of any number; or there is none that was
  // asked for, up to the one named.
  void OnConfiguration(Instant now, const proto::Configuration& configuration);
  void OnNoConfiguration(Instant now, uint64_t through);
  // The newest one that somebody knows. It says where groups are, and is none to be taken next: a
  // group may have more to do in those before it.
  void OnNewest(const proto::Configuration& configuration);
  // An answer of another group, from one of its nodes.
  void OnAnswer(Instant now, const proto::ShardMessage& message);

  // At the end of a turn, and when wake_at() has come: what is due.
  void Act(Instant now, AgentOutput* out);
  Instant wake_at() const;

 private:
  // A tenure with something to be done.
  struct Task {
    proto::ShardTenure tenure;
    Instant due = kNever;                   // its entry in due_
    bool waits = false;                     // for its turn to be fetched: in its source's list
    bool pulls = false;                     // counts as under way
    bool asked = false;                     // an answer is waited for
    uint32_t refusals = 0;                  // in a row
    uint32_t silences = 0;                  // questions without an answer, in a row
    size_t target = 0;                      // the one of the source's members that was asked
    std::optional<proto::TenurePart> part;  // arrived, to be proposed
    bool told = false;                      // the source knows; to be proposed
    uint64_t proposed = 0;                  // the proposal under way; 0: none
  };
  // A group that shards are fetched from. Whom to ask is learnt once for all of its shards.
  struct Source {
    size_t reader = 0;  // of its members, who is asked for parts
    size_t leader = 0;  // and who is told
    uint32_t pulls = 0;
    bool silent = false;  // it did not answer the last time
    absl::btree_set<TenureId> waiting;
  };
  enum class Work : uint8_t { kNothing, kPull, kTell, kSweep };

  // agent.cc: events.
  static Work WorkOf(const proto::ShardTenure& tenure);
  void Take(Instant now, const proto::ShardTenure& tenure);
  void Drop(TenureId id);
  void OnPart(Instant now, TenureId id, Task& task, const proto::ReadAnswer& answer);
  void OnTold(Instant now, TenureId id, Task& task, const proto::DropAnswer& answer);
  void PollLater(Instant now);
  void LearnMembers(const proto::Configuration& configuration);

  // agent_work.cc: what is due.
  void SetDue(TenureId id, Task& task, Instant due);
  void Again(Instant now, TenureId id, Task& task);
  Source& SourceOf(const Task& task) { return sources_[task.tenure.source().gid()]; }
  size_t& TargetOf(const Task& task);
  const proto::ShardGroup& NowOf(const Task& task) const;
  void NoteFruitless(const Task& task);
  void AskAnother(const Task& task);
  Duration Patience(uint32_t silences) const;
  void ActOn(Instant now, TenureId id, AgentOutput* out);
  void AskForConfiguration(Instant now, AgentOutput* out);
  void Wait(TenureId id, Task& task);
  void StopPulling(TenureId id, Task& task);
  void PullWaiting(Instant now, AgentOutput* out);
  bool HasRoom(const Source& source) const;
  bool MayPull() const;
  bool HasRoomForChange() const;
  void Tell(Instant now, TenureId id, Task& task, AgentOutput* out);
  void Ask(Instant now, TenureId id, Task& task, proto::ShardMessage message, AgentOutput* out);
  proto::Command& Propose(Task& task, AgentOutput* out);
  proto::ShardMessage MessageOf(const Task& task) const;

  const AgentOptions options_;
  const GroupId group_;
  Rng rng_;
  Pace& pace_;
  bool leads_ = false;
  proto::ShardStates group_state_;     // without tenures
  absl::btree_set<TenureId> tenures_;  // all that there are
  absl::btree_map<TenureId, Task> tasks_;
  absl::btree_set<std::pair<Instant, TenureId>> due_;
  absl::btree_map<uint64_t, Source> sources_;  // by gid
  // By gid and `joined`: the groups whose members have changed since then, members or not, in the
  // newest configuration seen.
  absl::btree_map<std::pair<uint64_t, uint64_t>, proto::ShardGroup> changed_;
  uint64_t changed_num_ = 0;    // of that configuration
  bool newest_wanted_ = false;  // some source has been asked in vain
  Instant newest_at_;           // not before: the newest may be large
  uint64_t last_source_ = 0;    // whose turn it was
  uint32_t pulls_ = 0;          // under way, of all sources
  uint64_t last_proposal_ = 0;
  absl::btree_map<uint64_t, TenureId> proposed_;  // those of tasks

  Instant poll_at_;
  uint32_t poll_silences_ = 0;                // polls without an answer, in a row
  uint64_t no_member_through_ = 0;            // up to this configuration the group does not join
  std::optional<proto::Reconfigure> change_;  // the next configuration, to be proposed
  Instant change_at_ = kNever;                // when; kNever: it is under way
  uint64_t change_proposed_ = 0;
};

// What `configuration` means for a group that has come to `state`. Nullopt: it is not its next one.
std::optional<proto::Reconfigure> ChangeFor(GroupId group, const proto::ShardStates& state,
                                            const proto::Configuration& configuration);

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_AGENT_H_
