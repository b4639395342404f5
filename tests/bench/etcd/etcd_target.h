// etcd as a target of the load generator, so that one load measures both systems.
#ifndef LOCKSTEP_TESTS_BENCH_ETCD_ETCD_TARGET_H_
#define LOCKSTEP_TESTS_BENCH_ETCD_ETCD_TARGET_H_

#include "bin/bench_target.h"

namespace lockstep::bench {

// Puts and gets by asynchronous unary calls, as etcd's own benchmark makes them; connections go to
// the servers in turn. Each has a thread that takes the answers.
absl::StatusOr<Targets> OpenEtcdTargets(const TargetOptions& options);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_TESTS_BENCH_ETCD_ETCD_TARGET_H_
