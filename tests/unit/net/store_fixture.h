// A Store beside a cluster of one node.
#ifndef LOCKSTEP_TESTS_UNIT_NET_STORE_FIXTURE_H_
#define LOCKSTEP_TESTS_UNIT_NET_STORE_FIXTURE_H_

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "net/client/store.h"
#include "tests/unit/net/real_node.h"

namespace lockstep::client {

// Quick to try again, as tests want it.
inline StoreOptions QuickOptions(std::vector<std::string> servers) {
  StoreOptions options;
  options.servers = std::move(servers);
  options.timeout = std::chrono::seconds(20);
  options.router.attempt_timeout = std::chrono::milliseconds(300);
  options.router.backoff_max = std::chrono::milliseconds(50);
  options.connect_timeout = std::chrono::milliseconds(500);
  options.rediscover_min = std::chrono::milliseconds(10);
  options.rediscover_max = std::chrono::milliseconds(100);
  return options;
}

inline v1::JoinRequest JoinOf(uint64_t group) {
  v1::JoinRequest request;
  request.add_groups()->set_gid(group);
  return request;
}

// Its group has joined.
class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    net::RealNodeOptions options;
    options.directory = net::FreshDirectory("store");
    node_ = std::make_unique<net::RealNode>(options);
    store_ = *Store::Open(QuickOptions({node_->grpc_address()}));
    ASSERT_TRUE(JoinGroup().ok()) << JoinGroup();
  }

  // The node's replicas elect themselves first: until then nothing is done.
  absl::Status JoinGroup() {
    absl::Status status;
    for (int i = 0; i < 100; ++i) {
      status = store_->Join(JoinOf(net::kRealGroup)).status();
      if (status.ok() || absl::IsAlreadyExists(status)) return absl::OkStatus();
    }
    return status;
  }

  void Restart() {
    net::RealNodeOptions options = node_->options();
    node_.reset();
    node_ = std::make_unique<net::RealNode>(options);
  }

  Store& store() { return *store_; }
  net::RealNode& node() { return *node_; }

  std::unique_ptr<net::RealNode> node_;
  std::unique_ptr<Store> store_;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_TESTS_UNIT_NET_STORE_FIXTURE_H_
