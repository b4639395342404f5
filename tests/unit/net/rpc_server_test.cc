// The gRPC front as any client of the public API sees it, before a real node.
#include "net/rpc/rpc_server.h"

#include <grpcpp/generic/generic_stub.h>

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "net/client/byte_buffers.h"
#include "tests/unit/net/rpc_fixture.h"

namespace lockstep::net {
namespace {

TEST_F(RpcServerTest, ReadsAndWrites) {
  ASSERT_TRUE(Put("a", "1").ok());
  EXPECT_TRUE(Get("a").found());
  EXPECT_EQ(Get("a").value(), "1");
  EXPECT_FALSE(Get("b").found());

  v1::AppendRequest append;
  append.set_key("a");
  append.set_value("2");
  v1::AppendResponse appended;
  ASSERT_TRUE(Call(&v1::KV::Stub::Append, append, &appended).ok());
  EXPECT_LT(0u, appended.version());

  v1::CompareAndSwapRequest swap;
  swap.set_key("a");
  swap.set_expected("9");
  swap.set_value("3");
  v1::CompareAndSwapResponse swapped;
  ASSERT_TRUE(Call(&v1::KV::Stub::CompareAndSwap, swap, &swapped).ok());
  EXPECT_FALSE(swapped.swapped());
  EXPECT_EQ(swapped.actual(), "12");
  swap.set_expected("12");
  swapped.Clear();
  ASSERT_TRUE(Call(&v1::KV::Stub::CompareAndSwap, swap, &swapped).ok());
  EXPECT_TRUE(swapped.swapped());

  v1::GetManyRequest many;
  many.add_keys("b");
  many.add_keys("a");
  many.set_consistency(v1::STALE);
  v1::GetManyResponse pairs;
  ASSERT_TRUE(Call(&v1::KV::Stub::GetMany, many, &pairs).ok());
  ASSERT_EQ(pairs.pairs_size(), 1);
  EXPECT_EQ(pairs.pairs(0).value(), "3");
  EXPECT_TRUE(pairs.stale());

  v1::DeleteRequest remove;
  remove.set_key("a");
  v1::DeleteResponse removed;
  ASSERT_TRUE(Call(&v1::KV::Stub::Delete, remove, &removed).ok());
  EXPECT_FALSE(Get("a").found());
}

TEST_F(RpcServerTest, BatchesAtomicAndNot) {
  v1::BatchRequest batch;
  batch.set_atomic(true);
  batch.add_writes()->mutable_put()->set_key("{t}a");
  v1::CompareAndSwapRequest& swap = *batch.add_writes()->mutable_compare_and_swap();
  swap.set_key("{t}b");
  swap.set_expected("x");
  swap.set_value("y");
  v1::BatchResponse response;
  ASSERT_TRUE(Call(&v1::KV::Stub::Batch, batch, &response).ok());
  EXPECT_FALSE(response.committed());
  EXPECT_EQ(response.failed_write(), 1u);
  EXPECT_FALSE(Get("{t}a").found());

  batch.set_atomic(false);
  response.Clear();
  ASSERT_TRUE(Call(&v1::KV::Stub::Batch, batch, &response).ok());
  ASSERT_EQ(response.each_size(), 2);
  EXPECT_EQ(response.each(0).kind(), v1::WriteOutcome::EXECUTED);
  EXPECT_EQ(response.each(1).kind(), v1::WriteOutcome::CONFLICT);
  EXPECT_FALSE(response.committed());
  EXPECT_TRUE(Get("{t}a").found());

  batch.clear_writes();
  batch.add_writes();
  const grpc::Status none = Call(&v1::KV::Stub::Batch, batch, &response);
  EXPECT_EQ(none.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(FailureIn(none).effect(), v1::EFFECT_NONE);
}

// A caller's own session: the number that is repeated is answered from the stored reply, after a
// restart too.
TEST_F(RpcServerTest, SessionsMakeRepetitionsHarmless) {
  v1::OpenSessionRequest open;
  open.set_key("a");
  v1::OpenSessionResponse session;
  ASSERT_TRUE(Call(&v1::KV::Stub::OpenSession, open, &session).ok());
  ASSERT_NE(session.session(), 0u);
  v1::AppendRequest append;
  append.set_key("a");
  append.set_value("x");
  append.mutable_session()->set_id(session.session());
  append.mutable_session()->set_sequence(1);
  v1::AppendResponse response;
  ASSERT_TRUE(Call(&v1::KV::Stub::Append, append, &response).ok());
  EXPECT_FALSE(response.replayed());
  const uint64_t version = response.version();
  Restart();
  grpc::Status status;
  for (int i = 0; i < 50; ++i) {  // Until the channel has noticed.
    status = Call(&v1::KV::Stub::Append, append, &response);
    if (status.ok()) break;
  }
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(response.replayed());
  EXPECT_EQ(response.version(), version);
  EXPECT_EQ(Get("a").value(), "x");

  v1::CloseSessionRequest close;
  close.set_key("a");
  close.set_session(session.session());
  v1::CloseSessionResponse closed;
  ASSERT_TRUE(Call(&v1::KV::Stub::CloseSession, close, &closed).ok());
  append.mutable_session()->set_sequence(2);
  status = Call(&v1::KV::Stub::Append, append, &response);
  EXPECT_EQ(FailureIn(status).reason(), "SESSION_UNKNOWN");
  EXPECT_EQ(FailureIn(status).effect(), v1::EFFECT_NONE);
  append.mutable_session()->clear_sequence();
  EXPECT_EQ(Call(&v1::KV::Stub::Append, append, &response).error_code(), grpc::INVALID_ARGUMENT);
}

TEST_F(RpcServerTest, ListsStreamPages) {
  constexpr int kKeys = 2500;
  std::vector<client::Write> writes;
  for (int i = 0; i < kKeys; ++i) {
    writes.push_back(client::Write::Put("k" + std::to_string(10000 + i), "v"));
    if (writes.size() < 1000 && i + 1 < kKeys) continue;
    ASSERT_TRUE(store().Bulk(std::move(writes)).ok());
    writes.clear();
  }
  v1::ListRequest list;
  list.set_prefix("k");
  auto [all, status] = List(list);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_LE(3u, all.size());
  int next = 0;
  for (const v1::ListResponse& page : all) {
    for (const v1::Pair& pair : page.pairs()) {
      EXPECT_EQ(pair.key(), "k" + std::to_string(10000 + next++));
    }
    EXPECT_EQ(page.continuation(), "");
  }
  EXPECT_EQ(next, kKeys);

  list.set_limit(1700);
  list.set_keys_only(true);
  auto [some, some_status] = List(list);
  ASSERT_TRUE(some_status.ok());
  int count = 0;
  for (const v1::ListResponse& page : some) count += page.pairs_size();
  EXPECT_EQ(count, 1700);
  EXPECT_EQ(some[0].pairs(0).value(), "");
  list.set_continuation(some.back().continuation());
  auto [rest, rest_status] = List(list);
  ASSERT_TRUE(rest_status.ok());
  EXPECT_EQ(rest[0].pairs(0).key(), "k11700");
  EXPECT_EQ(rest.back().continuation(), "");

  v1::ListRequest nothing;
  nothing.set_prefix("zzz");
  auto [none, none_status] = List(nothing);
  ASSERT_TRUE(none_status.ok());
  ASSERT_EQ(none.size(), 1u);
  EXPECT_EQ(none[0].pairs_size(), 0);
}

TEST_F(RpcServerTest, ValuesOfSixtyFourMebibytes) {
  const std::string value(size_t{64} << 20, 'v');
  const grpc::Status put = Put("big", value);
  ASSERT_TRUE(put.ok()) << put.error_message();
  EXPECT_TRUE(Get("big").value() == value);
  const grpc::Status larger = Put("big", value + "x");
  EXPECT_EQ(larger.error_code(), grpc::OUT_OF_RANGE);
  EXPECT_EQ(FailureIn(larger).reason(), "TOO_LARGE");
}

TEST_F(RpcServerTest, ErrorsSayWhatBecameOfTheCall) {
  const grpc::Status empty = Put("", "x");
  EXPECT_EQ(empty.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(FailureIn(empty).effect(), v1::EFFECT_NONE);
  EXPECT_EQ(FailureIn(empty).message(), empty.error_message());

  grpc::ClientContext context;
  v1::QueryRequest query;
  query.set_num(999);
  v1::QueryResponse response;
  const grpc::Status none = cluster_->Query(&context, query, &response);
  EXPECT_EQ(none.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(FailureIn(none).reason(), "NOT_FOUND");
}

// ServerReflectionRequest.list_services is field 7; the answer holds the names.
TEST_F(RpcServerTest, ReflectionNamesTheServices) {
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  auto stream = stub.PrepareCall(
      &context, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  const auto done = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  stream->StartCall(nullptr);
  ASSERT_TRUE(done());
  stream->Write(ToByteBuffer(Bytes::Copy(absl::string_view("\x3A\x01*", 3))), nullptr);
  ASSERT_TRUE(done());
  grpc::ByteBuffer answer;
  stream->Read(&answer, nullptr);
  ASSERT_TRUE(done());
  const std::optional<Bytes> bytes = FromByteBuffer(answer);
  ASSERT_TRUE(bytes.has_value());
  for (const char* name :
       {"lockstep.v1.KV", "lockstep.v1.Cluster", "lockstep.v1.Direct", "grpc.health.v1.Health"}) {
    EXPECT_NE(bytes->view().find(name), absl::string_view::npos) << name;
  }
  context.TryCancel();
  grpc::Status status;
  stream->Finish(&status, nullptr);
  done();
  queue.Shutdown();
}

}  // namespace
}  // namespace lockstep::net
