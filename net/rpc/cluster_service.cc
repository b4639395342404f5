// lockstep.v1.Cluster.
#include "core/proto/lockstep/v1/cluster.grpc.pb.h"
#include "net/rpc/begin_unary.h"
#include "net/rpc/services.h"

namespace lockstep::net {
namespace {

using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;

class ClusterService final : public v1::Cluster::CallbackService {
 public:
  explicit ClusterService(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

  Unary* Join(Context* context, const v1::JoinRequest* request,
              v1::JoinResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Leave(Context* context, const v1::LeaveRequest* request,
               v1::LeaveResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Move(Context* context, const v1::MoveRequest* request,
              v1::MoveResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Unpin(Context* context, const v1::UnpinRequest* request,
               v1::UnpinResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Query(Context* context, const v1::QueryRequest* request,
               v1::QueryResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* TransferLeader(Context* context, const v1::TransferLeaderRequest* request,
                        v1::TransferLeaderResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* AddNode(Context* context, const v1::AddNodeRequest* request,
                 v1::AddNodeResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* RemoveNode(Context* context, const v1::RemoveNodeRequest* request,
                    v1::RemoveNodeResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* ReplaceNode(Context* context, const v1::ReplaceNodeRequest* request,
                     v1::ReplaceNodeResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }
  Unary* Status(Context* context, const v1::StatusRequest* request,
                v1::StatusResponse* response) override {
    return BeginUnary(context, gate_, request, response);
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeClusterService(std::shared_ptr<Gate> gate) {
  return std::make_unique<ClusterService>(std::move(gate));
}

}  // namespace lockstep::net
