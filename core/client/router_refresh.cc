// The configuration: when to ask for a newer one, and what a newer one changes.
//
// One question at a time, and a pause after each that doubles while nothing new is learned. It is
// asked while operations wait for a configuration, and when one of our clients has reason to doubt
// the one we have. A group that has seen a newer one, or is not there any more, is a good reason.
// That a group is silent, or has not come to ours yet, is a weak one: then ours has to be old as
// well.
//
// A configuration also says who the controllers are, if they are not those of the options any more.
// The latter are asked again only when the former are silent: what we know of may be old, too.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/client/router.h"

namespace lockstep::client {
namespace {

// One question, all its attempts included.
constexpr int64_t kQuestionAttempts = 4;

}  // namespace

bool Router::RefreshWanted() const {
  return !operations_.empty() && (doubted_ || !waiting_.empty());
}

void Router::KeepRefreshing(Instant now, Output* out) {
  if (refreshing_ || !RefreshWanted() || now < refresh_at_) return;
  if (now >= refresh_at_ + options_.backoff_max) refresh_backoffs_ = 0;  // Old troubles.
  doubted_ = false;
  if (!lines_.contains(kRefreshSlot)) {
    Open(kRefreshSlot, OptionsAtControllers());
  }
  last_part_ = last_part_.Next();
  refreshing_ = last_part_;
  proto::Query query;
  query.mutable_get_configuration();
  const Instant deadline = now + options_.attempt_timeout * kQuestionAttempts;
  StepLine(now, kRefreshSlot, Invoke{refreshing_, std::move(query), deadline}, out);
}

void Router::OnRefreshed(Instant now, const Outcome& outcome, Output* out) {
  refreshing_ = OperationId();
  const uint64_t before = routes_.num();
  const bool answered = outcome.kind == Outcome::Kind::kOk && outcome.result.code() == proto::OK &&
                        outcome.result.has_configuration();
  if (answered) {
    refresh_problem_ = "the controller has none";
    fetched_at_ = now;
    Learn(now, outcome.result.configuration(), out);
  } else {
    refresh_problem_ =
        outcome.status.ok()
            ? absl::StrCat("the controller answered ", proto::Code_Name(outcome.result.code()))
            : absl::StrCat("the controller: ", outcome.status.message());
  }
  if (controllers_silent_ == answered) {
    controllers_silent_ = !answered;
    RetargetControllers(now, out);
  }
  refresh_backoffs_ = routes_.num() > before ? 0 : refresh_backoffs_ + 1;
  refresh_at_ = now + Pause(refresh_backoffs_);
}

void Router::Learn(Instant now, const proto::Configuration& configuration, Output* out) {
  if (configuration.num() <= routes_.num()) return;
  absl::StatusOr<Routes> routes = Routes::From(configuration);
  if (!routes.ok()) {
    refresh_problem_ = absl::StrCat(routes.status().message());
    return;
  }
  if (routes_.shards() != 0 && routes->shards() != routes_.shards()) {
    refresh_problem_ =
        absl::StrCat("configuration ", routes->num(), " has ", routes->shards(),
                     " shards, but there were ", routes_.shards(), ", and that never changes");
    return;
  }
  routes_ = *std::move(routes);
  doubted_ = false;
  OnControllers(now, routes_.controllers(), out);
  if (!routes_.has_groups()) return;
  Retarget(now, out);
  for (const OperationId list : lists_) AbandonMisplaced(list);
  DropDeparted();
  absl::btree_set<OperationId> ready = std::exchange(waiting_, {});
  ready.insert(lists_.begin(), lists_.end());
  for (const OperationId id : ready) Begin(now, id, out);
}

void Router::Retarget(Instant now, Output* out) {
  std::vector<std::pair<Slot, GroupId>> targets;
  for (const auto& [slot, line] : lines_) {
    if (slot >= kAdminSlot) break;
    targets.emplace_back(slot, routes_.OwnerOf(ShardId(slot)));
  }
  for (const auto& [group, slot] : group_slots_) {
    if (routes_.NodesOf(group) != nullptr) targets.emplace_back(slot, group);
  }
  for (const auto& [slot, group] : targets) {
    StepLine(now, slot, client::Retarget{group, *routes_.NodesOf(group), LeaderOf(group)}, out);
  }
}

// --- The controllers

void Router::OnControllers(Instant now, const LearnControllers& controllers, Output* out) {
  if (controllers.membership <= controllers_.membership) return;
  controllers_ = controllers;
  RetargetControllers(now, out);
}

void Router::RetargetControllers(Instant now, Output* out) {
  for (const Slot slot : {kAdminSlot, kRefreshSlot}) {
    if (!lines_.contains(slot)) continue;
    StepLine(now, slot, client::Retarget{options_.controller, ControllerNodes()}, out);
  }
}

ClientOptions Router::OptionsAtControllers() const {
  ClientOptions options = ClientOptionsOf(options_, options_.controller, ControllerNodes());
  options.members_change = true;
  return options;
}

std::vector<NodeId> Router::ControllerNodes() const {
  if (controllers_.membership == 0) return options_.controller_nodes;
  std::vector<NodeId> nodes = controllers_.nodes;
  if (!controllers_silent_) return nodes;
  for (const NodeId node : options_.controller_nodes) {
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

// --- What changes with a configuration

// Nobody waits for a group that is no member: its shards are asked for elsewhere.
void Router::DropDeparted() {
  for (auto at = leaders_.begin(); at != leaders_.end();) {
    at = routes_.NodesOf(at->first) == nullptr ? leaders_.erase(at) : std::next(at);
  }
  absl::btree_set<Slot> dropped;
  for (auto at = group_slots_.begin(); at != group_slots_.end();) {
    if (routes_.NodesOf(at->first) != nullptr) {
      ++at;
      continue;
    }
    dropped.insert(at->second);
    Close(at->second);
    at = group_slots_.erase(at);
  }
  if (dropped.empty()) return;
  for (auto part = parts_.begin(); part != parts_.end();) {
    const bool gone = dropped.contains(part->second.slot);
    if (gone) Check(!part->second.operation);
    part = gone ? parts_.erase(part) : std::next(part);
  }
}

void Router::Doubt(Instant now, const Output& line) {
  const bool newer = line.refused_at.has_value() && *line.refused_at > routes_.num();
  if (line.group_unknown || newer) doubted_ = true;
  if (line.unanswered || line.leader_unlisted || line.refused_at.has_value()) DoubtIfOld(now);
}

void Router::DoubtIfOld(Instant now) {
  if (now >= fetched_at_ + options_.configuration_age_max) doubted_ = true;
}

}  // namespace lockstep::client
