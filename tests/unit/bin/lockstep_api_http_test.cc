// The Api by HTTP against the real front over a store in memory, and against servers that
// misbehave.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_api.h"
#include "net/client/failure.h"
#include "net/http/http_server.h"
#include "tests/unit/bin/scripted_server.h"
#include "tests/unit/net/http_fake_service.h"

namespace lockstep::bin {
namespace {

using client::Effect;
using client::EffectOf;
using net::http_test::FakeService;
using net::http_test::FakeStore;
using std::chrono::milliseconds;

struct Node {
  Node() : server(net::HttpOptions(), service) { started = server.Start("127.0.0.1:0"); }
  FakeService service;
  net::HttpServer server;
  absl::Status started;
};

class HttpApiTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(node_.started.ok()) << node_.started;
    api_ = Open({node_.server.address()});
  }
  std::unique_ptr<Api> Open(std::vector<std::string> servers,
                            Duration timeout = std::chrono::seconds(10)) {
    auto api = OpenHttpApi({.servers = std::move(servers), .timeout = timeout});
    EXPECT_TRUE(api.ok()) << api.status();
    return *std::move(api);
  }
  void Plant(Node& node, proto::GatewayReply::Kind kind, absl::StatusCode status,
             proto::Code code) {
    proto::GatewayReply reply;
    reply.set_kind(kind);
    reply.set_status(static_cast<uint32_t>(status));
    reply.set_message("because");
    reply.mutable_result()->set_code(code);
    reply.set_leader(2);
    node.service.With([&](FakeStore& store) { store.planted = reply; });
  }

  Node node_;
  std::unique_ptr<Api> api_;
};

v1::PutRequest Put(std::string key, std::string value) {
  v1::PutRequest request;
  request.set_key(std::move(key));
  request.set_value(std::move(value));
  return request;
}

v1::GetRequest Get(std::string key) {
  v1::GetRequest request;
  request.set_key(std::move(key));
  return request;
}

v1::AppendRequest Append(std::string key, std::string value) {
  v1::AppendRequest request;
  request.set_key(std::move(key));
  request.set_value(std::move(value));
  return request;
}

TEST_F(HttpApiTest, CarriesAnyBytes) {
  const std::string bytes("\x00\xff/?#%\r\n\"", 9);
  for (const std::string& key :
       {bytes, std::string("."), std::string(".."), std::string("a/../b")}) {
    for (const std::string& value : {bytes, std::string(), std::string(3 << 20, 'v')}) {
      ASSERT_TRUE(api_->Put(Put(key, value)).ok());
      const auto got = api_->Get(Get(key));
      ASSERT_TRUE(got.ok()) << got.status();
      EXPECT_TRUE(got->found());
      EXPECT_TRUE(got->value() == value);
      EXPECT_GT(got->version(), 0u);
      EXPECT_FALSE(got->stale());
    }
  }
  const auto missing = api_->Get(Get("missing"));
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_FALSE(missing->found());
  v1::GetRequest stale = Get(bytes);
  stale.set_consistency(v1::STALE);
  EXPECT_TRUE(api_->Get(stale)->stale());
}

TEST_F(HttpApiTest, AppendsAndDeletesInASession) {
  v1::AppendRequest append = Append("a", "x");
  append.mutable_session()->set_id(9);
  append.mutable_session()->set_sequence(1);
  EXPECT_FALSE(api_->Append(append)->replayed());
  EXPECT_TRUE(api_->Append(append)->replayed());
  EXPECT_EQ(api_->Get(Get("a"))->value(), "x");
  v1::DeleteRequest remove;
  remove.set_key("a");
  EXPECT_TRUE(api_->Delete(remove).ok());
  EXPECT_FALSE(api_->Get(Get("a"))->found());
}

