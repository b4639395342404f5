#include "core/node/door.h"

#include <gtest/gtest.h>

#include <string>

#include "core/controller/admin.h"
#include "core/kv/command.h"

namespace lockstep::node {
namespace {

proto::Command JoinAt(const std::string& address) {
  const controller::Group group{.gid = GroupId(101), .members = {{NodeId(1), address}}};
  return kv::InSession(controller::MakeJoin({group}, /*shards=*/16), SessionId(7), 3, 3);
}

// Clients of the Direct service write commands themselves, and an address is bytes there.
TEST(Door, AnAddressIsText) {
  const NodeOptions options;
  for (const char* good : {"", "a:1", "[::1]:7400"}) {
    proto::Command join = JoinAt(good);
    EXPECT_TRUE(AdmitCommand(GroupRole::kController, options, &join).ok()) << good;
  }
  for (const char* bad : {"\xFF:1", "a:1\n", "\x1B[2J"}) {
    proto::Command join = JoinAt(bad);
    const absl::Status status = AdmitCommand(GroupRole::kController, options, &join);
    EXPECT_EQ(status.message(), "the address of node 1 in group 101 is no address: give host:port");
  }
}

}  // namespace
}  // namespace lockstep::node
