// A load through the calls of an Api, which wait for their answers: a thread for each outstanding
// operation.
#ifndef LOCKSTEP_BIN_BENCH_TARGET_API_H_
#define LOCKSTEP_BIN_BENCH_TARGET_API_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "bin/bench_target.h"
#include "bin/lockstep_api.h"

namespace lockstep::bench {

class ApiTarget : public Target {
 public:
  ApiTarget(std::unique_ptr<bin::Api> api, const TargetOptions& options);
  // Answers what has been started.
  ~ApiTarget() override;

  void Start(const Operation& operation, Done done) override;
  std::optional<uint64_t> LogSyncs() override;

 private:
  void Work();
  Outcome Execute(const Operation& operation);

  const std::unique_ptr<bin::Api> api_;
  const v1::Consistency consistency_;
  const uint32_t list_limit_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::pair<Operation, Done>>
      queue_;             // guarded by mutex_; bounded by what callers start
  bool closing_ = false;  // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_TARGET_API_H_