TEST_F(HttpApiTest, ComparesAndSwaps) {
  v1::CompareAndSwapRequest request;
  request.set_key("a");
  request.set_value("1");
  EXPECT_TRUE(api_->CompareAndSwap(request)->swapped());
  const auto conflict = api_->CompareAndSwap(request);
  ASSERT_TRUE(conflict.ok()) << conflict.status();
  EXPECT_FALSE(conflict->swapped());
  EXPECT_EQ(conflict->actual(), "1");
  request.set_expected("1");
  request.clear_value();
  EXPECT_TRUE(api_->CompareAndSwap(request)->swapped());
  request.set_value("2");
  const auto gone = api_->CompareAndSwap(request);
  EXPECT_FALSE(gone->swapped());
  EXPECT_FALSE(gone->has_actual());
}

TEST_F(HttpApiTest, ListsToTheEnd) {
  node_.service.With([](FakeStore& store) {
    for (int i = 0; i < 2500; ++i) store.pairs[absl::StrCat("k\xff", i)] = absl::StrCat("v", i);
    store.pairs["other"] = "";
  });
  v1::ListRequest request;
  request.set_prefix("k");
  size_t seen = 0;
  do {
    const auto page = api_->List(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Pair& pair : page->pairs()) {
      EXPECT_EQ(absl::StrCat("k\xff", pair.value().substr(1)), pair.key());
      ++seen;
    }
    request.set_continuation(page->continuation());
  } while (!request.continuation().empty());
  EXPECT_EQ(seen, 2500u);
  request.set_keys_only(true);
  request.set_limit(2);
  const auto keys = api_->List(request);
  EXPECT_EQ(keys->pairs_size(), 2);
  EXPECT_TRUE(keys->pairs(0).value().empty());
}

TEST_F(HttpApiTest, BatchesBothWays) {
  v1::BatchRequest request;
  *request.add_writes()->mutable_put() = Put("\xff", "1");
  v1::CompareAndSwapRequest& swap = *request.add_writes()->mutable_compare_and_swap();
  swap.set_key("b");
  swap.set_expected("0");
  swap.set_value("1");
  request.set_atomic(true);
  const auto refused = api_->Batch(request);
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_FALSE(refused->committed());
  EXPECT_EQ(refused->failed_write(), 1u);
  EXPECT_FALSE(api_->Get(Get("\xff"))->found());
  request.set_atomic(false);
  const auto partly = api_->Batch(request);
  ASSERT_TRUE(partly.ok()) << partly.status();
  EXPECT_FALSE(partly->committed());
  ASSERT_EQ(partly->each_size(), 2);
  EXPECT_EQ(partly->each(0).kind(), v1::WriteOutcome::EXECUTED);
  EXPECT_EQ(partly->each(1).kind(), v1::WriteOutcome::CONFLICT);
  request.mutable_writes()->RemoveLast();
  request.set_atomic(true);
  EXPECT_TRUE(api_->Batch(request)->committed());
  v1::GetManyRequest many;
  many.add_keys("none");
  many.add_keys("\xff");
  const auto got = api_->GetMany(many);
  ASSERT_EQ(got->pairs_size(), 1);
  EXPECT_EQ(got->pairs(0).key(), "\xff");
}

TEST_F(HttpApiTest, AdministersTheCluster) {
  v1::JoinRequest join;
  v1::Group& group = *join.add_groups();
  group.set_gid(101);
  group.add_members()->set_node(3);
  const auto joined = api_->Join(join);
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_GT(joined->configuration(), 0u);
  node_.service.With(
      [](FakeStore& store) { EXPECT_EQ(store.last.join().groups(0).members(0).node(), 3u); });
  v1::LeaveRequest leave;
  leave.add_gids(101);
  leave.set_force(true);
  EXPECT_TRUE(api_->Leave(leave).ok());
  v1::MoveRequest move;
  move.set_shard(3);
  move.set_gid(101);
  EXPECT_TRUE(api_->Move(move).ok());
  EXPECT_TRUE(api_->Unpin(v1::UnpinRequest()).ok());
  EXPECT_TRUE(api_->TransferLeader(v1::TransferLeaderRequest()).ok());
  v1::QueryRequest query;
  query.set_num(5);
  const auto configuration = api_->Query(query);
  ASSERT_TRUE(configuration.ok()) << configuration.status();
  EXPECT_EQ(configuration->configuration().num(), 12u);
  EXPECT_EQ(configuration->configuration().owners(0), 101u);
}

