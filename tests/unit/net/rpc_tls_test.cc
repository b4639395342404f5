// The client library and gRPC's front with TLS, tokens and roles, against a real node.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "net/client/store.h"
#include "tests/unit/net/real_node.h"
#include "tests/unit/net/store_fixture.h"
#include "tests/unit/net/test_certificates.h"

namespace lockstep::net {
namespace {

class RpcTls : public testing::Test {
 protected:
  void Start(TlsDemand demand, std::shared_ptr<const AccessPolicy> policy = nullptr) {
    RealNodeOptions options;
    options.directory = FreshDirectory("tls");
    options.rpc.tls = store_;
    options.rpc.tls_demand = demand;
    options.rpc.guard = guard_;
    node_ = std::make_unique<RealNode>(options);
    const auto admin = Open(ClientCredentials("admin"));
    absl::Status joined;
    for (int i = 0; i < 100 && (i == 0 || !joined.ok()); ++i) {
      joined = admin->Join(client::JoinOf(kRealGroup)).status();
    }
    ASSERT_TRUE(joined.ok()) << joined;
    guard_->Replace(std::move(policy));
  }
  std::unique_ptr<client::Store> Open(client::Credentials credentials) {
    client::StoreOptions options = client::QuickOptions({node_->grpc_address()});
    options.credentials = std::move(credentials);
    return *client::Store::Open(options);
  }

  const std::shared_ptr<TlsStore> store_ = StoreOf(NodeRequest(1));
  const std::shared_ptr<Guard> guard_ = std::make_shared<Guard>();
  std::unique_ptr<RealNode> node_;
};

TEST_F(RpcTls, ACertificateLetsIn) {
  Start(TlsDemand::kVerified);
  const auto store = Open(ClientCredentials("admin"));
  EXPECT_TRUE(store->Put("k", std::string(3'000'000, 'v')).ok());
  EXPECT_EQ(store->Get("k")->value->size(), 3'000'000u);
  const auto seconds = std::chrono::seconds(1);
  EXPECT_FALSE(Open(ClientCredentials(""))->WaitReady(seconds).ok());
  EXPECT_FALSE(Open({})->WaitReady(seconds).ok());  // plain text
  const TlsPem foreign = PemOf(ClientRequestFor("admin"), OtherAuthority());
  EXPECT_FALSE(Open({.authorities = foreign.authorities,
                     .certificate = foreign.certificate,
                     .key = foreign.key})
                   ->WaitReady(seconds)
                   .ok());
}

TEST_F(RpcTls, NewCertificatesAreShownToNewConnections) {
  Start(TlsDemand::kVerified);
  client::Credentials trusting_another = ClientCredentials("admin");
  trusting_another.authorities = OtherAuthority().certificate;
  EXPECT_FALSE(Open(trusting_another)->WaitReady(std::chrono::seconds(1)).ok());
  store_->Replace(CredentialsOf(NodeRequest(1), OtherAuthority()));
  EXPECT_TRUE(Open(trusting_another)->WaitReady(std::chrono::seconds(20)).ok());
}

TEST_F(RpcTls, EachRoleMayWhatItMay) {
  Start(TlsDemand::kIfGiven, PolicyForTests());
  const auto admin = Open(ClientCredentials("admin"));
  const auto reader = Open(ClientCredentials("", "read-token"));
  const auto orders = Open(ClientCredentials("", "orders-token"));
  const auto nobody = Open(ClientCredentials("", "guessed"));

  EXPECT_TRUE(admin->Put("k", "v").ok());
  EXPECT_EQ(*reader->Get("k")->value, "v");
  const absl::Status read_only = reader->Put("k", "w").status();
  EXPECT_TRUE(absl::IsPermissionDenied(read_only)) << read_only;
  EXPECT_EQ(client::EffectOf(read_only), client::Effect::kNone);
  EXPECT_TRUE(orders->Put("orders-1", "v").ok());
  EXPECT_TRUE(absl::IsPermissionDenied(orders->Put("k", "w").status()));
  EXPECT_TRUE(absl::IsPermissionDenied(orders->Get("k").status()));
  EXPECT_TRUE(absl::IsPermissionDenied(orders->List({.prefix = ""}).status()));
  EXPECT_EQ(orders->List({.prefix = "orders-"})->pairs.size(), 1u);
  v1::MoveRequest move;
  move.set_gid(kRealGroup);
  EXPECT_TRUE(absl::IsPermissionDenied(orders->Move(move).status()));
  EXPECT_TRUE(admin->Move(move).ok());
  // At once, not when the patience is over.
  const absl::Status unknown = nobody->WaitReady(std::chrono::hours(1));
  EXPECT_TRUE(absl::IsUnauthenticated(unknown)) << unknown;
  EXPECT_TRUE(absl::IsUnauthenticated(nobody->Get("k").status()));
  EXPECT_EQ(*admin->Get("k")->value, "v");
}

}  // namespace
}  // namespace lockstep::net
