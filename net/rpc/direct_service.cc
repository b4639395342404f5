// lockstep.v1.Direct. Messages are taken as bytes: see net/client/exchange.h.
#include "core/proto/lockstep/v1/cluster.grpc.pb.h"
#include "net/rpc/exchange_stream.h"
#include "net/rpc/services.h"

namespace lockstep::net {
namespace {

class DirectService final : public v1::Direct::WithRawCallbackMethod_Exchange<v1::Direct::Service> {
 public:
  explicit DirectService(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Exchange(
      grpc::CallbackServerContext* context) override {
    return ExchangeStream::Begin(*context, gate_);
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDirectService(std::shared_ptr<Gate> gate) {
  return std::make_unique<DirectService>(std::move(gate));
}

}  // namespace lockstep::net
