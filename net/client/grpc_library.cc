#include "net/client/grpc_library.h"

#include <grpc/grpc.h>

namespace lockstep::client {

void KeepGrpc() {
  [[maybe_unused]] static const bool kept = [] {
    grpc_init();
    return true;
  }();
}

}  // namespace lockstep::client