TEST_F(HttpApiTest, TellsTheWholeStatus) {
  v1::StatusResponse want;
  want.set_answered_by(1);
  want.set_cluster("c");
  want.mutable_configuration()->add_owners(UINT64_MAX);
  v1::NodeStatus& node = *want.add_nodes();
  node.set_node(1);
  node.set_online(true);
  node.mutable_counters()->set_requests((uint64_t{1} << 60) + 1);
  node.add_replicas()->set_role(v1::PRE_CANDIDATE);
  node.mutable_replicas(0)->add_shards()->set_state("SERVING");
  node_.service.With([&](FakeStore& store) { store.cluster = want; });
  const auto got = api_->Status(v1::StatusRequest());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->SerializeAsString(), want.SerializeAsString());
}

TEST_F(HttpApiTest, AsksSingleServers) {
  const std::string server = node_.server.address();
  const absl::Status unhealthy = api_->Health(server);
  EXPECT_TRUE(absl::StrContains(unhealthy.message(), "bytes are free")) << unhealthy;
  node_.service.With([](FakeStore& store) {
    store.node.set_disk_free_bytes(uint64_t{1} << 40);
    store.node.mutable_counters()->set_peers_connected(1);
  });
  EXPECT_TRUE(api_->Health(absl::StrCat("http://", server, "/")).ok());
  EXPECT_TRUE(absl::StrContains(*api_->Metrics(server), "\nlockstep_peers_connected 1\n"));
}

TEST_F(HttpApiTest, TellsFailuresApart) {
  struct Row {
    proto::GatewayReply::Kind kind;
    absl::StatusCode status;
    proto::Code code;
    absl::StatusCode want;
    Effect effect;
    const char* reason;
  };
  constexpr auto kNot = proto::GatewayReply::NOT_EXECUTED;
  constexpr auto kUnknown = proto::GatewayReply::UNKNOWN;
  for (const Row& row :
       {Row{kNot, absl::StatusCode::kUnavailable, proto::NOT_LEADER, absl::StatusCode::kUnavailable,
            Effect::kNone, "NOT_LEADER"},
        Row{kNot, absl::StatusCode::kDeadlineExceeded, proto::CODE_UNSPECIFIED,
            absl::StatusCode::kDeadlineExceeded, Effect::kNone, "TIMEOUT"},
        Row{kUnknown, absl::StatusCode::kDeadlineExceeded, proto::CODE_UNSPECIFIED,
            absl::StatusCode::kDeadlineExceeded, Effect::kUnknown, "TIMEOUT"},
        Row{kNot, absl::StatusCode::kOutOfRange, proto::TOO_LARGE, absl::StatusCode::kOutOfRange,
            Effect::kNone, "TOO_LARGE"},
        Row{kNot, absl::StatusCode::kFailedPrecondition, proto::SESSION_UNKNOWN,
            absl::StatusCode::kFailedPrecondition, Effect::kNone, "SESSION_UNKNOWN"},
        Row{kNot, absl::StatusCode::kResourceExhausted, proto::OVERLOADED,
            absl::StatusCode::kResourceExhausted, Effect::kNone, "OVERLOADED"},
        Row{kNot, absl::StatusCode::kResourceExhausted, proto::NO_SPACE,
            absl::StatusCode::kResourceExhausted, Effect::kNone, "NO_SPACE"}}) {
    Plant(node_, row.kind, row.status, row.code);
    const absl::Status status = api_->Put(Put("a", "1")).status();
    EXPECT_EQ(status.code(), row.want) << row.reason;
    EXPECT_EQ(EffectOf(status), row.effect) << row.reason;
    const auto failure = client::FailureOf(status);
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->reason(), row.reason);
    EXPECT_EQ(failure->message(), "because");
    EXPECT_EQ(failure->leader(), 2u);
  }
  const absl::Status empty = api_->Put(Put("", "1")).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EffectOf(empty), Effect::kNone);
}

