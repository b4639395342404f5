// What comes from the wire is believed only when it keeps every invariant.
#include "core/controller/configuration.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/controller/describe.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

// Number 3: group 1 has just left, group 2 and 3 are there, shard 9 is pinned.
Configuration Sample() {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1, 2, 3}));
  admin.Do(MakeMove(ShardId(9), GroupId(3)));
  admin.Do(LeaveOf({1}));
  return replica.Get();
}

TEST(Configuration, RoundTripsAndIsDescribed) {
  const Configuration sample = Sample();
  EXPECT_EQ(FromProto(ToProto(sample)).value(), sample);
  EXPECT_EQ(FromProto(proto::Configuration()).value(), Configuration());
  EXPECT_EQ(Describe(sample), "#3: 2@1 owns 5, 3@1 owns 5; 1 pin; 4 handovers; 1@1 departed");
  EXPECT_EQ(Describe(Configuration()), "#0: no groups, 0 shards");
  EXPECT_EQ(Describe(kv::InSession(JoinOf({5, 6}), SessionId(7), 3, 2)),
            "s7 #3>=2 join 5 with 3 members, 6 with 3 members; 10 shards");
  EXPECT_EQ(Describe(LeaveOf({5, 6}, /*force=*/true)), "leave 5, 6 by force");
  EXPECT_EQ(Describe(MakeMove(ShardId(0), GroupId(2))), "move shard 0 to 2");
}

TEST(Configuration, AnyBrokenInvariantIsRefused) {
  const struct {
    const char* name;
    std::function<void(proto::Configuration&)> spoil;
  } rows[] = {
      {"number 0 with content", [](auto& c) { c.set_num(0); }},
      {"no shards", [](auto& c) { c.clear_owners(); }},
      {"too many shards", [](auto& c) { c.mutable_owners()->Resize(16385, 2); }},
      {"unknown owner", [](auto& c) { c.set_owners(0, 9); }},
      {"no owner", [](auto& c) { c.set_owners(0, 0); }},
      {"gids out of order", [](auto& c) { c.mutable_groups()->SwapElements(0, 1); }},
      {"joined in the future", [](auto& c) { c.mutable_groups(0)->set_joined(4); }},
      {"never joined", [](auto& c) { c.mutable_groups(0)->set_joined(0); }},
      {"no members", [](auto& c) { c.mutable_groups(0)->clear_members(); }},
      {"node 0", [](auto& c) { c.mutable_groups(0)->mutable_members(0)->set_node(0); }},
      {"a node twice", [](auto& c) { c.mutable_groups(0)->mutable_members(1)->set_node(21); }},
      {"pin elsewhere", [](auto& c) { c.mutable_pins(0)->set_gid(2); }},
      {"pin out of range", [](auto& c) { c.mutable_pins(0)->set_shard(10); }},
      {"a pin twice", [](auto& c) { *c.add_pins() = c.pins(0); }},
      {"handover out of range", [](auto& c) { c.mutable_handovers(3)->set_shard(10); }},
      {"handover elsewhere", [](auto& c) { c.mutable_handovers(0)->set_to(1); }},
      {"handover from a future", [](auto& c) { c.mutable_handovers(0)->set_ended(4); }},
      {"handover from long ago", [](auto& c) { c.mutable_handovers(0)->set_ended(1); }},
      {"handover without its time", [](auto& c) { c.mutable_handovers(0)->set_ended(0); }},
      {"handover twice", [](auto& c) { *c.add_handovers() = c.handovers(3); }},
      {"unknown source", [](auto& c) { c.mutable_handovers(0)->set_from(8); }},
      {"a departed group that gave nothing", [](auto& c) { c.clear_handovers(); }},
      {"a source that is nowhere", [](auto& c) { c.clear_departed(); }},
      {"departed and a member", [](auto& c) { c.mutable_departed(0)->set_gid(2); }},
      {"a newcomer's shards without handovers",
       [](auto& c) { c.mutable_groups(1)->set_joined(3); }},
  };
  const proto::Configuration sample = ToProto(Sample());
  for (const auto& row : rows) {
    proto::Configuration spoilt = sample;
    row.spoil(spoilt);
    EXPECT_TRUE(absl::IsInvalidArgument(FromProto(spoilt).status())) << row.name;
  }
}

}  // namespace
}  // namespace lockstep::controller
