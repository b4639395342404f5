#include "net/http/dashboard/events.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "net/http/dashboard/shard_map.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

constexpr char kLeaderElected[] = "leader_elected";

std::string GroupName(uint64_t group) {
  return group == 0 ? "the controller" : absl::StrCat("group ", group);
}

// The differences of one kind are found by one function; all of them add to this.
struct Comparison {
  const Picture& before;
  const Picture& after;
  std::vector<Event> events = {};

  void Add(const char* kind, Tone tone, std::string text) {
    events.push_back({.kind = kind, .tone = tone, .text = std::move(text)});
  }
};

void CompareOnline(const NodeStatus& was, const NodeStatus& is, Comparison* to) {
  const std::string name = absl::StrCat("Node ", is.node());
  if (was.online() && !is.online()) {
    const std::string why = is.error().empty() ? "" : absl::StrCat(": ", is.error());
    return to->Add("node_offline", Tone::kBad, absl::StrCat(name, " is offline", why));
  }
  if (!is.online()) return;
  const bool another_life = was.online() && is.uptime_ms() < was.uptime_ms();
  if (!was.online()) to->Add("node_online", Tone::kGood, absl::StrCat(name, " is online"));
  if (another_life) to->Add("node_restarted", Tone::kWarning, absl::StrCat(name, " has restarted"));
  if (!was.online() || is.disk_room() == was.disk_room()) return;
  if (is.disk_room() == lockstep::v1::DISK_AMPLE) {
    to->Add("disk_ample", Tone::kGood, absl::StrCat(name, " has disk space again"));
  } else {
    to->Add("disk_low", Tone::kBad,
            absl::StrCat(name, " is low on disk space: ", is.disk_free_bytes(), " bytes are free"));
  }
}

void CompareNodes(Comparison* to) {
  for (const NodeStatus& is : to->after.status().nodes()) {
    const NodeStatus* was = to->before.FindNode(is.node());
    if (was != nullptr) {
      CompareOnline(*was, is, to);
    } else {
      to->Add("node_known", Tone::kNews, absl::StrCat("Node ", is.node(), " has come"));
    }
  }
  for (const NodeStatus& was : to->before.status().nodes()) {
    if (to->after.FindNode(was.node()) != nullptr) continue;
    to->Add("node_forgotten", Tone::kNews, absl::StrCat("Node ", was.node(), " has gone"));
  }
}

void CompareLeaders(uint64_t group, Comparison* to) {
  const ReplicaStatus* was = to->before.LeaderOf(group);
  const ReplicaStatus* is = to->after.LeaderOf(group);
  std::string name = GroupName(group);
  if (is == nullptr) {
    if (was == nullptr) return;
    name[0] = absl::ascii_toupper(static_cast<unsigned char>(name[0]));
    return to->Add("leader_lost", Tone::kBad, absl::StrCat(name, " has no leader"));
  }
  const uint64_t node = to->after.LeadingNode(group);
  const uint64_t former = to->before.LeadingNode(group);
  if (node == former && was->term() == is->term()) return;
  const std::string after =
      former == 0 || former == node ? "" : absl::StrCat(", after node ", former);
  to->Add(kLeaderElected, Tone::kGood,
          absl::StrCat("Node ", node, " leads ", name, " in term ", is->term(), after));
}

void CompareMembers(uint64_t group, Comparison* to) {
  const ReplicaStatus* was = to->before.SpeakerFor(group);
  const ReplicaStatus* is = to->after.SpeakerFor(group);
  if (was == nullptr || is == nullptr || was->membership_id() >= is->membership_id()) return;
  const std::string phase = is->change_phase() == lockstep::v1::CATCHING_UP ? "who joins catches up"
                            : is->change_phase() == lockstep::v1::JOINT
                                ? "old and new voters decide together"
                                : "settled";
  const std::set<uint64_t> members = to->after.Members(group);
  std::string nodes;
  for (const uint64_t node : members) absl::StrAppend(&nodes, nodes.empty() ? "" : ", ", node);
  to->Add("members_changed", Tone::kNews,
          absl::StrCat("Members of ", GroupName(group), " are now ", nodes, " (", phase, ")"));
}

void CompareRepairs(uint64_t group, Comparison* to) {
  for (const uint64_t node : to->after.Members(group)) {
    const ReplicaStatus* was = to->before.FindReplica(group, node);
    const ReplicaStatus* is = to->after.FindReplica(group, node);
    if (was == nullptr || is == nullptr || was->repairing() == is->repairing()) continue;
    const std::string whose = absl::StrCat("Node ", node, "'s replica of ", GroupName(group));
    if (is->repairing()) {
      to->Add("repair_began", Tone::kWarning, absl::StrCat(whose, " repairs a damaged log"));
    } else {
      to->Add("repair_ended", Tone::kGood, absl::StrCat(whose, " is repaired"));
    }
  }
}

void CompareConfigurations(Comparison* to) {
  const uint64_t was = to->before.configuration().num();
  const uint64_t is = to->after.configuration().num();
  if (was >= is) return;
  to->Add("configuration_changed", Tone::kNews,
          absl::StrCat("Configuration ", is, " is in force",
                       was == 0 ? "" : absl::StrCat(", after ", was)));
}

void CompareShards(Comparison* to) {
  const std::vector<ShardPlace> before = ShardMap(to->before);
  const std::vector<ShardPlace> after = ShardMap(to->after);
  for (size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
    const ShardPlace& was = before[i];
    const ShardPlace& is = after[i];
    // Nobody answers for it: that is told as the group's trouble.
    if (is.owner == 0 || is.state.empty()) continue;
    const bool moved = was.owner != is.owner && was.owner != 0;
    const std::string name = absl::StrCat("Shard ", is.shard);
    if (is.move.has_value() && (!was.move.has_value() || moved)) {
      const uint64_t from = is.move->from != 0 ? is.move->from : was.owner;
      to->Add("shard_moves", Tone::kNews,
              absl::StrCat(name, " moves from group ", from, " to group ", is.owner));
    } else if (!is.move.has_value() && (was.move.has_value() || moved)) {
      to->Add("shard_arrived", Tone::kGood,
              absl::StrCat(name, " has arrived in group ", is.owner, ", with ", is.keys, " keys"));
    }
  }
}

}  // namespace

const char* Name(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "good";
    case Tone::kNews:
      return "news";
    case Tone::kWarning:
      return "warning";
    case Tone::kBad:
      return "bad";
  }
  return "";
}

std::vector<Event> Differences(const Picture& before, const Picture& after) {
  Comparison comparison{.before = before, .after = after};
  CompareNodes(&comparison);
  for (const uint64_t group : after.Groups()) {
    CompareLeaders(group, &comparison);
    CompareMembers(group, &comparison);
    CompareRepairs(group, &comparison);
  }
  CompareConfigurations(&comparison);
  CompareShards(&comparison);
  return std::move(comparison.events);
}

uint64_t CountLeaderChanges(const std::vector<Event>& events) {
  return static_cast<uint64_t>(std::count_if(events.begin(), events.end(), [](const Event& event) {
    return event.kind == kLeaderElected;
  }));
}

void EventLog::Add(std::vector<Event> events, uint64_t at_ms) {
  for (Event& event : events) {
    event.id = ++last_id_;
    event.at_ms = at_ms;
    events_.push_back(std::move(event));
  }
  while (events_.size() > kEventsMax) events_.pop_front();
}

}  // namespace lockstep::net::http
