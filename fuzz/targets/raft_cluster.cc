// Groups of Raft replicas in any weather: the script decides what arrives, when disks are done, who
// crashes, what people ask for. Raft's Figure 3 holds after every turn of every replica.
#include "fuzz/models/raft_cluster.h"

#include "fuzz/proto/raft_script.pb.h"
#include "fuzz/support/script_target.h"

namespace lockstep::fuzz {
namespace {

void RunRaft(const RaftScript& script) {
  RaftCluster cluster(script.settings());
  for (const RaftStep& step : script.steps()) {
    if (cluster.IsTired()) break;
    cluster.Do(step);
  }
}

}  // namespace

StructuredTarget& TheTarget() {
  static ScriptTarget<RaftScript> target(RunRaft);
  return target;
}

}  // namespace lockstep::fuzz
