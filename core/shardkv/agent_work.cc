// What is due at an agent, and when.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/shardkv/agent.h"

namespace lockstep::shardkv {

Instant Agent::wake_at() const {
  if (!leads_) return kNever;
  Instant at = poll_at_;
  if (change_.has_value()) at = std::min(at, change_at_);
  if (!due_.empty()) at = std::min(at, due_.begin()->first);
  if (MayPull()) at = std::min(at, pace_.next());
  return at;
}

void Agent::Act(Instant now, AgentOutput* out) {
  if (!leads_) return;
  if (change_.has_value() && now >= change_at_ && !HasRoomForChange()) {
    change_at_ = now + options_.retry_min;
  } else if (change_.has_value() && now >= change_at_) {
    change_at_ = kNever;
    change_proposed_ = ++last_proposal_;
    out->proposals.push_back({.number = change_proposed_, .command = {}});
    *out->proposals.back().command.mutable_reconfigure() = *change_;
  }
  if (now >= poll_at_) AskForConfiguration(now, out);
  while (!due_.empty() && due_.begin()->first <= now) ActOn(now, due_.begin()->second, out);
  if (newest_wanted_ && now >= newest_at_) {
    newest_wanted_ = false;
    newest_at_ = now + options_.retry_max;
    out->configurations.emplace_back();
  }
  PullWaiting(now, out);
}

bool Agent::HasRoomForChange() const {
  const auto gained = static_cast<size_t>(change_->gained_size());
  return gained == 0 || tenures_.size() + gained <= options_.tenures_max;
}

void Agent::AskForConfiguration(Instant now, AgentOutput* out) {
  if (change_.has_value()) {
    poll_at_ = now + options_.poll_every;
    // Room is made by others, who have to find this group: each question says who its members are.
    if (!HasRoomForChange()) newest_wanted_ = true;
    return;
  }
  poll_at_ = now + std::max(options_.poll_every, Patience(poll_silences_));
  ++poll_silences_;
  proto::GetConfiguration& get = out->configurations.emplace_back();
  // A member goes through all of them. Who is none has something to do only where it joins.
  if (group_state_.member()) {
    get.set_num(group_state_.num() + 1);
  } else {
    get.set_num(std::max(no_member_through_, group_state_.num()));
    get.set_member_gid(group_.value());
  }
}

// --- Times

void Agent::SetDue(TenureId id, Task& task, Instant due) {
  if (task.due != kNever) due_.erase({task.due, id});
  task.due = due;
  if (due != kNever) due_.insert({due, id});
}

// How long to wait for an answer. It is welcome later, too, so at first that is short.
Duration Agent::Patience(uint32_t silences) const {
  constexpr uint32_t kDoublingsMax = 3;
  const Duration first = std::max(options_.retry_min, options_.retry_max / 4);
  return first * (int64_t{1} << std::min(silences, kDoublingsMax));
}

// Later each time.
void Agent::Again(Instant now, TenureId id, Task& task) {
  Duration pause = options_.retry_min;
  for (uint32_t i = 0; i < task.refusals && pause < options_.retry_max; ++i) pause *= 2;
  pause = std::min(pause, options_.retry_max);
  ++task.refusals;
  NoteFruitless(task);
  const Duration drawn = rng_.Between(pause / 2, pause);
  SetDue(id, task, now + std::max(drawn, Duration(1)));
}

size_t& Agent::TargetOf(const Task& task) {
  return WorkOf(task.tenure) == Work::kPull ? SourceOf(task).reader : SourceOf(task).leader;
}

// The source with the members that are known last. A gid that has joined anew is another group.
const proto::ShardGroup& Agent::NowOf(const Task& task) const {
  const proto::ShardGroup& source = task.tenure.source();
  const auto found = changed_.find({source.gid(), source.joined()});
  const bool newer = found != changed_.end() && found->second.membership() > source.membership();
  return newer ? found->second : source;
}

// When each member has been asked, they may not be those any more that have it.
void Agent::NoteFruitless(const Task& task) {
  const auto members = static_cast<uint32_t>(NowOf(task).members_size());
  if (members != 0 && task.silences + task.refusals > members) newest_wanted_ = true;
}

// Unless somebody else is asked already.
void Agent::AskAnother(const Task& task) {
  size_t& target = TargetOf(task);
  if (target == task.target)
    target = (target + 1) % static_cast<size_t>(NowOf(task).members_size());
}

// --- Tasks

void Agent::ActOn(Instant now, TenureId id, AgentOutput* out) {
  Task& task = tasks_.at(id);
  SetDue(id, task, kNever);
  if (std::exchange(task.asked, false)) {  // Silence.
    ++task.silences;
    NoteFruitless(task);
    if (task.pulls) SourceOf(task).silent = true;
    AskAnother(task);
    StopPulling(id, task);
    // That was pause enough.
    return SetDue(id, task, now + options_.retry_min);
  }
  switch (WorkOf(task.tenure)) {
    case Work::kPull: {
      if (!task.part.has_value()) return Wait(id, task);
      proto::InstallChunk& install = *Propose(task, out).mutable_install_chunk();
      install.set_shard(id.shard);
      install.set_num(id.since);
      install.set_sequence(task.tenure.next_sequence());
      *install.mutable_part() = *task.part;
      return;
    }
    case Work::kTell:
      return Tell(now, id, task, out);
    case Work::kSweep: {
      proto::SweepShard& sweep = *Propose(task, out).mutable_sweep_shard();
      sweep.set_shard(id.shard);
      sweep.set_since(id.since);
      return;
    }
    case Work::kNothing:
      return Check(false, "a task without work");
  }
}

proto::Command& Agent::Propose(Task& task, AgentOutput* out) {
  task.proposed = ++last_proposal_;
  proposed_.emplace(task.proposed, TenureId{task.tenure.shard(), task.tenure.since()});
  out->proposals.push_back({.number = task.proposed, .command = {}});
  return out->proposals.back().command;
}

void Agent::Tell(Instant now, TenureId id, Task& task, AgentOutput* out) {
  if (task.told) {
    proto::FinishHandover& finish = *Propose(task, out).mutable_finish_handover();
    finish.set_shard(id.shard);
    finish.set_num(id.since);
    return;
  }
  proto::ShardMessage message = MessageOf(task);
  message.mutable_drop()->set_shard(id.shard);
  message.mutable_drop()->set_ended(task.tenure.source_ended());
  Ask(now, id, task, std::move(message), out);
}

void Agent::Ask(Instant now, TenureId id, Task& task, proto::ShardMessage message,
                AgentOutput* out) {
  const auto& members = NowOf(task).members();
  Check(!members.empty(), "a group without members");
  size_t& target = TargetOf(task);  // There may be fewer members than when it was chosen.
  target %= static_cast<size_t>(members.size());
  task.target = target;
  const auto member = static_cast<int>(task.target);
  out->messages.emplace_back(NodeId(members[member].node()), std::move(message));
  task.asked = true;
  SetDue(id, task, now + Patience(task.silences));
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

// --- Fetching

void Agent::Wait(TenureId id, Task& task) {
  task.waits = true;
  SourceOf(task).waiting.insert(id);
}

void Agent::StopPulling(TenureId id, Task& task) {
  if (!std::exchange(task.pulls, false)) return;
  Source& source = SourceOf(task);
  CheckLt(0u, source.pulls);
  CheckLt(0u, pulls_);
  --source.pulls;
  --pulls_;
  Check(!source.waiting.contains(id));
}

bool Agent::HasRoom(const Source& source) const {
  return !source.waiting.empty() && source.pulls < (source.silent ? 1 : options_.pulls_max);
}

bool Agent::MayPull() const {
  return pulls_ < options_.pulls_total_max &&
         std::any_of(
             sources_.begin(), sources_.end(),
             [this](const auto& source) { return HasRoom(source.second); });
}

// One source after the other, so that none has to wait for what another one has to give.
void Agent::PullWaiting(Instant now, AgentOutput* out) {
  if (!pace_.MayGoOn(now)) return;
  while (MayPull()) {
    auto at = sources_.upper_bound(last_source_);
    while (at == sources_.end() || !HasRoom(at->second)) {
      at = at == sources_.end() ? sources_.begin() : std::next(at);
    }
    Source& source = at->second;
    last_source_ = at->first;
    const TenureId id = *source.waiting.begin();
    source.waiting.erase(source.waiting.begin());
    Task& task = tasks_.at(id);
    task.waits = false;
    task.pulls = true;
    ++source.pulls;
    ++pulls_;
    proto::ShardMessage message = MessageOf(task);
    proto::ReadTenure& read = *message.mutable_read();
    read.set_shard(id.shard);
    read.set_ended(task.tenure.source_ended());
    read.set_resume(task.tenure.resume());
    read.set_bytes_max(options_.part_bytes_max);
    Ask(now, id, task, std::move(message), out);
  }
}

}  // namespace lockstep::shardkv
