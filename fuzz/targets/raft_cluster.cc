// Groups of Raft replicas in any weather: the script decides what arrives, when disks are done, who
// crashes, what people ask for. Raft's Figure 3 holds after every turn of every replica.
#include "fuzz/models/raft_cluster.h"

#include "fuzz/proto/raft_script.pb.h"
#include "fuzz/support/script.h"

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
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return lockstep::fuzz::RunScript(data, size, lockstep::fuzz::RunRaft);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t size_max,
                                          unsigned seed) {
  return lockstep::fuzz::MutateScript<lockstep::fuzz::RaftScript>(data, size, size_max, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,
                                            size_t other_size, uint8_t* out, size_t size_max,
                                            unsigned seed) {
  return lockstep::fuzz::CrossOverScripts<lockstep::fuzz::RaftScript>(
      lockstep::fuzz::TextOf(data, size), lockstep::fuzz::TextOf(other, other_size), out, size_max,
      seed);
}
