// The services of lockstep.v1 as gRPC calls them. Each call becomes a question to the gateway
// (gateway_requests.h), and the reply its response (gateway_answers.h).
#ifndef LOCKSTEP_NET_RPC_SERVICES_H_
#define LOCKSTEP_NET_RPC_SERVICES_H_

#include <grpcpp/impl/service_type.h>

#include <memory>

#include "net/rpc/gate.h"

namespace lockstep::net {

std::unique_ptr<grpc::Service> MakeKvService(std::shared_ptr<Gate> gate);
std::unique_ptr<grpc::Service> MakeClusterService(std::shared_ptr<Gate> gate);
std::unique_ptr<grpc::Service> MakeDirectService(std::shared_ptr<Gate> gate);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_SERVICES_H_
