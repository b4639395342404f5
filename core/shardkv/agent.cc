#include "core/shardkv/agent.h"

#include <algorithm>

#include "core/base/check.h"

namespace lockstep::shardkv {

Agent::Agent(const AgentOptions& options, GroupId group, Rng rng)
    : options_(options), group_(group), rng_(rng) {
  CheckLt(Duration(0), options_.poll_every);
  CheckLt(Duration(0), options_.retry_min);
  CheckLe(options_.retry_min, options_.retry_max);
  CheckLe(1u, options_.pulls_max);
  CheckLe(uint64_t{1}, options_.pull_bytes_per_second_max);
}

// --- Events

void Agent::Lead(Instant now, const proto::ShardStates& all) {
  Rest();
  leads_ = true;
  group_state_ = all;
  group_state_.clear_tenures();
  poll_at_ = now;
  pull_at_ = now;
  for (const proto::ShardTenure& tenure : all.tenures()) Take(now, tenure);
}

void Agent::Rest() {
  leads_ = false;
  tasks_.clear();
  change_.reset();
  no_member_through_ = 0;
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
  if (WorkOf(tenure) == Work::kNothing) {
    tasks_.erase(id);
    return;
  }
  Task& task = tasks_[id];
  const bool begins = task.tenure.state() != tenure.state();
  if (begins) task.target = 0;
  task.tenure = tenure;
  task.due = now;
  task.asked = false;
  task.silences = 0;
  task.part.reset();
  task.told = false;
}

void Agent::OnConfiguration(Instant now, const proto::Configuration& configuration) {
  if (!leads_ || change_.has_value()) return;
  change_ = ChangeFor(group_, group_state_, configuration);
  change_at_ = now;
}

void Agent::OnNoConfiguration(uint64_t through) {
  if (leads_ && !group_state_.member()) no_member_through_ = std::max(no_member_through_, through);
}

void Agent::OnAnswer(Instant now, const proto::ShardMessage& message) {
  const auto found = tasks_.find({message.shard(), message.since()});
  if (!leads_ || found == tasks_.end()) return;
  Task& task = found->second;
  const Work work = WorkOf(task.tenure);
  if (!task.asked) return;  // News only.
  if (message.has_read_answer() && work == Work::kPull) {
    if (message.sequence() != task.tenure.next_sequence()) return;
    task.asked = false;
    if (!message.read_answer().has_part()) return Again(now, task);
    task.part = message.read_answer().part();
    task.due = now;
    const uint64_t bytes = message.read_answer().part().ByteSizeLong();
    const uint64_t nanos =
        std::min(bytes, uint64_t{1} << 32) * 1'000'000'000 / options_.pull_bytes_per_second_max;
    pull_at_ = std::max(pull_at_, now) + Duration(static_cast<int64_t>(nanos));
  }
  if (message.has_drop_answer() && work == Work::kTell) {
    task.asked = false;
    task.told = message.drop_answer().done();
    if (task.told) {
      task.due = now;
      return;
    }
    Again(now, task);
    const auto& members = task.tenure.source().members();
    for (int i = 0; i < members.size(); ++i) {
      if (members[i].node() == message.drop_answer().leader()) task.target = static_cast<size_t>(i);
    }
  }
}

// --- What is due

Instant Agent::wake_at() const {
  if (!leads_) return kNever;
  Instant at = poll_at_;
  if (change_.has_value()) at = std::min(at, change_at_);
  for (const auto& [id, task] : tasks_) {
    const bool waits = WorkOf(task.tenure) == Work::kPull && !task.asked && !task.part.has_value();
    at = std::min(at, waits ? std::max(task.due, pull_at_) : task.due);
  }
  return at;
}

void Agent::Act(Instant now, AgentOutput* out) {
  if (!leads_) return;
  if (change_.has_value() && now >= change_at_) {
    *out->proposals.emplace_back().mutable_reconfigure() = *change_;
    change_at_ = now + options_.retry_max;  // If the group has lost it.
  }
  if (now >= poll_at_) AskForConfiguration(now, out);
  for (auto& [id, task] : tasks_) {
    if (now >= task.due) ActOn(now, task, out);
  }
}

void Agent::AskForConfiguration(Instant now, AgentOutput* out) {
  poll_at_ = now + options_.poll_every;
  if (change_.has_value()) return;
  proto::GetConfiguration& get = out->configurations.emplace_back();
  // A member goes through all of them. Who is none has something to do only where it joins.
  if (group_state_.member()) {
    get.set_num(group_state_.num() + 1);
  } else {
    get.set_num(std::max(no_member_through_, group_state_.num()));
    get.set_member_gid(group_.value());
  }
}

void Agent::ActOn(Instant now, Task& task, AgentOutput* out) {
  switch (WorkOf(task.tenure)) {
    case Work::kPull:
      return Pull(now, task, out);
    case Work::kTell:
      return Tell(now, task, out);
    case Work::kSweep: {
      proto::SweepShard& sweep = *out->proposals.emplace_back().mutable_sweep_shard();
      sweep.set_shard(task.tenure.shard());
      sweep.set_since(task.tenure.since());
      task.due = now + options_.retry_max;
      return;
    }
    case Work::kNothing:
      return Check(false, "a task without work");
  }
}

// Later each time, and somebody else.
void Agent::Again(Instant now, Task& task) {
  Duration pause = options_.retry_min;
  for (uint32_t i = 0; i < task.silences && pause < options_.retry_max; ++i) pause *= 2;
  pause = std::min(pause, options_.retry_max);
  ++task.silences;
  ++task.target;
  const Duration drawn = rng_.Between(pause / 2, pause);
  task.due = now + std::max(drawn, Duration(1));
}

uint32_t Agent::PullsUnderWay() const {
  uint32_t pulls = 0;
  for (const auto& [id, task] : tasks_) {
    pulls += WorkOf(task.tenure) == Work::kPull && (task.asked || task.part.has_value());
  }
  return pulls;
}

proto::ShardMessage Agent::MessageOf(const Task& task) const {
  proto::ShardMessage message;
  message.set_to_group(task.tenure.source().gid());
  message.set_from_group(group_.value());
  message.set_shard(task.tenure.shard());
  message.set_since(task.tenure.since());
  message.set_sequence(task.tenure.next_sequence());
  return message;
}

void Agent::Pull(Instant now, Task& task, AgentOutput* out) {
  if (task.part.has_value()) {
    proto::InstallChunk& install = *out->proposals.emplace_back().mutable_install_chunk();
    install.set_shard(task.tenure.shard());
    install.set_num(task.tenure.since());
    install.set_sequence(task.tenure.next_sequence());
    *install.mutable_part() = *task.part;
    task.due = now + options_.retry_max;
    return;
  }
  if (task.asked) {  // Silence.
    task.asked = false;
    return Again(now, task);
  }
  if (now < pull_at_) return;
  if (PullsUnderWay() >= options_.pulls_max) {
    task.due = now + options_.retry_min;
    return;
  }
  const auto& members = task.tenure.source().members();
  if (members.empty()) return Again(now, task);
  const auto target = static_cast<int>(task.target % static_cast<size_t>(members.size()));
  proto::ShardMessage message = MessageOf(task);
  proto::ReadTenure& read = *message.mutable_read();
  read.set_shard(task.tenure.shard());
  read.set_ended(task.tenure.source_ended());
  read.set_resume(task.tenure.resume());
  read.set_bytes_max(options_.part_bytes_max);
  out->messages.emplace_back(NodeId(members[target].node()), std::move(message));
  task.asked = true;
  task.due = now + options_.retry_max;
}

void Agent::Tell(Instant now, Task& task, AgentOutput* out) {
  if (task.told) {
    proto::FinishHandover& finish = *out->proposals.emplace_back().mutable_finish_handover();
    finish.set_shard(task.tenure.shard());
    finish.set_num(task.tenure.since());
    task.due = now + options_.retry_max;
    return;
  }
  if (task.asked) {
    task.asked = false;
    return Again(now, task);
  }
  const auto& members = task.tenure.source().members();
  if (members.empty()) return Again(now, task);
  const auto target = static_cast<int>(task.target % static_cast<size_t>(members.size()));
  proto::ShardMessage message = MessageOf(task);
  message.mutable_drop()->set_shard(task.tenure.shard());
  message.mutable_drop()->set_ended(task.tenure.source_ended());
  out->messages.emplace_back(NodeId(members[target].node()), std::move(message));
  task.asked = true;
  task.due = now + options_.retry_max;
}

}  // namespace lockstep::shardkv
