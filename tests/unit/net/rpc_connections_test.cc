// How many connections the gRPC front takes, and on which addresses.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "net/metrics/node_metrics.h"
#include "net/rpc/connection_census.h"
#include "net/rpc/rpc_server.h"
#include "net/unique_fd.h"

namespace lockstep::net {
namespace {

UniqueFd Socket() { return UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

TEST(ConnectionCensus, CountsByAddressAndInAll) {
  ConnectionCensus census(/*all_max=*/3, /*per_address_max=*/2);
  std::array<UniqueFd, 5> sockets = {Socket(), Socket(), Socket(), Socket(), Socket()};
  EXPECT_TRUE(census.Admit(sockets[0].get(), "a"));
  EXPECT_TRUE(census.Admit(sockets[1].get(), "a"));
  EXPECT_FALSE(census.Admit(sockets[2].get(), "a"));
  EXPECT_TRUE(census.Admit(sockets[3].get(), "b"));
  EXPECT_FALSE(census.Admit(sockets[4].get(), "c"));
}

TEST(ConnectionCensus, WhatWasClosedHasLeftItsPlace) {
  ConnectionCensus census(/*all_max=*/2, /*per_address_max=*/1);
  UniqueFd first = Socket();
  const UniqueFd second = Socket();
  const UniqueFd third = Socket();
  EXPECT_TRUE(census.Admit(first.get(), "a"));
  EXPECT_TRUE(census.Admit(second.get(), "b"));
  EXPECT_FALSE(census.Admit(third.get(), "a"));
  first.Reset();
  EXPECT_TRUE(census.Admit(third.get(), "a"));
}

// Whatever has the number of a descriptor afterwards is not that connection.
TEST(ConnectionCensus, DescriptorsAreUsedAnew) {
  ConnectionCensus census(/*all_max=*/8, /*per_address_max=*/1);
  UniqueFd first = Socket();
  const int number = first.get();
  EXPECT_TRUE(census.Admit(number, "a"));
  const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(dup2(file.get(), number), number);
  const UniqueFd second = Socket();
  EXPECT_TRUE(census.Admit(second.get(), "a"));
  const UniqueFd third = Socket();
  EXPECT_FALSE(census.Admit(third.get(), "a"));
  // A socket of somebody else, and one that is counted in its own right.
  ASSERT_EQ(dup2(Socket().get(), second.get()), second.get());
  EXPECT_TRUE(census.Admit(third.get(), "a"));
  ASSERT_EQ(dup2(Socket().get(), third.get()), third.get());
  EXPECT_TRUE(census.Admit(third.get(), "b"));
  const UniqueFd fourth = Socket();
  EXPECT_FALSE(census.Admit(fourth.get(), "b"));
  EXPECT_TRUE(census.Admit(fourth.get(), "a"));
}

class NoService final : public Service {
 public:
  void Call(Bytes, Done) override {}
  void CallAll(std::vector<std::pair<Bytes, Done>>) override {}
};

// What a client has of a connection.
class Client {
 public:
  // From one address of this machine to another; IPv4 or IPv6.
  Client(const std::string& from, const std::string& to, uint16_t port) {
    sockaddr_storage source = Parsed(from, 0);
    sockaddr_storage target = Parsed(to, port);
    const socklen_t length =
        to.find(':') == std::string::npos ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    socket_ = UniqueFd(socket(target.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    connected_ = socket_.valid() &&
                 bind(socket_.get(), reinterpret_cast<sockaddr*>(&source), length) == 0 &&
                 connect(socket_.get(), reinterpret_cast<sockaddr*>(&target), length) == 0;
  }
  bool connected() const { return connected_; }
  // A server of HTTP/2 speaks first; a closed connection says nothing.
  bool IsServed() const {
    char byte = 0;
    return connected_ && recv(socket_.get(), &byte, 1, 0) == 1;
  }
  void Close() { socket_.Reset(); }

 private:
  static sockaddr_storage Parsed(const std::string& address, uint16_t port) {
    sockaddr_storage at = {};
    if (address.find(':') == std::string::npos) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(at);
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      EXPECT_EQ(inet_pton(AF_INET, address.c_str(), &v4.sin_addr), 1);
    } else {
      auto& v6 = reinterpret_cast<sockaddr_in6&>(at);
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(port);
      EXPECT_EQ(inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr), 1);
    }
    return at;
  }

  UniqueFd socket_;
  bool connected_ = false;
};

class RpcConnections : public testing::Test {
 protected:
  void Start(const std::string& address, RpcOptions options = {}) {
    server_ = std::make_unique<RpcServer>(service_, std::move(options), metrics_);
    const absl::Status status = server_->Start(address);
    ASSERT_TRUE(status.ok()) << status;
  }
  uint16_t port() const {
    const std::string& address = server_->address();
    uint32_t port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) << address;
    return static_cast<uint16_t>(port);
  }
  Client Connect(const std::string& from, const std::string& to = "127.0.0.1") const {
    return Client(from, to, port());
  }
  bool Counted(int refused) const {
    const std::string line =
        absl::StrCat("lockstep_connections_refused_total{api=\"grpc\"} ", refused, "\n");
    return metrics_->Text({}, {}).find(line) != std::string::npos;
  }

  NoService service_;
  const std::shared_ptr<NodeMetrics> metrics_ = std::make_shared<NodeMetrics>();
  std::unique_ptr<RpcServer> server_;
};

TEST_F(RpcConnections, OneAddressCannotHaveAll) {
  RpcOptions options;
  options.connections_max = 4;
  options.connections_per_address_max = 2;
  Start("0.0.0.0:0", std::move(options));
  Client first = Connect("127.0.0.1");
  const Client second = Connect("127.0.0.1");
  EXPECT_TRUE(first.IsServed());
  EXPECT_TRUE(second.IsServed());
  EXPECT_TRUE(Counted(0));
  EXPECT_FALSE(Connect("127.0.0.1").IsServed());
  EXPECT_TRUE(Counted(1));
  const Client other = Connect("127.0.0.2");
  EXPECT_TRUE(other.IsServed());
  // When gRPC has seen that one has gone there is a place again.
  first.Close();
  while (!Connect("127.0.0.1").IsServed()) {
  }
  EXPECT_TRUE(second.IsServed());
}

TEST_F(RpcConnections, AllAddressesTogetherHaveALimit) {
  RpcOptions options;
  options.connections_max = 2;
  Start("127.0.0.1:0", std::move(options));
  const Client first = Connect("127.0.0.1");
  Client second = Connect("127.0.0.2");
  EXPECT_TRUE(first.IsServed());
  EXPECT_TRUE(second.IsServed());
  EXPECT_FALSE(Connect("127.0.0.3").IsServed());
  second.Close();
  while (!Connect("127.0.0.3").IsServed()) {
  }
}

TEST_F(RpcConnections, ANameIsAllItsAddresses) {
  Start("localhost:0");
  EXPECT_EQ(server_->address(), absl::StrCat("localhost:", port()));
  EXPECT_TRUE(Connect("127.0.0.1").IsServed());
}

TEST_F(RpcConnections, IPv6TakesIPv4Too) {
  if (!Client("::1", "::1", 9).connected() && errno == EADDRNOTAVAIL) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  Start("[::]:0");
  EXPECT_EQ(server_->address(), absl::StrCat("[::]:", port()));
  EXPECT_TRUE(Connect("::1", "::1").IsServed());
  EXPECT_TRUE(Connect("127.0.0.1").IsServed());
}

TEST_F(RpcConnections, NobodyIsServedAfterTheEnd) {
  Start("127.0.0.1:0");
  const uint16_t there = port();
  const Client client = Connect("127.0.0.1");
  EXPECT_TRUE(client.IsServed());
  server_->Shutdown(std::chrono::milliseconds(0));
  EXPECT_FALSE(Client("127.0.0.1", "127.0.0.1", there).connected());
}

}  // namespace
}  // namespace lockstep::net
