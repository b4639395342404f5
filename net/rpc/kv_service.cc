// lockstep.v1.KV.
#include "core/proto/lockstep/v1/kv.grpc.pb.h"
#include "net/rpc/begin_unary.h"
#include "net/rpc/list_call.h"
#include "net/rpc/services.h"

namespace lockstep::net {
namespace {

using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;

class KvService final : public v1::KV::CallbackService {
 public:
  explicit KvService(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

  Unary* Get(Context* context, const v1::GetRequest* request, v1::GetResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* GetMany(Context* context, const v1::GetManyRequest* request,
                 v1::GetManyResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Put(Context* context, const v1::PutRequest* request, v1::PutResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Append(Context* context, const v1::AppendRequest* request,
                v1::AppendResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Delete(Context* context, const v1::DeleteRequest* request,
                v1::DeleteResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* CompareAndSwap(Context* context, const v1::CompareAndSwapRequest* request,
                        v1::CompareAndSwapResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Batch(Context* context, const v1::BatchRequest* request,
               v1::BatchResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* OpenSession(Context* context, const v1::OpenSessionRequest* request,
                     v1::OpenSessionResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* CloseSession(Context* context, const v1::CloseSessionRequest* request,
                      v1::CloseSessionResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  grpc::ServerWriteReactor<v1::ListResponse>* List(Context* context,
                                                   const v1::ListRequest* request) override {
    return ListCall::Begin(context, gate_, *request);
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeKvService(std::shared_ptr<Gate> gate) {
  return std::make_unique<KvService>(std::move(gate));
}

}  // namespace lockstep::net
