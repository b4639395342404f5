// The convergence phase: when the servers have come to rest.
#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/placement.h"
#include "sim/world/simulation_run.h"

namespace lockstep::sim {
namespace {

// As a member, or as what it was a member last.
const controller::Group* LastLifeOf(GroupId gid, const controller::Configuration& newest) {
  if (const controller::Group* member = newest.Find(gid)) return member;
  const auto last = std::find_if(newest.former.rbegin(), newest.former.rend(),
                                 [&](const controller::Group& group) { return group.gid == gid; });
  return last == newest.former.rend() ? nullptr : &*last;
}

}  // namespace

void SimulationRun::BeginConvergence() {
  Enter(Phase::kConvergence, "every client was served");
  world_.timeline().Schedule(world_.timeline().now() + LivenessBound(), EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kConvergence));
}

// Who has something on a disk that completes nothing gives up leadership, even if the others commit
// for it. The log is one for all groups: what is written next waits behind whatever hangs there. Of
// its tables each group knows for itself.
bool SimulationRun::LeadsInVain(const NodeHost& host) const {
  return std::any_of(
      climate_.groups.begin(), climate_.groups.end(), [&](const GroupPlacement& placement) {
        const GroupId group = placement.group;
        return plan_.leaders.Claims(group, host.id()) &&
               (!host.lane(Lane::kLog).empty() || host.lane(Lane::kTable).Holds(group));
      });
}

// They agree, and go on agreeing until whatever may be under way has arrived: what a group said of
// its members, or how many groups somebody leads. Then there is a moment in which nobody does
// anything.
bool SimulationRun::Converged() {
  const int64_t now = world_.timeline().now();
  if (!Agree()) {
    agree_since_ = kNoTime;
    return false;
  }
  if (agree_since_ == kNoTime) agree_since_ = now;
  const int64_t look = climate_.node.members_look_every.count();
  const int64_t wait = shards_.has_value() ? 2 * (look + world_.network().SlowestOrdinary()) : 0;
  return now - agree_since_ >= wait && AreIdle();
}

bool SimulationRun::Agree() {
  const bool equal =
      std::all_of(climate_.groups.begin(), climate_.groups.end(),
                  [this](const GroupPlacement& group) { return HaveEqualTables(group); });
  return equal && ShardsStillMoving().empty() && LeadersUneven().empty();
}

bool SimulationRun::AreIdle() const {
  // Who has lost the others gives up leadership, and with it the hopes of its clients.
  if ((plan_.leaders.Claimants() & cut_off_) != 0) return false;
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (Contains(stalled_, id) && LeadsInVain(world_.server(id))) return false;
  }
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!Contains(core_, id)) continue;
    const NodeHost& host = world_.server(id);
    if (!host.up()) return false;
    // Polls for configurations never end; nor do they change anything.
    if (!host.lane(Lane::kLog).empty() || host.lane(Lane::kTable).Writes()) return false;
    if (host.unanswered() > 0) return false;
  }
  return true;
}

uint64_t SimulationRun::GroupsLedBy(uint16_t server) const {
  return static_cast<uint64_t>(std::count_if(climate_.groups.begin(), climate_.groups.end(),
                                             [&](const GroupPlacement& placement) {
                                               return plan_.leaders.Of(placement.group) == server;
                                             }));
}

// Where leaders are spread, nobody leads two groups more than another one who could have one.
std::string SimulationRun::LeadersUneven() {
  if (climate_.node.leader_spread_every == Duration(0)) return "";
  for (const GroupPlacement& placement : climate_.groups) {
    const uint16_t leader = plan_.leaders.Of(placement.group);
    if (!Contains(core_, leader)) continue;
    const uint64_t led = GroupsLedBy(leader);
    for (uint16_t id = 1; id <= world_.servers(); ++id) {
      if (!Contains(Successors(placement), id) || led < GroupsLedBy(id) + 2) continue;
      return absl::StrCat("server ", leader, " leads ", led, " groups, of which server ", id,
                          ", which leads ", GroupsLedBy(id), ", could lead group ",
                          placement.group.value());
    }
  }
  return "";
}

