// Changes of nodes by HTTP against the real front: what is asked arrives, and so does what became
// of it in each group.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bin/lockstep_api.h"
#include "net/client/failure.h"
#include "net/http/http_server.h"
#include "tests/unit/net/http_fake_service.h"

namespace lockstep::bin {
namespace {

using client::Effect;
using client::EffectOf;
using net::http_test::FakeService;
using net::http_test::FakeStore;

TEST(HttpApiNodesTest, ChangesNodes) {
  FakeService service;
  net::HttpServer server(net::HttpOptions(), service);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  const auto api =
      OpenHttpApi({.servers = {server.address()}, .timeout = std::chrono::seconds(10)});
  ASSERT_TRUE(api.ok()) << api.status();
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::OK);
  reply.mutable_result()->set_code(proto::OK);
  v1::GroupChange& change = *reply.add_groups();
  change.set_group(101);
  change.set_outcome(v1::GroupChange::REFUSED);
  change.set_reason(v1::GroupChange::CHANGE_PENDING);
  change.set_message("wait");
  change.set_membership_id(UINT64_MAX);
  const auto plant = [&] { service.With([&](FakeStore& store) { store.planted = reply; }); };
  const auto last = [&] {
    proto::ChangeNodes asked;
    service.With([&](FakeStore& store) { asked = store.last.change_nodes(); });
    return absl::StrCat(asked.add(), " for ", asked.remove(), "@", asked.address(),
                        asked.learner() ? " learner" : "", " in [",
                        absl::StrJoin(asked.groups(), " "), "]");
  };
  plant();
  v1::AddNodeRequest add;
  add.set_node(4);
  add.set_address("h:1");
  add.add_groups(0);
  add.add_groups(101);
  add.set_learner(true);
  const auto added = (*api)->AddNode(add);
  ASSERT_TRUE(added.ok()) << added.status();
  ASSERT_EQ(added->groups_size(), 1);
  EXPECT_EQ(added->groups(0).SerializeAsString(), change.SerializeAsString());
  EXPECT_EQ(last(), "4 for 0@h:1 learner in [0 101]");
  plant();
  v1::RemoveNodeRequest remove;
  remove.set_node(4);
  EXPECT_TRUE((*api)->RemoveNode(remove).ok());
  EXPECT_EQ(last(), "0 for 4@ in []");
  remove.add_groups(0);
  remove.add_groups(101);
  EXPECT_TRUE((*api)->RemoveNode(remove).ok());
  EXPECT_EQ(last(), "0 for 4@ in [0 101]");
  plant();
  v1::ReplaceNodeRequest replace;
  replace.set_node(4);
  replace.set_replaces(2);
  EXPECT_TRUE((*api)->ReplaceNode(replace).ok());
  EXPECT_EQ(last(), "4 for 2@ in []");

  reply.set_kind(proto::GatewayReply::NOT_EXECUTED);
  reply.set_status(static_cast<uint32_t>(absl::StatusCode::kFailedPrecondition));
  reply.mutable_result()->set_code(proto::FAILED_PRECONDITION);
  plant();
  const absl::Status refused = (*api)->RemoveNode(remove).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(EffectOf(refused), Effect::kNone);
  ASSERT_EQ(client::FailureOf(refused)->groups_size(), 1);
  EXPECT_EQ(client::FailureOf(refused)->groups(0).reason(), v1::GroupChange::CHANGE_PENDING);
}

}  // namespace
}  // namespace lockstep::bin
