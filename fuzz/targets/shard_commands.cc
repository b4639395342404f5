// Two groups of a sharded store, and any sequence of what clients ask of them, what their leaders
// have them do about shards that come and go, and commands that somebody made up. Restarts change
// nothing, counts are right, and as long as nothing is made up, no shard is served twice and
// nothing is lost.
#include "fuzz/models/shard_groups.h"
#include "fuzz/proto/machine_script.pb.h"
#include "fuzz/support/script_target.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kStepsMax = 300;

void RunShards(const ShardScript& script) {
  ShardGroups groups(script);
  size_t steps = 0;
  for (const ShardStep& step : script.steps()) {
    if (++steps > kStepsMax) break;
    groups.Do(step);
  }
  groups.End();
}

}  // namespace

StructuredTarget& TheTarget() {
  static ScriptTarget<ShardScript> target(RunShards);
  return target;
}

}  // namespace lockstep::fuzz
