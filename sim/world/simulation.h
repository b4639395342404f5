// One seed, one run: a cluster, its clients, its faults and its checkers, from boot to verdict.
#ifndef LOCKSTEP_SIM_WORLD_SIMULATION_H_
#define LOCKSTEP_SIM_WORLD_SIMULATION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "sim/check/checker.h"
#include "sim/check/linearizability/history.h"
#include "sim/faults/fault_kind.h"
#include "sim/trace/state_sink.h"
#include "sim/trace/trace.h"

namespace lockstep::sim {

// What kind of cluster is simulated.
enum class Profile : uint8_t {
  kRaft,   // one group, with replicas on all servers, whose members change
  kShard,  // a controller and groups between which shards move, each on some of the servers
};

// In which order things happen that may happen in any.
enum class Schedule : uint8_t {
  kRandom,  // latencies are drawn, one by one
  kPct,     // and links and disks have priorities (sim/world/pct_schedule.h)
};

// Limits of what a person may choose: servers, and virtual time.
inline constexpr uint32_t kNodesMax = 15;
inline constexpr Duration kTimeMax = std::chrono::hours(24 * 365);  // of the safety phase

// What a person chooses. Everything else is drawn from the seed.
struct RunOptions {
  uint64_t seed = 1;                 // decides all that is not said here
  Profile profile = Profile::kRaft;  // what kind of cluster
  uint32_t nodes_min = 0;            // servers, at least; 0: 3
  uint32_t nodes_max = 0;            // servers, at most; 0: 5, and 9 where shards move
  // Operations issued by all clients together before the liveness phase; 0: drawn.
  uint32_t operations = 0;
  // Virtual time of the safety phase; zero: drawn. The run goes on to the liveness phase when
  // either the operations or the time are used up.
  Duration time{0};
  uint64_t events_max = 20'000'000;  // a run that takes more is a livelock and fails
  FaultSet faults_allowed =
      FaultSet::All();                    // kinds that may be switched on; a coin per kind decides
  Schedule schedule = Schedule::kRandom;  // while faults are on
  Judges judges = Judges::kAll;           // who may condemn the run
  bool all_allowed_faults_on = false;     // no coins: every allowed kind is on
  TraceSink* trace = nullptr;             // a readable trace, not owned; nullptr: none
  uint64_t trace_until_event = UINT64_MAX;  // stop the run after this event (replay --until)
  // Hears of all draws, and may replace them; not owned. nullptr: nobody does.
  DrawTape* tape = nullptr;
  // Hears of each state of the cluster, seen from far away; not owned. nullptr: nobody does.
  StateSink* states = nullptr;
  // Gets what clients did, not owned; nullptr: nobody asks. What is under way at the end is open.
  linearizability::History* history = nullptr;
};

// What a run did. A batch of seeds in which one of these stays zero tests nothing.
struct Counters {
  // In a fixed order, names for people: "elections", "commits", "truncations", "snapshots
  // installed", ...
  std::vector<std::pair<std::string, uint64_t>> values;
  void Add(const Counters& other);  // by name; REQUIRES: the same names in the same order, or empty
};

// What a run was and what became of it.
struct RunReport {
  uint64_t seed = 0;                   // of the run
  std::string hash;                    // 32 hex digits: the 128-bit trace hash
  uint64_t events = 0;                 // that happened
  Duration virtual_time{0};            // the run's length
  uint32_t nodes = 0;                  // servers
  uint32_t operations = 0;             // that clients issued
  Counters counters;                   // what happened how often
  std::string climate;                 // everything drawn for the run, in a few lines
  std::optional<Violation> violation;  // absent: the run passed
  uint64_t violation_event = 0;        // the event after which it was found
};

// From boot to verdict, or to the first violation.
RunReport Run(const RunOptions& options);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_SIMULATION_H_
