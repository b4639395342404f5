// The public API's messages to and from the gateway's, and the bytes of a stream.
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/proto/lockstep/v1/cluster.pb.h"
#include "gtest/gtest.h"
#include "net/client/exchange.h"
#include "net/client/failure.h"
#include "net/rpc/gateway_answers.h"
#include "net/rpc/gateway_requests.h"

namespace lockstep::net {
namespace {

TEST(RpcMessages, ChangesOfNodesSayWhoComesAndWhoGoes) {
  v1::AddNodeRequest add;
  EXPECT_FALSE(ToGateway(&add).ok()) << "node 0";
  add.set_node(4);
  add.set_address("h:1");
  add.set_learner(true);
  add.add_groups(0);
  const auto added = ToGateway(&add);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->change_nodes().add(), 4u);
  EXPECT_EQ(added->change_nodes().remove(), 0u);
  EXPECT_EQ(added->change_nodes().address(), "h:1");
  EXPECT_TRUE(added->change_nodes().learner());
  EXPECT_EQ(added->change_nodes().groups_size(), 1);
  v1::RemoveNodeRequest remove;
  EXPECT_FALSE(ToGateway(&remove).ok());
  remove.set_node(4);
  EXPECT_EQ(ToGateway(&remove)->change_nodes().remove(), 4u);
  v1::ReplaceNodeRequest replace;
  replace.set_node(4);
  EXPECT_FALSE(ToGateway(&replace).ok()) << "it would be an addition";
  replace.set_replaces(2);
  EXPECT_EQ(ToGateway(&replace)->change_nodes().add(), 4u);
  EXPECT_EQ(ToGateway(&replace)->change_nodes().remove(), 2u);

  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::OK);
  reply.add_groups()->set_outcome(v1::GroupChange::BEGUN);
  v1::AddNodeResponse response;
  proto::GatewayReply begun = reply;
  ASSERT_TRUE(Answer(&begun, &response).ok());
  EXPECT_EQ(response.groups(0).outcome(), v1::GroupChange::BEGUN);
  reply.set_kind(proto::GatewayReply::NOT_EXECUTED);
  reply.set_status(static_cast<uint32_t>(absl::StatusCode::kFailedPrecondition));
  reply.mutable_groups(0)->set_reason(v1::GroupChange::UNSAFE);
  const absl::Status refused = Answer(&reply, &response);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  ASSERT_EQ(client::FailureOf(refused)->groups_size(), 1);
  EXPECT_EQ(client::FailureOf(refused)->groups(0).reason(), v1::GroupChange::UNSAFE);
}

