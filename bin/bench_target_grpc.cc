// Our cluster by gRPC: one client library a connection.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bin/bench_target.h"
#include "net/client/failure.h"
#include "net/client/store.h"

namespace lockstep::bench {
namespace {

Outcome OutcomeOf(const absl::Status& status) {
  if (status.ok()) return {};
  const auto failure = client::FailureOf(status);
  const bool unknown = client::EffectOf(status) == client::Effect::kUnknown;
  return {
      .kind = unknown ? Outcome::Kind::kUnknown : Outcome::Kind::kNotExecuted,
      .reason = failure.has_value() ? failure->reason() : absl::StatusCodeToString(status.code())};
}

// Tells `done` what became of an answer of this type.
template <class Result>
client::Callback<Result> Telling(Done done) {
  return [done = std::move(done)](const absl::StatusOr<Result>& result) mutable {
    done(OutcomeOf(result.status()));
  };
}

class GrpcTarget : public Target {
 public:
  GrpcTarget(std::unique_ptr<client::Store> store, uint32_t list_limit)
      : store_(std::move(store)), list_limit_(list_limit) {}

  void Start(const Operation& operation, Done done) override {
    switch (operation.kind) {
      case Kind::kPut:
        return store_->PutAsync(operation.key, operation.value,
                                Telling<client::WriteResult>(std::move(done)));
      case Kind::kGet:
        return Get(operation, std::move(done));
      case Kind::kAppend:
        return store_->AppendAsync(operation.key, operation.value,
                                   Telling<client::WriteResult>(std::move(done)));
      case Kind::kDelete:
        return store_->DeleteAsync(operation.key, Telling<client::WriteResult>(std::move(done)));
      case Kind::kCas:
        return Cas(operation, std::move(done));
      case Kind::kList: {
        client::ListOptions list;
        list.start = operation.key;
        list.limit = list_limit_;
        return store_->ListAsync(std::move(list), Telling<client::ListPage>(std::move(done)));
      }
    }
  }

  std::optional<uint64_t> LogSyncs() override {
    const absl::StatusOr<v1::StatusResponse> status = store_->Status(v1::StatusRequest());
    if (!status.ok()) return std::nullopt;
    uint64_t syncs = 0;
    for (const v1::NodeStatus& node : status->nodes()) syncs += node.counters().log_syncs();
    return syncs;
  }

 private:
  void Get(const Operation& operation, Done done) {
    store_->GetAsync(operation.key, [done = std::move(done), keep = operation.keep_value](
                                        absl::StatusOr<client::GetResult> result) mutable {
      Outcome outcome = OutcomeOf(result.status());
      if (keep && result.ok()) outcome.value = std::move(result->value);
      if (result.ok() && !result->value.has_value()) outcome.kind = Outcome::Kind::kMissing;
      done(std::move(outcome));
    });
  }

  void Cas(const Operation& operation, Done done) {
    store_->CompareAndSwapAsync(
        operation.key, operation.value, operation.value,
        [done = std::move(done)](const absl::StatusOr<client::SwapResult>& result) mutable {
          Outcome outcome = OutcomeOf(result.status());
          if (result.ok() && !result->swapped) outcome.kind = Outcome::Kind::kConflict;
          done(std::move(outcome));
        });
  }

  const std::unique_ptr<client::Store> store_;
  const uint32_t list_limit_;
};

}  // namespace

absl::StatusOr<Targets> OpenGrpcTargets(const TargetOptions& options) {
  Targets targets;
  for (size_t i = 0; i < std::max<size_t>(options.connections, 1); ++i) {
    client::StoreOptions store_options;
    store_options.servers = options.servers;
    store_options.timeout = options.timeout;
    store_options.credentials = options.credentials;
    store_options.consistency = options.stale         ? client::Consistency::kStale
                                : options.any_replica ? client::Consistency::kFollower
                                                      : client::Consistency::kLinearizable;
    absl::StatusOr<std::unique_ptr<client::Store>> store =
        client::Store::Open(std::move(store_options));
    if (!store.ok()) return store.status();
    const absl::Status ready = (*store)->WaitReady(options.timeout);
    if (!ready.ok()) return ready;
    targets.push_back(std::make_unique<GrpcTarget>(*std::move(store), options.list_limit));
  }
  return targets;
}

}  // namespace lockstep::bench
