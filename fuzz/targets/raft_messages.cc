// One Raft replica and what a correct group may say to it: leaders come and go, messages come late,
// twice and in any order, some out of the blue; its own disk and clients do what they like. Its own
// checks hold, what it says and holds keeps to its limits, terms and votes on its disk never go
// back, and it commits what the group has committed.
#include "fuzz/models/raft_replica.h"
#include "fuzz/proto/raft_script.pb.h"
#include "fuzz/support/script.h"

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
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return lockstep::fuzz::RunScript(data, size, lockstep::fuzz::RunMessages);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed) {
  return lockstep::fuzz::MutateScript<lockstep::fuzz::RaftMessagesScript>(data, size, size_max,
                                                                          seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,
                                            size_t other_size, uint8_t* out, size_t size_max,
                                            unsigned seed) {
  return lockstep::fuzz::CrossOverScripts<lockstep::fuzz::RaftMessagesScript>(
      lockstep::fuzz::TextOf(data, size), lockstep::fuzz::TextOf(other, other_size), out, size_max,
      seed);
}
