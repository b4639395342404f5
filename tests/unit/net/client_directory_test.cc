// What a client makes of what servers say of the nodes.
#include <initializer_list>
#include <vector>

#include "gtest/gtest.h"
#include "net/client/directory.h"

namespace lockstep::client {
namespace {

// A replica of the controller, with a configuration of its own and who votes by it.
v1::ReplicaStatus* Add(v1::StatusResponse& status, uint64_t node, uint64_t membership,
                       std::initializer_list<uint64_t> voters) {
  v1::NodeStatus& said = *status.add_nodes();
  said.set_node(node);
  v1::ReplicaStatus& replica = *said.add_replicas();
  replica.set_membership_id(membership);
  replica.set_membership_committed(true);
  for (const uint64_t voter : voters) {
    v1::GroupMemberStatus& member = *replica.add_group_members();
    member.set_node(voter);
    member.set_voter(true);
  }
  return &replica;
}

std::vector<NodeId> Nodes(std::initializer_list<uint64_t> numbers) {
  std::vector<NodeId> nodes;
  for (const uint64_t number : numbers) nodes.emplace_back(number);
  return nodes;
}

TEST(Directory, TheNewestConfigurationSaysWhoVotes) {
  Directory directory({"127.0.0.1:1"});
  EXPECT_EQ(directory.voters().membership, 0u);
  v1::StatusResponse status;
  Add(status, 1, 5, {1});  // It has left, and knows no better.
  Add(status, 3, 9, {4, 2, 3});
  Add(status, 2, 9, {4, 2, 3});
  directory.Learn(status);
  EXPECT_EQ(directory.voters().membership, 9u);
  EXPECT_EQ(directory.voters().nodes, Nodes({2, 3, 4}));

  v1::StatusResponse older;
  Add(older, 1, 5, {1});
  directory.Learn(older);
  EXPECT_EQ(directory.voters().membership, 9u);
  directory.Learn({});
  EXPECT_EQ(directory.voters().nodes, Nodes({2, 3, 4}));
}

TEST(Directory, WhatIsNotInForceSaysNothing) {
  Directory directory({});
  v1::StatusResponse status;
  v1::GroupMemberStatus& learner = *Add(status, 1, 5, {1, 2})->add_group_members();
  learner.set_node(6);
  Add(status, 2, 6, {1, 2, 3})->set_change_phase(v1::JOINT);
  Add(status, 3, 7, {2, 3})->set_membership_committed(false);
  Add(status, 4, 8, {});
  Add(status, 5, 9, {7})->set_group(101);
  directory.Learn(status);
  EXPECT_EQ(directory.voters().membership, 5u);
  EXPECT_EQ(directory.voters().nodes, Nodes({1, 2}));
}

}  // namespace
}  // namespace lockstep::client
