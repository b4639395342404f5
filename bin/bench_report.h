// What a load has shown, for people and for machines.
#ifndef LOCKSTEP_BIN_BENCH_REPORT_H_
#define LOCKSTEP_BIN_BENCH_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bin/bench_load.h"

namespace lockstep::bench {

// One object: options, throughput, latencies in microseconds, errors, CPU, syncs.
nlohmann::ordered_json ReportJson(const LoadOptions& options, const LoadReport& report);
// Some lines and a table, latencies in milliseconds.
std::string ReportText(const LoadOptions& options, const LoadReport& report);
// "12 s  34567/s  p50 1.2 ms  p99 3.4 ms  max 5.6 ms  7 failed".
std::string ProgressText(const Progress& progress);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_REPORT_H_
