// The load generator.
//
// Closed loop: so many operations are outstanding, and each that ends starts the next; latency is
// what one operation took. Open loop: operations start at times that do not wait for answers, and
// latency counts from the time meant, so that a system which stalls cannot hide it by making its
// clients wait (coordinated omission).
#ifndef LOCKSTEP_BIN_BENCH_LOAD_H_
#define LOCKSTEP_BIN_BENCH_LOAD_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bin/bench_histogram.h"
#include "bin/bench_keys.h"
#include "bin/bench_target.h"
#include "core/base/types.h"

namespace lockstep::bench {

struct LoadOptions {
  std::array<uint32_t, kKinds> weights = {1, 0, 0, 0, 0, 0};  // by Kind; not all 0
  std::string key_prefix = "bench-";
  uint64_t keys = 10'000;
  Distribution distribution = Distribution::kUniform;
  uint64_t value_bytes = 256;
  uint64_t outstanding = 64;  // closed loop; open loop: how far it may fall behind before it drops
  double rate = 0;            // open loop: operations a second; 0: closed loop
  bool poisson = true;        // open loop: random times with this mean, not fixed ones
  bool prepare = false;       // put every key once before
  Duration warm_up{0};
  Duration duration = std::chrono::seconds(10);
  uint64_t count = 0;  // operations after the warm-up; 0: by time
  uint64_t seed = 1;
  std::vector<pid_t> server_pids;
};

struct KindReport {
  uint64_t answered = 0;
  uint64_t conflicts = 0;                  // of those: a cas that found another value
  uint64_t missing = 0;                    // of those: there was no such key
  std::map<std::string, uint64_t> errors;  // "TIMEOUT, unknown": how many
  Histogram latency;                       // of those answered

  void Merge(const KindReport& other);
  uint64_t failed() const;
};

// Of the time after the warm-up.
struct LoadReport {
  Duration elapsed{0};
  std::array<KindReport, kKinds> kinds;
  KindReport all;
  uint64_t answered_in_time = 0;        // until `elapsed`; the others came afterwards
  Duration longest_gap{0};              // without any operation answered
  std::vector<uint64_t> server_cpu_us;  // by server_pids
  std::vector<uint64_t> server_resident_bytes;
  uint64_t client_cpu_us = 0;
  uint64_t other_cpu_us = 0;  // of the whole machine, without these servers and this client
  std::optional<uint64_t> log_syncs;

  double seconds() const;
  double per_second() const;
};

// Once a second, for people.
struct Progress {
  Duration elapsed{0};
  bool warming_up = false;
  uint64_t per_second = 0;
  uint64_t failed = 0;  // since the last
  Histogram latency;    // likewise
};

// Runs the load and waits for what is outstanding. `stop` ends it early. Operations are dealt to
// the targets in turn.
LoadReport RunLoad(const LoadOptions& options, const Targets& targets,
                   const std::function<void(const Progress&)>& tell, const std::atomic<bool>& stop);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_LOAD_H_
