// etcd as a target of the load generator: unary calls over a completion queue, one channel a
// connection.
#ifndef LOCKSTEP_TESTS_BENCH_ETCD_TARGET_H_
#define LOCKSTEP_TESTS_BENCH_ETCD_TARGET_H_

#include "absl/status/statusor.h"
#include "bin/bench_target.h"

namespace lockstep::bench {

// Connections are dealt to the servers in turn. There is no append in etcd: those are refused.
absl::StatusOr<Targets> OpenEtcdTargets(const TargetOptions& options);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_TESTS_BENCH_ETCD_TARGET_H_
