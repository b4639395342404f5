#include "tests/unit/net/real_node.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <utility>

#include "core/gateway/gateway.h"
#include "gtest/gtest.h"

namespace lockstep::net {
namespace {

using std::chrono::milliseconds;

std::vector<NodeId> Nodes(const std::vector<uint64_t>& numbers) {
  std::vector<NodeId> nodes;
  for (const uint64_t number : numbers) nodes.emplace_back(number);
  return nodes;
}

bool Contains(const std::vector<uint64_t>& numbers, uint64_t number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

}  // namespace

std::string FreshDirectory(const std::string& name) {
  static std::atomic<int> count{0};
  const std::string path = testing::TempDir() + "/net-" + name + "-" + std::to_string(getpid()) +
                           "-" + std::to_string(count++);
  std::filesystem::remove_all(path);
  return path;
}

class RealNode::Surroundings final : public gateway::Surroundings {
 public:
  Surroundings(uint64_t self, AddressBook& book) : self_(self), book_(book) {}
  std::vector<v1::NodeStatus> KnownNodes() const override {
    std::vector<v1::NodeStatus> nodes;
    for (const proto::NodeAddress& address : book_.All()) Fill(address, &nodes.emplace_back());
    return nodes;
  }
  void Mention(NodeId node, const std::string& peer_address) override {
    book_.Correct(node, peer_address);
  }
  void Describe(v1::NodeStatus* status) const override {
    Fill(*book_.Find(NodeId(self_)), status);
    status->set_version("test");
  }
  void RememberControllers(uint64_t, const std::vector<NodeId>&) override {}

 private:
  static void Fill(const proto::NodeAddress& from, v1::NodeStatus* to) {
    to->set_node(from.node());
    to->set_peer_address(from.peer());
    to->set_grpc_address(from.grpc());
  }
  const uint64_t self_;
  AddressBook& book_;
};

node::NodeOptions RealNode::NodeOptionsHere() const {
  node::NodeOptions node;
  node.self = NodeId(options_.self);
  node.raft.self = node.self;
  node.raft.heartbeat = milliseconds(20);
  node.raft.election_min = milliseconds(100);
  node.raft.election_max = milliseconds(200);
  node.shards = 8;
  node.controllers = Nodes(options_.controllers);
  if (Contains(options_.controllers, options_.self)) {
    node.groups.push_back(
        {GroupId(), node::GroupRole::kController, raft::Membership(Nodes(options_.controllers))});
  }
  if (Contains(options_.members, options_.self)) {
    node.groups.push_back(
        {GroupId(kRealGroup), node::GroupRole::kShards, raft::Membership(Nodes(options_.members))});
  }
  return node;
}

RealNode::RealNode(RealNodeOptions options) : options_(std::move(options)) {
  std::signal(SIGPIPE, SIG_IGN);  // As lockstepd does: a peer that has gone is no reason to die.
  PeerTransportOptions transport;
  transport.cluster = "test";
  transport.listen = options_.peer;
  host_ = std::make_unique<UvHost>(
      transport, book_,
      UvHost::Events{.disk_failed = [](const absl::Status& why) { ADD_FAILURE() << why; },
                     .refused = {}},
      LogSink(), Rng(options_.self));
  EXPECT_TRUE(host_->Listen().ok());
  options_.peer = host_->transport().listen_address();
  meddling_ = std::make_unique<MeddlingService>(host_.get());
  rpc_ = std::make_unique<RpcServer>(*meddling_, options_.rpc);
  const absl::Status started = rpc_->Start(options_.grpc);
  EXPECT_TRUE(started.ok()) << started;
  options_.grpc = rpc_->address();
  std::promise<void> booted;
  thread_ = std::thread([&] {
    Run();
    host_->Post([&] { booted.set_value(); });
    host_->Run();
  });
  booted.get_future().wait();
}

void RealNode::Run() {
  const node::NodeOptions node = NodeOptionsHere();
  machines_ = node::MakeMachines(node);
  storage::EngineOptions engine;
  engine.directory = options_.directory;
  for (const node::HostedGroup& group : node.groups) engine.groups.push_back(group.id);
  engine_ = *storage::Engine::Open(files_, engine, *machines_);
  Introduction introduction;
  introduction.self.set_node(options_.self);
  introduction.self.set_incarnation(options_.self);
  introduction.self.set_peer(options_.peer);
  introduction.self.set_grpc(options_.grpc);
  book_.Introduce(introduction.self);
  surroundings_ = std::make_unique<Surroundings>(options_.self, book_);
  gateway::GatewayOptions gateway;
  gateway.router.controller_nodes = node.controllers;
  gateway.router.near = node.self;
  gateway.router.attempt_timeout = milliseconds(400);
  gateway.status_patience = milliseconds(500);
  gateway.life = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  host_->Boot([this](const StorageJob& job) { return engine_->Run(job); }, introduction,
              [&](const Host& host) {
                return gateway::MakeNodeWithGateway(node, gateway, engine_->TakeImages(),
                                                    Rng(gateway.life), host, *surroundings_);
              });
}

RealNode::~RealNode() {
  rpc_->Shutdown(milliseconds(0));
  host_->Stop();
  thread_.join();
  host_.reset();
}

void RealNode::Know(const RealNode& other) {
  proto::NodeAddress address;
  address.set_node(other.options_.self);
  address.set_peer(other.options_.peer);
  address.set_grpc(other.options_.grpc);
  std::promise<void> noted;
  host_->Post([&] {
    book_.Mention(address);
    noted.set_value();
  });
  noted.get_future().wait();
}

}  // namespace lockstep::net
