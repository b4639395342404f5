// The controller: any sequence of commands, made well or badly. Configurations are numbered without
// gaps, valid, and never change once they are made; who joins, leaves or unpins leaves a balanced
// cluster behind; what the machine keeps has bounds; and a machine that starts anew says the same.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/controller/controller_machine.h"
#include "fuzz/models/kv_settings.h"
#include "fuzz/models/script_sessions.h"
#include "fuzz/models/twin_machines.h"
#include "fuzz/proto/machine_script.pb.h"
#include "fuzz/support/script_target.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kStepsMax = 200;

controller::ControllerOptions OptionsOf(const ControllerSettings& settings) {
  controller::ControllerOptions options;
  options.sessions_max = SmallOr(settings.sessions_max(), 3, 8);
  options.limits.session_window_max = SmallOr(settings.session_window_max(), 4, 8);
  options.limits.shards_max = SmallOr(settings.shards_max(), 16, 64);
  options.limits.groups_max = SmallOr(settings.groups_max(), 6, 16);
  options.limits.members_max = 3;
  options.limits.address_bytes_max = 16;
  options.prune_configurations_max = SmallOr(settings.prune_configurations_max(), 3, 8);
  return options;
}

class ControllerRun {
 public:
  explicit ControllerRun(const ControllerScript& script)
      : options_(OptionsOf(script.settings())),
        twins_([this] { return std::make_unique<controller::ControllerMachine>(options_); }) {}

  void Do(const MachineStep& step) {
    if (step.has_command()) return Command(EntryKind::kCommand, step.command());
    if (step.has_internal()) return Command(EntryKind::kInternal, step.internal());
    if (step.has_raw()) return Entry(EntryKind::kCommand, step.raw());
    if (step.has_query()) return Query(step.query());
    if (step.has_raw_query()) (void)twins_.Query(step.raw_query());
    if (step.has_restart()) twins_.Restart(step.restart().snapshot());
    if (step.what_case() != MachineStep::kAgain || !twins_.has_entries()) return;
    const auto [kind, data] = twins_.Earlier(step.again());
    Entry(kind, data);
  }

  // What is kept has not changed since it was made; the rest is said to be gone.
  void End() {
    twins_.CheckTables();
    proto::Query query;
    for (const auto& [num, text] : made_) {
      query.mutable_get_configuration()->set_num(num);
      const proto::Result result = twins_.Query(query.SerializeAsString());
      if (num < oldest()) {
        CheckEq(result.code(), proto::NOT_FOUND);
      } else {
        CheckEq(ToText(result.configuration()), text);
      }
    }
  }

 private:
  const controller::Configuration& newest() const {
    return static_cast<const controller::ControllerMachine&>(twins_.machine()).newest();
  }
  uint64_t oldest() const {
    proto::Query query;
    query.mutable_get_membership();
    return twins_.Query(query.SerializeAsString()).membership().oldest();
  }

  void Command(EntryKind kind, const proto::Command& command) {
    Entry(kind, sessions_.Place(command, options_.limits.session_window_max).SerializeAsString());
  }

  void Entry(EntryKind kind, const std::string& data) {
    const controller::Configuration before = newest();
    const proto::Result result = twins_.Apply(kind, data);
    if (result.session() != 0) sessions_.Registered(result.session());
    CheckRetry(data, result);
    const controller::Configuration& after = newest();
    if (after.num == before.num) {
      Check(after == before, "a configuration was changed");
    } else {
      CheckEq(after.num, before.num.Next());
      CheckEq(result.code(), proto::OK);
      Check(!result.replayed(), "a retry made a configuration");
      CheckNext(before, after, data);
    }
    if (result.code() == proto::OK && !result.replayed()) {
      CheckEq(result.configuration_num(), after.num.value());
    }
    CheckBounds();
  }