TEST(RpcMessages, RepliesThatFailKeepNoneApartFromUnknown) {
  struct Row {
    std::string name;
    proto::GatewayReply::Kind kind;
    absl::StatusCode status;
    proto::Code code;
    absl::StatusCode want;
    client::Effect effect;
    std::string reason;
  };
  using absl::StatusCode;
  using client::Effect;
  using proto::GatewayReply;
  const std::vector<Row> rows = {
      {"late, nobody knows", GatewayReply::UNKNOWN, StatusCode::kDeadlineExceeded,
       proto::CODE_UNSPECIFIED, StatusCode::kDeadlineExceeded, Effect::kUnknown, "TIMEOUT"},
      {"late, not sent", GatewayReply::NOT_EXECUTED, StatusCode::kDeadlineExceeded,
       proto::CODE_UNSPECIFIED, StatusCode::kDeadlineExceeded, Effect::kNone, "TIMEOUT"},
      {"too much", GatewayReply::NOT_EXECUTED, StatusCode::kResourceExhausted, proto::OVERLOADED,
       StatusCode::kResourceExhausted, Effect::kNone, "OVERLOADED"},
      {"no space", GatewayReply::NOT_EXECUTED, StatusCode::kResourceExhausted, proto::NO_SPACE,
       StatusCode::kResourceExhausted, Effect::kNone, "NO_SPACE"},
      {"session lost", GatewayReply::UNKNOWN, StatusCode::kFailedPrecondition,
       proto::SESSION_UNKNOWN, StatusCode::kFailedPrecondition, Effect::kUnknown,
       "SESSION_UNKNOWN"},
      {"elsewhere", GatewayReply::NOT_EXECUTED, StatusCode::kNotFound, proto::WRONG_GROUP,
       StatusCode::kNotFound, Effect::kNone, "WRONG_GROUP"},
      {"the controller refuses", GatewayReply::OK, StatusCode::kOk, proto::ALREADY_EXISTS,
       StatusCode::kAlreadyExists, Effect::kNone, "ALREADY_EXISTS"},
      {"a newer node's code", GatewayReply::UNKNOWN, StatusCode::kUnavailable,
       static_cast<proto::Code>(64), StatusCode::kUnavailable, Effect::kUnknown, "UNAVAILABLE"},
      {"a code without a status", GatewayReply::UNKNOWN, StatusCode::kOk, proto::CODE_UNSPECIFIED,
       StatusCode::kUnknown, Effect::kUnknown, "UNAVAILABLE"},
  };
  for (const Row& row : rows) {
    proto::GatewayReply reply;
    reply.set_kind(row.kind);
    reply.set_status(static_cast<uint32_t>(row.status));
    reply.set_message("why");
    reply.set_leader(7);
    reply.mutable_result()->set_code(row.code);
    reply.mutable_result()->set_message("why");
    reply.mutable_result()->set_configuration_num(9);
    reply.mutable_result()->set_free_bytes(10);
    reply.mutable_result()->set_need_bytes(11);
    v1::MoveResponse response;
    const absl::Status status = Answer(&reply, &response);
    EXPECT_EQ(status.code(), row.want) << row.name;
    EXPECT_EQ(client::EffectOf(status), row.effect) << row.name;
    const auto failure = client::FailureOf(status);
    ASSERT_TRUE(failure.has_value()) << row.name;
    EXPECT_EQ(failure->reason(), row.reason) << row.name;
    EXPECT_EQ(failure->message(), "why") << row.name;
    EXPECT_EQ(failure->leader(), 7u) << row.name;
    EXPECT_EQ(failure->configuration_num(), 9u) << row.name;
    EXPECT_EQ(failure->free_bytes(), 10u) << row.name;
    EXPECT_EQ(failure->need_bytes(), 11u) << row.name;
    // The same on the other side of the wire.
    const auto told =
        client::DecodeDetails(client::EncodeDetails(status.code(), status.message(), *failure));
    ASSERT_TRUE(told.has_value()) << row.name;
    EXPECT_EQ(told->SerializeAsString(), failure->SerializeAsString()) << row.name;
  }
}

TEST(RpcMessages, DetailsThatAreNoneAreNothing) {
  EXPECT_FALSE(client::DecodeDetails("").has_value());
  EXPECT_FALSE(client::DecodeDetails("\xFF\xFF").has_value());
  v1::FailureStatus status;
  status.add_details()->set_type_url("type.googleapis.com/else");
  EXPECT_FALSE(client::DecodeDetails(status.SerializeAsString()).has_value());
  EXPECT_EQ(client::EffectOf(absl::UnknownError("x")), client::Effect::kUnknown);
}

TEST(RpcMessages, RequestsThatMakeNoSenseAreRefused) {
  v1::BatchRequest with_session;
  with_session.add_writes()->mutable_delete_()->set_key("a");
  with_session.mutable_session()->set_id(1);
  v1::BatchRequest session_inside;
  session_inside.set_atomic(true);
  session_inside.add_writes()->mutable_put()->mutable_session()->set_id(1);
  v1::PutRequest half_a_session;
  half_a_session.mutable_session()->set_sequence(1);
  v1::BatchRequest empty;
  v1::OpenSessionRequest no_key;
  v1::CloseSessionRequest no_session;
  v1::JoinRequest nobody;
  v1::LeaveRequest also_nobody;
  const std::vector<absl::Status> refusals = {
      ToGateway(&with_session).status(),   ToGateway(&session_inside).status(),
      ToGateway(&half_a_session).status(), ToGateway(&empty).status(),
      ToGateway(&no_key).status(),         ToGateway(&no_session).status(),
      ToGateway(&nobody).status(),         ToGateway(&also_nobody).status()};
  for (const absl::Status& status : refusals) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(client::EffectOf(status), client::Effect::kNone);
  }
}

