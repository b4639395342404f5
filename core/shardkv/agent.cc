#include "core/shardkv/agent.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/shardkv/command.h"

namespace lockstep::shardkv {

Agent::Agent(const AgentOptions& options, GroupId group, Rng rng, Pace& pace)
    : options_(options), group_(group), rng_(rng), pace_(pace) {
  CheckLt(Duration(0), options_.poll_every);
  CheckLt(Duration(0), options_.retry_min);
  CheckLe(options_.retry_min, options_.retry_max);
  CheckLe(1u, options_.pulls_max);
  CheckLe(1u, options_.pulls_total_max);
}

// --- The replicated state

void Agent::Lead(Instant now, const proto::ShardStates& all) {
  Rest();
  leads_ = true;
  group_state_ = all;
  group_state_.clear_tenures();
  poll_at_ = now;
  newest_at_ = now;
  for (const proto::ShardTenure& tenure : all.tenures()) Take(now, tenure);
}

void Agent::Rest() {
  leads_ = false;
  tenures_.clear();
  tasks_.clear();
  due_.clear();
  sources_.clear();
  proposed_.clear();
  pulls_ = 0;
  poll_silences_ = 0;
  no_member_through_ = 0;
  change_.reset();
  newest_wanted_ = false;
}

void Agent::OnChanged(Instant now, const proto::ShardStates& changed) {
  if (!leads_) return;
  if (changed.num() > group_state_.num()) {
    group_state_ = changed;
    group_state_.clear_tenures();
    change_.reset();
    poll_at_ = now;  // There may be more.
  }
  for (const proto::ShardTenure& tenure : changed.tenures()) Take(now, tenure);
}

Agent::Work Agent::WorkOf(const proto::ShardTenure& tenure) {
  if (tenure.state() == proto::SHARD_PULLING) return Work::kPull;
  if (tenure.state() == proto::SHARD_NONE) return Work::kNothing;
  const bool dropped = tenure.state() == proto::SHARD_DROPPED;
  if (dropped && tenure.summary().content() != 0) return Work::kSweep;
  if (tenure.source().gid() != 0) return Work::kTell;
  return dropped ? Work::kSweep : Work::kNothing;
}

// News of a tenure: what was under way for its former state is void.
void Agent::Take(Instant now, const proto::ShardTenure& tenure) {
  const TenureId id{tenure.shard(), tenure.since()};
  Drop(id);
  if (tenure.state() == proto::SHARD_NONE) {
    tenures_.erase(id);
  } else {
    tenures_.insert(id);
  }
  const Work work = WorkOf(tenure);
  if (work == Work::kNothing) return;
  Task& task = tasks_[id];
  task.tenure = tenure;
  work == Work::kPull ? Wait(id, task) : SetDue(id, task, now);
}

void Agent::Drop(TenureId id) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return;
  Task& task = found->second;
  SetDue(id, task, kNever);
  StopPulling(id, task);
  if (task.waits) SourceOf(task).waiting.erase(id);
  proposed_.erase(task.proposed);
  tasks_.erase(found);
}

// A part that the group does not take is not taken the next time either: fetch it again, from
// another member.
void Agent::OnRefused(Instant now, uint64_t proposal) {
  const auto found = proposed_.find(proposal);
  if (found != proposed_.end()) {
    Task& task = tasks_.at(found->second);
    task.part.reset();
    StopPulling(found->second, task);
    if (WorkOf(task.tenure) == Work::kPull) AskAnother(task);
  }
  OnLost(now, proposal);
}

void Agent::OnLost(Instant now, uint64_t proposal) {
  if (change_.has_value() && proposal == change_proposed_) {
    change_at_ = now + options_.retry_min;
    return;
  }
  const auto found = proposed_.find(proposal);
  if (found == proposed_.end()) return;
  const TenureId id = found->second;
  proposed_.erase(found);
  Task& task = tasks_.at(id);
  task.proposed = 0;
  Again(now, id, task);
}

// --- The controller's answers

// One question at a time: who answers more slowly than we would ask is not asked the more often for
// it.
void Agent::PollLater(Instant now) {
  poll_at_ = now + options_.poll_every;
  poll_silences_ = 0;
}

void Agent::OnConfiguration(Instant now, const proto::Configuration& configuration) {
  if (!leads_) return;
  PollLater(now);
  LearnMembers(configuration);
  if (change_.has_value()) return;
  change_ = ChangeFor(group_, group_state_, configuration);
  change_at_ = now;
}

void Agent::OnNoConfiguration(Instant now, uint64_t through) {
  if (!leads_) return;
  PollLater(now);
  if (!group_state_.member()) no_member_through_ = std::max(no_member_through_, through);
}

void Agent::OnNewest(const proto::Configuration& configuration) {
  if (leads_) LearnMembers(configuration);
}

void Agent::LearnMembers(const proto::Configuration& configuration) {
  if (configuration.num() <= changed_num_) return;
  changed_num_ = configuration.num();
  changed_.clear();
  for (const auto* groups : {&configuration.groups(), &configuration.former()}) {
    for (const proto::ShardGroup& group : *groups) {
      if (group.membership() != 0) changed_[{group.gid(), group.joined()}] = group;
    }
  }
}

// --- Other groups' answers

void Agent::OnAnswer(Instant now, const proto::ShardMessage& message) {
  const TenureId id{message.shard(), message.since()};
  const auto found = tasks_.find(id);
  if (!leads_ || found == tasks_.end()) return;
  Task& task = found->second;
  const Work work = WorkOf(task.tenure);
  if (message.has_read_answer() && work == Work::kPull) {
    if (message.sequence() != task.tenure.next_sequence()) return;
    SourceOf(task).silent = false;
    return OnPart(now, id, task, message.read_answer());
  }
  if (message.has_drop_answer() && work == Work::kTell) {
    OnTold(now, id, task, message.drop_answer());
  }
}

// A part is welcome whenever it comes, a refusal only while it is waited for. What was damaged on
// its way is as good as a refusal: proposed, it would be refused again and again.
void Agent::OnPart(Instant now, TenureId id, Task& task, const proto::ReadAnswer& answer) {
  if (task.part.has_value()) return;
  const bool whole = answer.has_part() && ChecksumOf(answer.part()) == answer.part().checksum();
  if (!whole) {
    if (!std::exchange(task.asked, false)) return;
    task.silences = 0;
    StopPulling(id, task);
    // It may be about to freeze it; or it has lost its group, and never will.
    constexpr uint32_t kRefusalsMax = 3;
    if (task.refusals % kRefusalsMax == kRefusalsMax - 1) AskAnother(task);
    return Again(now, id, task);
  }
  task.asked = false;
  task.silences = 0;
  if (std::exchange(task.waits, false)) SourceOf(task).waiting.erase(id);
  task.part = answer.part();
  SetDue(id, task, now);
  pace_.Moved(now, answer.part().ByteSizeLong());
}

void Agent::OnTold(Instant now, TenureId id, Task& task, const proto::DropAnswer& answer) {
  if (task.told) return;
  if (answer.done()) {
    task.asked = false;
    task.told = true;
    return SetDue(id, task, now);
  }
  if (!std::exchange(task.asked, false)) return;
  task.silences = 0;
  AskAnother(task);
  const auto& members = NowOf(task).members();
  for (int i = 0; i < members.size(); ++i) {
    if (members[i].node() == answer.leader()) SourceOf(task).leader = static_cast<size_t>(i);
  }
  Again(now, id, task);
}

}  // namespace lockstep::shardkv
