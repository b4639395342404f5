// A node as production composes it, in this process: storage in a directory, gateway, loop and gRPC
// front, with somebody in between who may lose requests and replies.
#ifndef LOCKSTEP_TESTS_UNIT_NET_REAL_NODE_H_
#define LOCKSTEP_TESTS_UNIT_NET_REAL_NODE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/gateway/surroundings.h"
#include "core/node/roles.h"
#include "net/address_book.h"
#include "net/rpc/rpc_server.h"
#include "net/uv_host.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"
#include "tests/unit/net/meddling_service.h"

namespace lockstep::net {

// A fresh directory under the test's temporary one.
std::string FreshDirectory(const std::string& name);

struct RealNodeOptions {
  uint64_t self = 1;
  std::vector<uint64_t> controllers = {1};
  std::vector<uint64_t> members = {1};  // of group 101
  std::string directory;
  std::string peer = "127.0.0.1:0";
  std::string grpc = "127.0.0.1:0";
  RpcOptions rpc = {};
};

inline constexpr uint64_t kRealGroup = 101;

class RealNode {
 public:
  // Runs when it returns. Port 0 becomes a free one, which the next life of the node keeps if it is
  // given options().
  explicit RealNode(RealNodeOptions options);
  ~RealNode();  // ends at once
  RealNode(const RealNode&) = delete;
  RealNode& operator=(const RealNode&) = delete;

  const RealNodeOptions& options() const { return options_; }
  const std::string& grpc_address() const { return options_.grpc; }
  MeddlingService& meddling() { return *meddling_; }
  RpcServer& rpc() { return *rpc_; }
  UvHost& host() { return *host_; }
  // Lets the nodes find each other.
  void Know(const RealNode& other);

 private:
  class Surroundings;
  void Run();
  node::NodeOptions NodeOptionsHere() const;

  RealNodeOptions options_;
  storage::PosixFileSystem files_;
  AddressBook book_;
  std::unique_ptr<Surroundings> surroundings_;
  std::unique_ptr<MachineFactory> machines_;
  std::unique_ptr<storage::Engine> engine_;
  std::unique_ptr<UvHost> host_;
  std::unique_ptr<MeddlingService> meddling_;
  std::unique_ptr<RpcServer> rpc_;
  std::thread thread_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_TESTS_UNIT_NET_REAL_NODE_H_
