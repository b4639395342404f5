#include "core/node/describe.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/controller/admin.h"
#include "core/kv/command.h"
#include "core/proto/node.pb.h"
#include "core/raft/codec.h"

namespace lockstep::node {
namespace {

TEST(Describe, CommandsOfAllKindsOfGroups) {
  proto::Command drop;
  drop.mutable_drop_shard()->set_shard(1);
  drop.mutable_drop_shard()->set_ended(7);
  const struct {
    proto::Command command;
    const char* want;
  } rows[] = {
      {kv::InSession(kv::MakePut("key", "value"), SessionId(2), 3, 1),
       R"(s2 #3>=1 put "key"="value")"},
      {kv::InSession(controller::MakeMove(ShardId(4), GroupId(5)), SessionId(2), 3, 1),
       "s2 #3>=1 move shard 4 to 5"},
      {controller::MakePruneHistory(controller::ConfigurationNum(9)), "prune before 9"},
      {drop, "drop shard 1 lost in 7"},
  };
  for (const auto& row : rows) EXPECT_EQ(Describe(row.command), row.want);
}

TEST(Describe, QueriesOfAllKindsOfGroups) {
  EXPECT_EQ(Describe(kv::MakeGet("key")), R"(get "key")");
  EXPECT_EQ(Describe(controller::MakeGetConfiguration(controller::ConfigurationNum(7))),
            "configuration 7");
}

TEST(Describe, Messages) {
  const struct {
    std::function<void(proto::NodeMessage&)> fill;
    const char* want;
  } rows[] = {
      {[](proto::NodeMessage& message) {
         message.mutable_configuration_request()->set_from_group(5);
         message.mutable_configuration_request()->mutable_get()->set_num(7);
       },
       "group 5 asks for configuration 7"},
      {[](proto::NodeMessage& message) {
         proto::ConfigurationRequest& request = *message.mutable_configuration_request();
         request.set_from_group(5);
         request.mutable_get()->set_num(7);
         request.mutable_get()->set_member_gid(5);
       },
       "group 5 asks for the configuration after 7 that has group 5"},
      {[](proto::NodeMessage& message) {
         message.mutable_configuration_answer()->set_to_group(5);
         message.mutable_configuration_answer()->mutable_configuration()->set_num(7);
       },
       "to group 5: configuration 7"},
      {[](proto::NodeMessage& message) {
         message.mutable_configuration_answer()->set_to_group(5);
         message.mutable_configuration_answer()->set_through(6);
       },
       "to group 5: none up to 6"},
      {[](proto::NodeMessage& message) { message.mutable_shard()->mutable_read(); },
       "group 0 to 0: part 0 of shard 0@0 please"},
      {[](proto::NodeMessage& message) {
         const Bytes one = raft::EncodePeerMessage(GroupId(3), {Term(2), raft::TimeoutNow{}});
         message.add_bundle(one.data(), one.size());
         message.add_bundle("x");
       },
       "g3 term=2 timeout-now; malformed, 1 B"},
  };
  for (const auto& row : rows) {
    proto::NodeMessage message;
    row.fill(message);
    EXPECT_EQ(DescribeMessage(kv::Encode(message)), row.want);
  }
  EXPECT_EQ(DescribeMessage(raft::EncodePeerMessage(GroupId(3), {Term(2), raft::TimeoutNow{}})),
            "g3 term=2 timeout-now");
  EXPECT_EQ(DescribeMessage(Bytes()), "malformed, 0 B");
  EXPECT_EQ(DescribeMessage(Bytes::Copy(absl::string_view("\xf2\x01\xff"))), "malformed, 3 B");
}

}  // namespace
}  // namespace lockstep::node
