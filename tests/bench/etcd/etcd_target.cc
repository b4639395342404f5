#include "tests/bench/etcd/etcd_target.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/etcd/etcd.grpc.pb.h"

namespace lockstep::bench {
namespace {

Outcome OutcomeOf(const grpc::Status& status) {
  if (status.ok()) return {};
  return {.kind = Outcome::Kind::kUnknown, .reason = absl::StrCat("gRPC ", status.error_code())};
}

class EtcdTarget final : public Target {
 public:
  EtcdTarget(std::shared_ptr<grpc::Channel> channel, const TargetOptions& options)
      : stub_(etcdserverpb::KV::NewStub(std::move(channel))),
        timeout_(options.timeout),
        serializable_(options.stale),
        thread_([this] { Run(); }) {}
  ~EtcdTarget() override {
    queue_.Shutdown();
    thread_.join();
  }

  void Start(const Operation& operation, Done done) override {
    if (operation.kind == Kind::kPut) return Put(operation, std::move(done));
    if (operation.kind == Kind::kGet) return Get(operation, std::move(done));
    done({.kind = Outcome::Kind::kNotExecuted, .reason = "only put and get are measured"});
  }

 private:
  struct Call {
    virtual ~Call() = default;
    virtual Outcome Finish() { return OutcomeOf(status); }
    grpc::ClientContext context;
    grpc::Status status;
    Done done;
  };
  template <class Response>
  struct CallOf final : Call {
    Response response;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
    Outcome Finish() override {
      Outcome outcome = OutcomeOf(status);
      if constexpr (std::is_same_v<Response, etcdserverpb::RangeResponse>) {
        if (status.ok() && response.count() == 0) outcome.kind = Outcome::Kind::kMissing;
      }
      return outcome;
    }
  };

  template <class Response>
  CallOf<Response>* NewCall(Done done) {
    auto* call = new CallOf<Response>;
    call->done = std::move(done);
    call->context.set_deadline(
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(timeout_));
    return call;
  }
  void Put(const Operation& operation, Done done) {
    auto* call = NewCall<etcdserverpb::PutResponse>(std::move(done));
    etcdserverpb::PutRequest request;
    request.set_key(operation.key);
    request.set_value(operation.value);
    call->reader = stub_->AsyncPut(&call->context, request, &queue_);
    call->reader->Finish(&call->response, &call->status, static_cast<Call*>(call));
  }
  void Get(const Operation& operation, Done done) {
    auto* call = NewCall<etcdserverpb::RangeResponse>(std::move(done));
    etcdserverpb::RangeRequest request;
    request.set_key(operation.key);
    request.set_serializable(serializable_);
    call->reader = stub_->AsyncRange(&call->context, request, &queue_);
    call->reader->Finish(&call->response, &call->status, static_cast<Call*>(call));
  }
  void Run() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
      const std::unique_ptr<Call> call(static_cast<Call*>(tag));
      call->done(call->Finish());
    }
  }

  const std::unique_ptr<etcdserverpb::KV::Stub> stub_;
  const Duration timeout_;
  const bool serializable_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<Targets> OpenEtcdTargets(const TargetOptions& options) {
  Targets targets;
  for (size_t i = 0; i < std::max<size_t>(options.connections, 1); ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("lockstep.connection", static_cast<int>(i));  // A connection of its own.
    const std::string& server = options.servers[i % options.servers.size()];
    std::shared_ptr<grpc::Channel> channel =
        grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
    const auto deadline =
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(options.timeout);
    if (!channel->WaitForConnected(deadline)) {
      return absl::UnavailableError(absl::StrCat("no etcd answers at ", server));
    }
    targets.push_back(std::make_unique<EtcdTarget>(std::move(channel), options));
  }
  return targets;
}

}  // namespace lockstep::bench
