#include "tests/bench/etcd_target.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/etcd.grpc.pb.h"

namespace lockstep::bench {
namespace {

using etcdserverpb::KV;

const char* NameOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::StatusCode::CANCELLED:
      return "CANCELLED";
    default:
      return "OTHER";
  }
}

// etcd does not say whether a call that failed was executed, but for those it never took in.
Outcome OutcomeOf(const grpc::Status& status) {
  if (status.ok()) return {};
  const bool refused = status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ||
                       status.error_code() == grpc::StatusCode::INVALID_ARGUMENT;
  return {.kind = refused ? Outcome::Kind::kNotExecuted : Outcome::Kind::kUnknown,
          .reason = NameOf(status.error_code())};
}

// One call under way; its own tag on the queue.
class Call {
 public:
  virtual ~Call() = default;
  virtual void Finish() = 0;
  grpc::ClientContext& context() { return context_; }

 private:
  grpc::ClientContext context_;
};

template <class Response>
class CallOf : public Call {
 public:
  using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>>;

  CallOf(Done done, void (*judge)(const Response&, Outcome&))
      : done_(std::move(done)), judge_(judge) {}
  void Begin(Reader reader) {
    reader_ = std::move(reader);
    reader_->StartCall();
    reader_->Finish(&response_, &status_, this);
  }
  void Finish() override {
    Outcome outcome = OutcomeOf(status_);
    if (status_.ok() && judge_ != nullptr) judge_(response_, outcome);
    done_(std::move(outcome));
  }

 private:
  Done done_;
  void (*judge_)(const Response&, Outcome&);
  Reader reader_;
  Response response_;
  grpc::Status status_;
};

class EtcdTarget : public Target {
 public:
  EtcdTarget(std::shared_ptr<grpc::Channel> channel, const TargetOptions& options)
      : stub_(KV::NewStub(channel)),
        timeout_(options.timeout),
        serializable_(options.stale),
        list_limit_(options.list_limit),
        thread_([this] { Run(); }) {}
  ~EtcdTarget() override {
    queue_.Shutdown();
    thread_.join();
  }

  void Start(const Operation& operation, Done done) override {
    switch (operation.kind) {
      case Kind::kPut:
        return Put(operation, std::move(done));
      case Kind::kGet:
      case Kind::kList:
        return Range(operation, std::move(done));
      case Kind::kDelete:
        return Delete(operation, std::move(done));
      case Kind::kCas:
        return Cas(operation, std::move(done));
      case Kind::kAppend:
        return done({.kind = Outcome::Kind::kNotExecuted, .reason = "NO_SUCH_OPERATION"});
    }
  }

 private:
  template <class Response, class Request>
  void Begin(std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (KV::Stub::*prepare)(
                 grpc::ClientContext*, const Request&, grpc::CompletionQueue*),
             const Request& request, Done done,
             void (*judge)(const Response&, Outcome&) = nullptr) {
    auto* call = new CallOf<Response>(std::move(done), judge);  // The queue's, until it comes out.
    call->context().set_deadline(std::chrono::system_clock::now() +
                                 std::chrono::duration_cast<std::chrono::milliseconds>(timeout_));
    call->Begin(((*stub_).*prepare)(&call->context(), request, &queue_));
  }

  void Put(const Operation& operation, Done done) {
    etcdserverpb::PutRequest request;
    request.set_key(operation.key);
    request.set_value(operation.value);
    Begin<etcdserverpb::PutResponse>(&KV::Stub::PrepareAsyncPut, request, std::move(done));
  }
  void Delete(const Operation& operation, Done done) {
    etcdserverpb::DeleteRangeRequest request;
    request.set_key(operation.key);
    Begin<etcdserverpb::DeleteRangeResponse>(&KV::Stub::PrepareAsyncDeleteRange, request,
                                             std::move(done));
  }
  void Range(const Operation& operation, Done done) {
    etcdserverpb::RangeRequest request;
    request.set_key(operation.key);
    request.set_serializable(serializable_);
    const bool list = operation.kind == Kind::kList;
    if (list) {
      request.set_range_end(std::string(1, '\0'));
      request.set_limit(list_limit_);
    }
    Begin<etcdserverpb::RangeResponse>(
        &KV::Stub::PrepareAsyncRange, request, std::move(done),
        list ? nullptr : +[](const etcdserverpb::RangeResponse& response, Outcome& outcome) {
          if (response.kvs().empty()) outcome.kind = Outcome::Kind::kMissing;
        });
  }
  void Cas(const Operation& operation, Done done) {
    etcdserverpb::TxnRequest request;
    etcdserverpb::Compare* compare = request.add_compare();
    compare->set_target(etcdserverpb::Compare::VALUE);
    compare->set_key(operation.key);
    compare->set_value(operation.value);
    etcdserverpb::PutRequest* put = request.add_success()->mutable_request_put();
    put->set_key(operation.key);
    put->set_value(operation.value);
    Begin<etcdserverpb::TxnResponse>(
        &KV::Stub::PrepareAsyncTxn, request, std::move(done),
        +[](const etcdserverpb::TxnResponse& response, Outcome& outcome) {
          if (!response.succeeded()) outcome.kind = Outcome::Kind::kConflict;
        });
  }

  void Run() {
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      call->Finish();
    }
  }

  grpc::CompletionQueue queue_;
  const std::unique_ptr<KV::Stub> stub_;
  const Duration timeout_;
  const bool serializable_;
  const uint32_t list_limit_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<Targets> OpenEtcdTargets(const TargetOptions& options) {
  Targets targets;
  for (size_t i = 0; i < std::max<size_t>(options.connections, 1); ++i) {
    const std::string& server = options.servers[i % options.servers.size()];
    grpc::ChannelArguments arguments;
    // Otherwise channels with equal arguments share one connection.
    arguments.SetInt("lockstep.connection", static_cast<int>(i));
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    auto channel = grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(
            std::chrono::system_clock::now() +
            std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout))) {
      return absl::UnavailableError(absl::StrCat("etcd does not answer at ", server));
    }
    targets.push_back(std::make_unique<EtcdTarget>(std::move(channel), options));
  }
  return targets;
}

}  // namespace lockstep::bench
