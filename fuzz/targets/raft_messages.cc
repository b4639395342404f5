// One Raft replica and what a correct group may say to it: leaders come and go, messages come late,
// twice and in any order, some out of the blue; its own disk and clients do what they like. Its own
// checks hold, what it says and holds keeps to its limits, terms and votes on its disk never go
// back, and it commits what the group has committed.
#include "fuzz/models/raft_replica.h"
#include "fuzz/proto/raft_script.pb.h"
#include "fuzz/support/script_target.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kStepsMax = 500;

void RunMessages(const RaftMessagesScript& script) {
  RaftReplica replica(script.settings());
  size_t steps = 0;
  for (const MessagesStep& step : script.steps()) {
    if (++steps > kStepsMax) break;
    replica.Do(step);
  }
}

}  // namespace

StructuredTarget& TheTarget() {
  static ScriptTarget<RaftMessagesScript> target(RunMessages);
  return target;
}

}  // namespace lockstep::fuzz
