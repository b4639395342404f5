#include "net/client/grpc_library.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include <atomic>
#include <cstdlib>

namespace lockstep::client {

namespace {

std::atomic<GrpcLog> taker = nullptr;

void Take(gpr_log_func_args* said) {
  const GrpcLog log = taker.load();
  if (log != nullptr) log(said->message);
}

}  // namespace

void TakeGrpcLog(GrpcLog log) {
  if (std::getenv("GRPC_VERBOSITY") != nullptr) return;
  taker = log;
  gpr_set_log_function(Take);
}

void KeepGrpc() {
  [[maybe_unused]] static const bool kept = [] {
    grpc_init();
    return true;
  }();
}

}  // namespace lockstep::client
