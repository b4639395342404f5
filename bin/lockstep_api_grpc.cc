// The Api by gRPC: the client library, with the messages of lockstep.v1 around it.
#include <string>
#include <utility>
#include <vector>

#include "bin/lockstep_api.h"
#include "net/client/failure.h"
#include "net/client/store.h"

namespace lockstep::bin {
namespace {

client::Consistency ClientConsistency(v1::Consistency consistency) {
  if (consistency == v1::STALE) return client::Consistency::kStale;
  return consistency == v1::ANY_REPLICA ? client::Consistency::kFollower
                                        : client::Consistency::kLinearizable;
}

client::CallOptions ReadOptions(v1::Consistency consistency) {
  client::CallOptions options;
  options.consistency = ClientConsistency(consistency);
  return options;
}

// The library numbers writes itself; a caller's own session is for the calls of lockstep.v1.
absl::Status RefuseSession() {
  return client::FailureStatus(absl::StatusCode::kInvalidArgument, client::Effect::kNone,
                               "INVALID_ARGUMENT",
                               "by gRPC the client library has sessions of its own: give none");
}

template <class Response>
absl::StatusOr<Response> Written(const absl::StatusOr<client::WriteResult>& result) {
  if (!result.ok()) return result.status();
  Response response;
  response.set_version(result->version);
  response.set_replayed(result->replayed);
  return response;
}

absl::StatusOr<client::Write> WriteOf(const v1::Write& write) {
  switch (write.operation_case()) {
    case v1::Write::kPut:
      return client::Write::Put(write.put().key(), write.put().value());
    case v1::Write::kAppend:
      return client::Write::Append(write.append().key(), write.append().value());
    case v1::Write::kDelete:
      return client::Write::Delete(write.delete_().key());
    case v1::Write::kCompareAndSwap: {
      const v1::CompareAndSwapRequest& swap = write.compare_and_swap();
      return client::Write::CompareAndSwap(
          swap.key(),
          swap.has_expected() ? std::optional<std::string>(swap.expected()) : std::nullopt,
          swap.has_value() ? std::optional<std::string>(swap.value()) : std::nullopt);
    }
    case v1::Write::OPERATION_NOT_SET:
      break;
  }
  return client::FailureStatus(absl::StatusCode::kInvalidArgument, client::Effect::kNone,
                               "INVALID_ARGUMENT", "a write of the batch says not what to do");
}

v1::WriteOutcome::Kind KindOf(client::WriteOutcome::Kind kind) {
  switch (kind) {
    case client::WriteOutcome::Kind::kExecuted:
      return v1::WriteOutcome::EXECUTED;
    case client::WriteOutcome::Kind::kConflict:
      return v1::WriteOutcome::CONFLICT;
    case client::WriteOutcome::Kind::kNotExecuted:
      return v1::WriteOutcome::NOT_EXECUTED;
    case client::WriteOutcome::Kind::kUnknown:
      return v1::WriteOutcome::UNKNOWN;
  }
  return v1::WriteOutcome::UNKNOWN;
}

class GrpcApi : public Api {
 public:
  GrpcApi(std::unique_ptr<client::Store> store, Duration timeout)
      : store_(std::move(store)), timeout_(timeout) {}

  absl::Status Connect() override { return store_->WaitReady(timeout_); }

  absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) override {
    auto result = store_->Get(request.key(), ReadOptions(request.consistency()));
    if (!result.ok()) return result.status();
    v1::GetResponse response;
    response.set_found(result->value.has_value());
    if (result->value.has_value()) response.set_value(*std::move(result->value));
    response.set_version(result->version);
    response.set_stale(result->stale);
    return response;
  }

  absl::StatusOr<v1::GetManyResponse> GetMany(const v1::GetManyRequest& request) override {
    auto result = store_->GetMany({request.keys().begin(), request.keys().end()},
                                  ReadOptions(request.consistency()));
    if (!result.ok()) return result.status();
    v1::GetManyResponse response;
    for (client::KeyValue& pair : result->pairs) {
      v1::Pair* out = response.add_pairs();
      out->set_key(std::move(pair.key));
      out->set_value(std::move(pair.value));
    }
    response.set_stale(result->stale);
    return response;
  }

  absl::StatusOr<v1::PutResponse> Put(const v1::PutRequest& request) override {
    if (request.has_session()) return RefuseSession();
    return Written<v1::PutResponse>(store_->Put(request.key(), request.value()));
  }
  absl::StatusOr<v1::AppendResponse> Append(const v1::AppendRequest& request) override {
    if (request.has_session()) return RefuseSession();
    return Written<v1::AppendResponse>(store_->Append(request.key(), request.value()));
  }
  absl::StatusOr<v1::DeleteResponse> Delete(const v1::DeleteRequest& request) override {
    if (request.has_session()) return RefuseSession();
    return Written<v1::DeleteResponse>(store_->Delete(request.key()));
  }

