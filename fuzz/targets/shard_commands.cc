// Two groups of a sharded store, and any sequence of what clients ask of them, what their leaders
// have them do about shards that come and go, and commands that somebody made up. Restarts change
// nothing, counts are right, and as long as nothing is made up, no shard is served twice and
// nothing is lost.
#include "fuzz/models/shard_groups.h"
#include "fuzz/proto/machine_script.pb.h"
#include "fuzz/support/script.h"

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
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return lockstep::fuzz::RunScript(data, size, lockstep::fuzz::RunShards);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed) {
  return lockstep::fuzz::MutateScript<lockstep::fuzz::ShardScript>(data, size, size_max, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,
                                            size_t other_size, uint8_t* out, size_t size_max,
                                            unsigned seed) {
  return lockstep::fuzz::CrossOverScripts<lockstep::fuzz::ShardScript>(
      lockstep::fuzz::TextOf(data, size), lockstep::fuzz::TextOf(other, other_size), out, size_max,
      seed);
}