  // A command that comes again gets the answer that it got first, or none any more.
  void CheckRetry(const std::string& data, proto::Result result) {
    proto::Command command;
    if (!command.ParseFromString(data) || command.sequence() == 0 || result.index() == 0) return;
    const bool replayed = result.replayed();
    result.clear_replayed();
    const std::string text = ToText(result);
    const auto [at, fresh] = answers_.try_emplace({command.session(), command.sequence()}, text);
    CheckEq(fresh, !replayed);
    CheckEq(at->second, text);
  }

  void CheckNext(const controller::Configuration& before, const controller::Configuration& after,
                 const std::string& data) {
    const absl::Status valid = controller::Validate(after);
    Check(valid.ok(), valid.message());
    made_[after.num.value()] = ToText(controller::ToProto(after));
    if (before.shards() != 0) CheckEq(after.shards(), before.shards());
    CheckLe(after.shards(), options_.limits.shards_max);
    CheckLe(after.groups.size(), size_t{options_.limits.groups_max});
    CheckLe(after.former.size(), controller::kFormerMax);
    proto::Command command;
    Check(command.ParseFromString(data));
    if (command.has_set_members()) Check(after.owners == before.owners, "a shard moved");
    if (command.has_move()) CheckOneMoved(before, after);
    if (command.has_join() || command.has_leave() || command.has_unpin()) CheckBalanced(after);
  }

  static void CheckOneMoved(const controller::Configuration& before,
                            const controller::Configuration& after) {
    size_t moved = 0;
    for (size_t i = 0; i < after.owners.size(); ++i) moved += before.owners[i] != after.owners[i];
    CheckLe(moved, size_t{1});
  }

  // No shard that is not pinned could move from its group to one that has at least two fewer.
  static void CheckBalanced(const controller::Configuration& configuration) {
    std::map<GroupId, size_t> owned;
    for (const controller::Group& group : configuration.groups) owned[group.gid] = 0;
    if (owned.empty()) return;
    std::map<GroupId, size_t> loose = owned;
    for (const GroupId owner : configuration.owners) ++owned.at(owner);
    loose = owned;
    for (const controller::Pin& pin : configuration.pins) --loose.at(pin.gid);
    size_t least = SIZE_MAX;
    for (const auto& [gid, count] : owned) least = std::min(least, count);
    for (const auto& [gid, count] : owned) {
      if (loose.at(gid) > 0) CheckLe(count, least + 1);
    }
  }

  void CheckBounds() {
    size_t records = 0;
    size_t configurations = 0;
    for (const auto& [key, value] : twins_.table().pairs()) {
      if (key.front() == 's') ++records;
      if (key.front() == 'c') ++configurations;
    }
    CheckLe(records, options_.sessions_max * (size_t{1} + options_.limits.session_window_max));
    const uint64_t kept = newest().num.value() == 0 ? 0 : newest().num.value() - oldest() + 1;
    CheckEq(configurations, kept);
  }

  void Query(const proto::Query& query) {
    const proto::Result result = twins_.Query(query.SerializeAsString());
    CheckEq(result.index(), twins_.next().value() - 1);
    const bool found = result.has_configuration() && result.configuration().num() != 0;
    if (!found) return;
    CheckEq(ToText(result.configuration()), made_.at(result.configuration().num()));
  }

  const controller::ControllerOptions options_;
  TwinMachines twins_;
  ScriptSessions sessions_;
  std::map<uint64_t, std::string> made_;                          // configurations, by number
  std::map<std::pair<uint64_t, uint64_t>, std::string> answers_;  // by session and sequence
};

void RunController(const ControllerScript& script) {
  ControllerRun run(script);
  size_t steps = 0;
  for (const MachineStep& step : script.steps()) {
    if (++steps > kStepsMax) break;
    run.Do(step);
  }
  run.End();
}

}  // namespace

StructuredTarget& TheTarget() {
  static ScriptTarget<ControllerScript> target(RunController);
  return target;
}

}  // namespace lockstep::fuzz
