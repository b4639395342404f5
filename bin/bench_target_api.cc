#include "bin/bench_target_api.h"

#include <algorithm>
#include <string>

#include "net/client/failure.h"

namespace lockstep::bench {
namespace {

constexpr size_t kThreadsMax = 512;

Outcome OutcomeOf(const absl::Status& status) {
  if (status.ok()) return {};
  const auto failure = client::FailureOf(status);
  const bool unknown = client::EffectOf(status) == client::Effect::kUnknown;
  return {
      .kind = unknown ? Outcome::Kind::kUnknown : Outcome::Kind::kNotExecuted,
      .reason = failure.has_value() ? failure->reason() : absl::StatusCodeToString(status.code())};
}

}  // namespace

ApiTarget::ApiTarget(std::unique_ptr<bin::Api> api, const TargetOptions& options)
    : api_(std::move(api)),
      consistency_(options.stale         ? v1::STALE
                   : options.any_replica ? v1::ANY_REPLICA
                                         : v1::LINEARIZABLE),
      list_limit_(options.list_limit) {
  const size_t share = (options.outstanding + std::max<size_t>(options.connections, 1) - 1) /
                       std::max<size_t>(options.connections, 1);
  for (size_t i = 0; i < std::clamp<size_t>(share, 1, kThreadsMax); ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

ApiTarget::~ApiTarget() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ApiTarget::Start(const Operation& operation, Done done) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.emplace_back(operation, std::move(done));
  }
  work_.notify_one();
}

void ApiTarget::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::pair<Operation, Done> next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    next.second(Execute(next.first));
    lock.lock();
  }
}

Outcome ApiTarget::Execute(const Operation& operation) {
  switch (operation.kind) {
    case Kind::kPut: {
      v1::PutRequest request;
      request.set_key(operation.key);
      request.set_value(operation.value);
      return OutcomeOf(api_->Put(request).status());
    }
    case Kind::kAppend: {
      v1::AppendRequest request;
      request.set_key(operation.key);
      request.set_value(operation.value);
      return OutcomeOf(api_->Append(request).status());
    }
    case Kind::kDelete: {
      v1::DeleteRequest request;
      request.set_key(operation.key);
      return OutcomeOf(api_->Delete(request).status());
    }
    case Kind::kGet: {
      v1::GetRequest request;
      request.set_key(operation.key);
      request.set_consistency(consistency_);
      const auto result = api_->Get(request);
      Outcome outcome = OutcomeOf(result.status());
      if (result.ok() && !result->found()) outcome.kind = Outcome::Kind::kMissing;
      if (operation.keep_value && result.ok() && result->found()) outcome.value = result->value();
      return outcome;
    }
    case Kind::kCas: {
      v1::CompareAndSwapRequest request;
      request.set_key(operation.key);
      request.set_expected(operation.value);
      request.set_value(operation.value);
      const auto result = api_->CompareAndSwap(request);
      Outcome outcome = OutcomeOf(result.status());
      if (result.ok() && !result->swapped()) outcome.kind = Outcome::Kind::kConflict;
      return outcome;
    }
    case Kind::kList: {
      v1::ListRequest request;
      request.set_start(operation.key);
      request.set_limit(list_limit_);
      request.set_consistency(consistency_);
      return OutcomeOf(api_->List(request).status());
    }
  }
  return {};
}

std::optional<uint64_t> ApiTarget::LogSyncs() {
  const absl::StatusOr<v1::StatusResponse> status = api_->Status(v1::StatusRequest());
  if (!status.ok()) return std::nullopt;
  uint64_t syncs = 0;
  for (const v1::NodeStatus& node : status->nodes()) syncs += node.counters().log_syncs();
  return syncs;
}

absl::StatusOr<Targets> OpenHttpTargets(const TargetOptions& options) {
  Targets targets;
  for (size_t i = 0; i < std::max<size_t>(options.connections, 1); ++i) {
    absl::StatusOr<std::unique_ptr<bin::Api>> api =
        bin::OpenHttpApi({.servers = options.servers,
                          .timeout = options.timeout,
                          .credentials = options.credentials});
    if (!api.ok()) return api.status();
    const absl::Status ready = (*api)->Connect();
    if (!ready.ok()) return ready;
    targets.push_back(std::make_unique<ApiTarget>(*std::move(api), options));
  }
  return targets;
}

}  // namespace lockstep::bench
