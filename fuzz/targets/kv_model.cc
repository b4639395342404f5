// A key-value group against a map (models/kv_model.h): commands with and without a place in a
// session, retries, bytes that are no command; reads of single keys, of several, and of lists page
// by page; restarts and snapshots in between. What is kept for sessions has its bound.
#include "fuzz/models/kv_model.h"

#include <memory>
#include <string>

#include "core/base/check.h"
#include "core/kv/command.h"
#include "core/kv/kv_machine.h"
#include "fuzz/models/kv_settings.h"
#include "fuzz/models/script_sessions.h"
#include "fuzz/models/twin_machines.h"
#include "fuzz/proto/machine_script.pb.h"
#include "fuzz/support/script_target.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kStepsMax = 400;

class KvRun {
 public:
  explicit KvRun(const KvScript& script)
      : options_(OptionsOf(script.settings())),
        model_(options_),
        twins_([this] { return std::make_unique<kv::KvMachine>(options_); }) {}

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

  void End() {
    twins_.CheckTables();
    std::map<std::string, std::string> pairs;
    for (const auto& [key, value] : twins_.table().pairs()) {
      if (key.front() == 'd') pairs.emplace(key.substr(1), value);
    }
    Check(pairs == model_.pairs(), "the table holds other pairs");
  }

 private:
  void Command(EntryKind kind, const proto::Command& command) {
    Entry(kind, sessions_.Place(command, options_.limits.session_window_max).SerializeAsString());
  }

  void Entry(EntryKind kind, const std::string& data) {
    const uint64_t index = twins_.next().value();
    proto::Result result = twins_.Apply(kind, data);
    proto::Command command;
    const bool readable = command.ParseFromString(data);
    if (!readable) return CheckEq(result.code(), proto::INVALID_ARGUMENT);
    result.clear_message();
    CheckSame(result, model_.Apply(command, index));
    if (result.session() != 0) sessions_.Registered(result.session());
    CheckBounds();
  }

  static void CheckSame(const proto::Result& is, const proto::Result& should) {
    CheckEq(ToText(is), ToText(should));
  }

  void CheckBounds() {
    CheckEq(static_cast<const kv::KvMachine&>(twins_.machine()).sessions(), model_.sessions());
    size_t records = 0;
    for (auto at = twins_.table().pairs().lower_bound("s");
         at != twins_.table().pairs().end() && at->first.front() == 's'; ++at) {
      ++records;
      CheckLe(at->second.size(), size_t{64} + options_.session_value_bytes_max);
    }
    CheckLe(records, options_.sessions_max * (size_t{1} + options_.limits.session_window_max));
  }

  void Query(const proto::Query& query) {
    proto::Result result = twins_.Query(query.SerializeAsString());
    const absl::Status valid = kv::ValidateQuery(query, options_.limits);
    if (!valid.ok()) return CheckEq(result.code(), kv::CodeOf(valid));
    CheckEq(result.index(), twins_.next().value() - 1);
    if (query.has_list()) return List(query);
    result.clear_message();
    result.clear_index();
    result.clear_stale();
    CheckSame(result, model_.Answer(query));
  }

  // All pages, from the first one on.
  void List(proto::Query query) {
    query.mutable_list()->clear_continuation();
    std::map<std::string, std::string> listed;
    do {
      const proto::Result page = twins_.Query(query.SerializeAsString());
      CheckEq(page.code(), proto::OK);
      const bool first = listed.empty();
      CheckPage(query.list(), page);
      for (const proto::Pair& pair : page.pairs()) {
        Check(listed.emplace(pair.key(), pair.value()).second, "listed twice");
      }
      if (!first) Check(page.pairs_size() > 0, "a page without progress");
      query.mutable_list()->set_continuation(page.continuation());
    } while (!query.list().continuation().empty());
    Check(listed == model_.Listed(query.list()), "listed something else");
  }

  void CheckPage(const proto::List& list, const proto::Result& page) {
    uint64_t bytes = 0;
    const std::string* last = nullptr;
    for (const proto::Pair& pair : page.pairs()) {
      if (last != nullptr) CheckLt(*last, pair.key());
      last = &pair.key();
      bytes += pair.key().size() + pair.value().size();
    }
    if (page.pairs_size() > 1) CheckLe(bytes, options_.limits.list_bytes_max);
    const auto pairs = static_cast<uint32_t>(page.pairs_size());
    CheckLe(pairs, options_.limits.list_pairs_max);
    if (list.limit() > 0) CheckLe(pairs, list.limit());
  }

  const kv::KvOptions options_;
  KvModel model_;
  TwinMachines twins_;
  ScriptSessions sessions_;
};

void RunKv(const KvScript& script) {
  KvRun run(script);
  size_t steps = 0;
  for (const MachineStep& step : script.steps()) {
    if (++steps > kStepsMax) break;
    run.Do(step);
  }
  run.End();
}

}  // namespace

StructuredTarget& TheTarget() {
  static ScriptTarget<KvScript> target(RunKv);
  return target;
}

}  // namespace lockstep::fuzz
