// Clients that keep a cluster busy, as those of the labs' GenericTest: each appends numbered words
// to a key of its own and reads it back, one operation after the other; or all of them work on the
// same few keys.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_LOAD_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_LOAD_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "tests/scenario/support/stage.h"

namespace lockstep::scenario {

enum class Keys : uint8_t {
  kOwn,     // one a client: it knows what it must read
  kShared,  // drawn from a few: the history decides. Puts and deletions occur too
};

class Load {
 public:
  // Begins now, with every client of the stage. `pause_max`: between two operations of a client.
  Load(Stage& stage, Keys keys, Duration pause_max = std::chrono::milliseconds(50));
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Nothing new is begun; what is under way is waited for.
  void Stop();
  // Operations that were executed, of the client that has the fewest.
  uint64_t executed_by_slowest() const;
  // Every word that a client has appended is there: once, in order, and nothing else. Keys::kOwn.
  void ExpectEveryWordOnce();

 private:
  struct Worker;
  void Next(Worker& worker);
  void OnDone(Worker& worker, const Pending& pending);

  Stage& stage_;
  const Keys keys_;
  const Duration pause_max_;
  bool stopped_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_LOAD_H_
