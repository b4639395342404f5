#include "core/shardkv/describe.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/kv/command.h"

namespace lockstep::shardkv {
namespace {

TEST(Describe, Commands) {
  const struct {
    std::function<void(proto::Command&)> fill;
    const char* want;
  } rows[] = {
      {[](proto::Command& command) {
         proto::Reconfigure& change = *command.mutable_reconfigure();
         change.set_num(7);
         change.set_member(true);
         proto::GainedShard& arrives = *change.add_gained();
         arrives.set_shard(1);
         arrives.mutable_source()->set_gid(5);
         arrives.set_ended(6);
         change.add_gained()->set_shard(3);
         proto::LostShard& lost = *change.add_lost();
         lost.set_shard(4);
         lost.mutable_destination()->set_gid(6);
       },
       "come to configuration 7: gain 1 from 5@6, 3; lose 4 to 6"},
      {[](proto::Command& command) {
         command.mutable_reconfigure()->set_num(8);
         command.mutable_reconfigure()->add_lost()->set_shard(2);
         command.mutable_reconfigure()->add_lost()->set_shard(9);
       },
       "come to configuration 8, no member: lose 2 to 0, 9 to 0"},
      {[](proto::Command& command) {
         command.mutable_reconfigure()->set_num(9);
         command.mutable_reconfigure()->set_member(true);
       },
       "come to configuration 9"},
      {[](proto::Command& command) {
         proto::InstallChunk& chunk = *command.mutable_install_chunk();
         chunk.set_shard(1);
         chunk.set_num(7);
         chunk.set_sequence(2);
         chunk.mutable_part()->add_records();
       },
       "install part 2 of shard 1@7: 1 records"},
      {[](proto::Command& command) {
         proto::InstallChunk& chunk = *command.mutable_install_chunk();
         chunk.set_sequence(3);
         chunk.mutable_part()->mutable_summary();
       },
       "install part 3 of shard 0@0: 0 records, the last"},
      {[](proto::Command& command) {
         command.mutable_drop_shard()->set_shard(1);
         command.mutable_drop_shard()->set_ended(7);
       },
       "drop shard 1 lost in 7"},
      {[](proto::Command& command) {
         command.mutable_sweep_shard()->set_shard(1);
         command.mutable_sweep_shard()->set_since(7);
       },
       "sweep shard 1@7"},
      {[](proto::Command& command) {
         command.mutable_finish_handover()->set_shard(1);
         command.mutable_finish_handover()->set_num(7);
       },
       "finish the hand-over of shard 1@7"},
  };
  for (const auto& row : rows) {
    proto::Command command;
    row.fill(command);
    EXPECT_EQ(Describe(command), row.want);
  }
}

TEST(Describe, Messages) {
  const struct {
    std::function<void(proto::ShardMessage&)> fill;
    const char* want;
  } rows[] = {
      {[](proto::ShardMessage& message) { message.mutable_read(); },
       "group 5 to 6: part 2 of shard 1@7 please"},
      {[](proto::ShardMessage& message) {
         message.mutable_read_answer()->mutable_part()->add_records();
       },
       "group 5 to 6: part 2 of shard 1@7: 1 records"},
      {[](proto::ShardMessage& message) { message.mutable_read_answer(); },
       "group 5 to 6: part 2 of shard 1@7: not yet"},
      {[](proto::ShardMessage& message) { message.mutable_read_answer()->set_gone(true); },
       "group 5 to 6: part 2 of shard 1@7: gone"},
      {[](proto::ShardMessage& message) { message.mutable_drop(); },
       "group 5 to 6: shard 1@7 is here, drop it"},
      {[](proto::ShardMessage& message) { message.mutable_drop_answer()->set_done(true); },
       "group 5 to 6: shard 1@7 is dropped"},
      {[](proto::ShardMessage& message) { message.mutable_drop_answer()->set_leader(3); },
       "group 5 to 6: shard 1@7 is not dropped, leader 3"},
      {[](proto::ShardMessage&) {}, "group 5 to 6: nothing"},
  };
  for (const auto& row : rows) {
    proto::ShardMessage message;
    message.set_from_group(5);
    message.set_to_group(6);
    message.set_shard(1);
    message.set_since(7);
    message.set_sequence(2);
    row.fill(message);
    EXPECT_EQ(Describe(message), row.want);
  }
}

TEST(Describe, Tenures) {
  proto::ShardTenure tenure;
  tenure.set_shard(1);
  tenure.set_since(7);
  tenure.set_state(proto::SHARD_SERVING);
  EXPECT_EQ(Describe(tenure), "shard 1@7 SHARD_SERVING");
  tenure.set_state(proto::SHARD_PULLING);
  tenure.mutable_source()->set_gid(5);
  EXPECT_EQ(Describe(tenure), "shard 1@7 SHARD_PULLING from 5");
  tenure.set_until(9);
  tenure.mutable_destination()->set_gid(6);
  EXPECT_EQ(Describe(tenure), "shard 1@7 SHARD_PULLING until 9 from 5 to 6");
}

}  // namespace
}  // namespace lockstep::shardkv