TEST_F(HttpApiTest, GoesToAnotherServer) {
  Node other;
  ASSERT_TRUE(other.started.ok());
  ScriptedServer deaf({}, ScriptedServer::Listening::kNo);
  const auto api = Open({deaf.address(), node_.server.address(), other.server.address()});
  EXPECT_TRUE(api->Connect().ok());
  EXPECT_TRUE(api->Put(Put("a", "1")).ok());
  // One that refuses without having done it, a write included.
  Plant(node_, proto::GatewayReply::NOT_EXECUTED, absl::StatusCode::kUnavailable,
        proto::NOT_LEADER);
  EXPECT_TRUE(api->Put(Put("b", "2")).ok());
  other.service.With([](FakeStore& store) { EXPECT_EQ(store.pairs["b"], "2"); });
  // None that may have.
  Plant(other, proto::GatewayReply::UNKNOWN, absl::StatusCode::kUnavailable,
        proto::LEADERSHIP_LOST);
  EXPECT_EQ(EffectOf(api->Put(Put("c", "3")).status()), Effect::kUnknown);
  node_.service.With([](FakeStore& store) { EXPECT_EQ(store.pairs.count("c"), 0u); });
}

TEST_F(HttpApiTest, SaysThatNobodyAnswers) {
  ScriptedServer deaf({}, ScriptedServer::Listening::kNo);
  const auto api = Open({deaf.address()}, milliseconds(120));
  const absl::Status status = api->Connect();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), deaf.address())) << status;
  const absl::Status put = api->Put(Put("a", "1")).status();
  EXPECT_EQ(put.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(EffectOf(put), Effect::kNone) << "nothing was sent";
}

// A server that stops in the middle of things: a read goes on elsewhere, a write does not.
TEST_F(HttpApiTest, EndsByItsTimeout) {
  ScriptedServer silent({ScriptedServer::Step::kSilence});
  const auto api = Open({silent.address()}, milliseconds(100));
  const absl::Status put = api->Put(Put("a", "1")).status();
  EXPECT_EQ(put.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(EffectOf(put), Effect::kUnknown);
  ScriptedServer again({ScriptedServer::Step::kSilence});
  const auto both = Open({again.address(), node_.server.address()}, milliseconds(2000));
  EXPECT_TRUE(both->Get(Get("a")).ok());
}

// libcurl sends a request again by itself when a kept connection ends without an answer. The server
// may have executed it.
TEST_F(HttpApiTest, SendsAWriteOnce) {
  ScriptedServer server({ScriptedServer::Step::kAnswer, ScriptedServer::Step::kHangUp,
                         ScriptedServer::Step::kAnswer, ScriptedServer::Step::kHangUp});
  const auto api = Open({server.address()});
  ASSERT_TRUE(api->Append(Append("a", "1")).ok());
  const absl::Status second = api->Append(Append("a", "1")).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(EffectOf(second), Effect::kUnknown);
  EXPECT_EQ(server.requests(), 2u);
  v1::DeleteRequest remove;
  remove.set_key("a");
  ASSERT_TRUE(api->Delete(remove).ok());
  EXPECT_EQ(EffectOf(api->Delete(remove).status()), Effect::kUnknown);
  EXPECT_EQ(server.requests(), 4u);
}

// It also connects again by itself, and when that fails says no more than that it could not
// connect.
TEST_F(HttpApiTest, KnowsNothingOfAWriteWhoseServerDied) {
  ScriptedServer server({ScriptedServer::Step::kAnswer, ScriptedServer::Step::kDie});
  const auto api = Open({server.address(), node_.server.address()});
  ASSERT_TRUE(api->Append(Append("a", "1")).ok());
  const absl::Status second = api->Append(Append("a", "2")).status();
  EXPECT_EQ(EffectOf(second), Effect::kUnknown) << second;
  EXPECT_EQ(server.requests(), 2u);
  const auto here = api_->Get(Get("a"));
  ASSERT_TRUE(here.ok());
  EXPECT_FALSE(here->found()) << "it was sent to the next server, too";
}

TEST(OpenHttpApi, RefusesBadServers) {
  for (const char* server : {"", "host", "host:0", "http://host", "https://host:1/x"}) {
    EXPECT_EQ(OpenHttpApi({.servers = {server}}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << server;
  }
  EXPECT_FALSE(OpenHttpApi({}).ok());
}

}  // namespace
}  // namespace lockstep::bin