std::vector<uint64_t> SimulationRun::DecidingSets(GroupId group) {
  const std::vector<raft::GroupConfiguration> deciding = checkers_.Deciding(group);
  std::vector<uint64_t> sets =
      membership_administrators_.at(group)->OpenWishes(deciding.front().id);
  for (const raft::GroupConfiguration& configuration : deciding) {
    uint64_t before = 0;
    uint64_t after = 0;
    for (const raft::GroupMember& member : configuration.members) {
      const uint64_t one = One(static_cast<uint16_t>(member.node.value()));
      if (member.before == raft::Standing::kVoter) before |= one;
      if (member.after == raft::Standing::kVoter) after |= one;
    }
    sets.push_back(before);
    sets.push_back(after);
  }
  return sets;
}

const GroupPlacement& SimulationRun::PlacementOf(GroupId group) const {
  const auto found =
      std::find_if(climate_.groups.begin(), climate_.groups.end(),
                   [&](const GroupPlacement& placement) { return placement.group == group; });
  Check(found != climate_.groups.end());
  return *found;
}

// The newest configuration names the members that the groups have, and the controller's own.
// Without groups nobody would follow the next one.
std::string SimulationRun::MembersUnreported() {
  const controller::Configuration& newest = shards_->mirror().newest();
  if (!climate_.changes.has_value() || newest.groups.empty()) return "";
  for (const GroupPlacement& placement : climate_.groups) {
    const GroupId group = placement.group;
    const bool of_controller = group == kControllerGroup;
    const controller::Group* listed = LastLifeOf(group, newest);
    if (!of_controller && listed == nullptr) continue;
    const uint64_t told = of_controller ? newest.controllers.membership : listed->membership;
    const uint64_t id = checkers_.Deciding(group).front().id.value();
    if (told == id) continue;
    return absl::StrCat("the newest configuration has the members of group ", group.value(),
                        " by its own ", told, ", not by ", id);
  }
  return "";
}

uint64_t SimulationRun::MembersOf(const GroupPlacement& group) {
  if (!climate_.changes.has_value()) return plan_.quorums().members(group.group);
  const raft::GroupConfiguration committed = checkers_.Deciding(group.group).front();
  uint64_t members = 0;
  for (const raft::GroupMember& member : committed.members) {
    if (member.after != raft::Standing::kAbsent) {
      members |= One(static_cast<uint16_t>(member.node.value()));
    }
  }
  return members;
}

uint64_t SimulationRun::VotersOf(const GroupPlacement& group) {
  if (!climate_.changes.has_value()) return plan_.quorums().members(group.group);
  const raft::GroupConfiguration committed = checkers_.Deciding(group.group).front();
  uint64_t voters = 0;
  for (const raft::GroupMember& member : committed.members) {
    if (member.after == raft::Standing::kVoter) {
      voters |= One(static_cast<uint16_t>(member.node.value()));
    }
  }
  return voters;
}

// As far as positions tell, and of the members that are healthy.
bool SimulationRun::HaveEqualTables(const GroupPlacement& group) {
  std::optional<LogPosition> position;
  const uint64_t healthy = core_ & MembersOf(group);
  for (const NodeId member : group.members) {
    const uint16_t id = static_cast<uint16_t>(member.value());
    if (!Contains(healthy, id)) continue;
    const LogPosition applied = world_.server(id).applied(group.group);
    if (position.value_or(applied) != applied) return false;
    position = applied;
  }
  return true;
}

// Replicas that were removed are as they were left.
void SimulationRun::CheckShardTables(const NodeHost& host) {
  for (const HostedTable& table : host.tables()) {
    if (table.group == kControllerGroup) continue;
    if (!Contains(MembersOf(PlacementOf(table.group)), host.id())) continue;
    shards_->CheckTable(host.node(), table.group, [&](ShardChecker::Visit visit) {
      Check(host.VisitTable(table.group, visit), "a healthy table cannot be read");
    });
  }
}

}  // namespace lockstep::sim