TEST(RpcMessages, ASessionsPlaceIsKept) {
  v1::PutRequest put;
  put.set_key("k");
  put.set_value("v");
  put.mutable_session()->set_id(5);
  put.mutable_session()->set_sequence(7);
  auto request = ToGateway(&put);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->command().put().value(), "v");
  EXPECT_EQ(request->command().session(), 5u);
  EXPECT_EQ(request->command().sequence(), 7u);
  EXPECT_EQ(request->command().first_outstanding(), 7u);
  put.mutable_session()->set_first_outstanding(6);
  EXPECT_EQ(ToGateway(&put)->command().first_outstanding(), 6u);
}

// --- The bytes of lockstep.v1.Direct

TEST(RpcMessages, ExchangeIsTheProtosWireFormat) {
  const std::vector<std::pair<uint64_t, std::string>> rows = {
      {1, "one"}, {0, "no id"}, {uint64_t{1} << 63, ""}, {300, std::string(1000, 'x')}};
  std::vector<Piece> pieces;
  v1::ExchangeRequest request;
  v1::ExchangeReply reply;
  for (const auto& [id, text] : rows) {
    pieces.push_back({id, Bytes::Copy(text)});
    request.add_calls()->set_id(id);
    request.mutable_calls()->rbegin()->set_request(text);
    reply.add_answers()->set_id(id);
    reply.mutable_answers()->rbegin()->set_reply(text);
  }
  std::string encoded(ExchangeSize(pieces), '\0');
  EncodeExchange(pieces, encoded.data());
  EXPECT_EQ(encoded, request.SerializeAsString());
  EXPECT_EQ(encoded, reply.SerializeAsString());
  std::vector<std::pair<uint64_t, std::string>> decoded;
  EXPECT_TRUE(DecodeExchange(encoded, [&](uint64_t id, absl::string_view text) {
    decoded.emplace_back(id, std::string(text.data(), text.size()));
  }));
  EXPECT_EQ(decoded, rows);
  for (size_t length = 0; length < encoded.size(); ++length) {
    DecodeExchange(absl::string_view(encoded).substr(0, length), [](uint64_t, auto) {});
  }
  EXPECT_FALSE(DecodeExchange(absl::string_view(encoded).substr(0, encoded.size() - 1),
                              [](uint64_t, auto) {}));
}

TEST(RpcMessages, OneMessageHoldsWhatFits) {
  std::deque<Piece> queue;
  const Bytes half = Bytes::Copy(std::string(kExchangeBytesMax / 2, 'x'));
  const Bytes huge = Bytes::Copy(std::string(2 * kExchangeBytesMax, 'x'));
  for (uint64_t id = 1; id <= 3; ++id) queue.push_back({id, half});
  queue.push_back({4, huge});
  EXPECT_EQ(TakePieces(&queue).size(), 2u);
  EXPECT_EQ(TakePieces(&queue).size(), 1u);
  EXPECT_EQ(TakePieces(&queue).size(), 1u);  // Alone it may be larger.
  EXPECT_EQ(TakePieces(&queue).size(), 0u);
  for (uint32_t i = 0; i < kExchangePiecesMax + 1; ++i) queue.push_back({i, Bytes()});
  EXPECT_EQ(TakePieces(&queue).size(), kExchangePiecesMax);
}

}  // namespace
}  // namespace lockstep::net