  absl::StatusOr<v1::CompareAndSwapResponse> CompareAndSwap(
      const v1::CompareAndSwapRequest& request) override {
    if (request.has_session()) return RefuseSession();
    auto result = store_->CompareAndSwap(
        request.key(),
        request.has_expected() ? std::optional<std::string>(request.expected()) : std::nullopt,
        request.has_value() ? std::optional<std::string>(request.value()) : std::nullopt);
    if (!result.ok()) return result.status();
    v1::CompareAndSwapResponse response;
    response.set_swapped(result->swapped);
    if (result->actual.has_value()) response.set_actual(*std::move(result->actual));
    response.set_actual_omitted(result->actual_omitted);
    response.set_version(result->version);
    response.set_replayed(result->replayed);
    return response;
  }

  absl::StatusOr<v1::ListResponse> List(const v1::ListRequest& request) override {
    client::ListOptions list;
    list.prefix = request.prefix();
    list.start = request.start();
    list.limit = static_cast<uint32_t>(std::min<uint64_t>(request.limit(), UINT32_MAX));
    list.continuation = request.continuation();
    list.keys_only = request.keys_only();
    auto result = store_->List(std::move(list), ReadOptions(request.consistency()));
    if (!result.ok()) return result.status();
    v1::ListResponse response;
    for (client::KeyValue& pair : result->pairs) {
      v1::Pair* out = response.add_pairs();
      out->set_key(std::move(pair.key));
      out->set_value(std::move(pair.value));
    }
    response.set_continuation(std::move(result->continuation));
    response.set_stale(result->stale);
    return response;
  }

  absl::StatusOr<v1::BatchResponse> Batch(const v1::BatchRequest& request) override {
    if (request.has_session()) return RefuseSession();
    std::vector<client::Write> writes;
    for (const v1::Write& write : request.writes()) {
      absl::StatusOr<client::Write> one = WriteOf(write);
      if (!one.ok()) return one.status();
      writes.push_back(*std::move(one));
    }
    return request.atomic() ? Atomic(std::move(writes)) : Each(std::move(writes));
  }

  absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request) override {
    return store_->Join(request);
  }
  absl::StatusOr<v1::LeaveResponse> Leave(const v1::LeaveRequest& request) override {
    return store_->Leave(request);
  }
  absl::StatusOr<v1::MoveResponse> Move(const v1::MoveRequest& request) override {
    return store_->Move(request);
  }
  absl::StatusOr<v1::UnpinResponse> Unpin(const v1::UnpinRequest& request) override {
    return store_->Unpin(request);
  }
  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request) override {
    return store_->Query(request);
  }
  absl::StatusOr<v1::TransferLeaderResponse> TransferLeader(
      const v1::TransferLeaderRequest& request) override {
    return store_->TransferLeader(request);
  }
  absl::StatusOr<v1::AddNodeResponse> AddNode(const v1::AddNodeRequest& request) override {
    return store_->AddNode(request);
  }
  absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(const v1::RemoveNodeRequest& request) override {
    return store_->RemoveNode(request);
  }
  absl::StatusOr<v1::ReplaceNodeResponse> ReplaceNode(
      const v1::ReplaceNodeRequest& request) override {
    return store_->ReplaceNode(request);
  }
  absl::StatusOr<v1::StatusResponse> Status(const v1::StatusRequest& request) override {
    return store_->Status(request);
  }

  absl::Status Health(const std::string& server) override { return store_->Health(server); }
  absl::StatusOr<std::string> Metrics(const std::string&) override {
    return client::FailureStatus(absl::StatusCode::kUnimplemented, client::Effect::kNone,
                                 "UNAVAILABLE", "gRPC serves no metrics: ask the HTTP port");
  }

 private:
  absl::StatusOr<v1::BatchResponse> Atomic(std::vector<client::Write> writes) {
    const auto result = store_->Batch(std::move(writes));
    if (!result.ok()) return result.status();
    v1::BatchResponse response;
    response.set_committed(result->committed);
    response.set_failed_write(result->failed_write);
    response.set_version(result->version);
    response.set_replayed(result->replayed);
    return response;
  }

  absl::StatusOr<v1::BatchResponse> Each(std::vector<client::Write> writes) {
    const auto outcomes = store_->Bulk(std::move(writes));
    if (!outcomes.ok()) return outcomes.status();
    v1::BatchResponse response;
    response.set_committed(true);
    for (const client::WriteOutcome& outcome : *outcomes) {
      v1::WriteOutcome* out = response.add_each();
      out->set_kind(KindOf(outcome.kind));
      out->set_message(std::string(outcome.status.message()));
      if (outcome.kind != client::WriteOutcome::Kind::kExecuted) response.set_committed(false);
    }
    return response;
  }

  const std::unique_ptr<client::Store> store_;
  const Duration timeout_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Api>> OpenGrpcApi(const ApiOptions& options) {
  client::StoreOptions store_options;
  store_options.servers = options.servers;
  store_options.timeout = options.timeout;
  store_options.credentials = options.credentials;
  absl::StatusOr<std::unique_ptr<client::Store>> store =
      client::Store::Open(std::move(store_options));
  if (!store.ok()) return store.status();
  return std::make_unique<GrpcApi>(*std::move(store), options.timeout);
}

}  // namespace lockstep::bin
