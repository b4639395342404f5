#include "net/address_book.h"

#include "gtest/gtest.h"

namespace lockstep::net {
namespace {

proto::NodeAddress Address(uint64_t node, uint64_t incarnation, const std::string& peer) {
  proto::NodeAddress address;
  address.set_node(node);
  address.set_incarnation(incarnation);
  address.set_peer(peer);
  return address;
}

TEST(AddressBook, AnIntroductionReplacesAndHearsayOnlyFillsIn) {
  AddressBook book;
  EXPECT_TRUE(book.Mention(Address(2, 0, "a:1")));
  EXPECT_TRUE(book.changed());
  book.Saved();
  EXPECT_FALSE(book.Mention(Address(2, 0, "b:2")));
  EXPECT_EQ(book.Find(NodeId(2))->peer(), "a:1");
  EXPECT_FALSE(book.changed());
  EXPECT_TRUE(book.Introduce(Address(2, 7, "c:3")));
  EXPECT_EQ(book.Find(NodeId(2))->peer(), "c:3");
  EXPECT_EQ(book.Find(NodeId(2))->incarnation(), 7u);
  EXPECT_TRUE(book.changed());
}

TEST(AddressBook, AnIdKeepsItsFirstIncarnation) {
  AddressBook book;
  EXPECT_TRUE(book.Introduce(Address(2, 7, "a:1")));
  EXPECT_FALSE(book.Introduce(Address(2, 8, "a:1")));
  EXPECT_FALSE(book.Mention(Address(2, 9, "a:1")));
  EXPECT_EQ(book.Find(NodeId(2))->incarnation(), 7u);
  EXPECT_TRUE(book.Introduce(Address(2, 7, "a:1")));
}

proto::ControllerNodes Controllers(uint64_t membership, const std::vector<uint64_t>& nodes) {
  proto::ControllerNodes controllers;
  controllers.set_membership(membership);
  for (const uint64_t node : nodes) controllers.add_nodes(node);
  return controllers;
}

TEST(AddressBook, KnowsTheNewestControllers) {
  AddressBook book;
  EXPECT_EQ(book.controllers().membership(), 0u);
  book.LearnControllers(Controllers(7, {4, 6}));
  EXPECT_TRUE(book.changed());
  EXPECT_EQ(book.controllers().nodes(1), 6u);
  book.Saved();
  for (const proto::ControllerNodes& useless :
       {Controllers(7, {1}), Controllers(6, {1}), Controllers(8, {}), Controllers(8, {0, 1}),
        Controllers(8, {2, 2}), Controllers(8, {3, 2}), Controllers(0, {1})}) {
    book.LearnControllers(useless);
    EXPECT_FALSE(book.changed());
    EXPECT_EQ(book.controllers().membership(), 7u);
  }
  book.LearnControllers(Controllers(8, {9}));
  EXPECT_EQ(book.controllers().nodes_size(), 1);
}

TEST(AddressBook, AnOperatorIsBelievedUntilTheNodeSpeaksForItself) {
  AddressBook book;
  EXPECT_TRUE(book.Correct(NodeId(2), "typo:1"));
  EXPECT_TRUE(book.Correct(NodeId(2), "right:1"));
  EXPECT_EQ(book.Find(NodeId(2))->peer(), "right:1");
  book.Saved();
  EXPECT_FALSE(book.Correct(NodeId(2), "right:1"));
  EXPECT_FALSE(book.changed());
  EXPECT_TRUE(book.Introduce(Address(2, 7, "c:3")));
  EXPECT_FALSE(book.Correct(NodeId(2), "d:4"));
  EXPECT_EQ(book.Find(NodeId(2))->peer(), "c:3");
}

TEST(AddressBook, IsBounded) {
  AddressBook book;
  for (uint64_t node = 1; node <= 2 * AddressBook::kNodesMax; ++node) {
    book.Mention(Address(node, 0, "a:1"));
  }
  EXPECT_EQ(book.All().size(), AddressBook::kNodesMax);
  EXPECT_FALSE(book.Mention(Address(0, 0, "a:1")));
}

TEST(AddressBook, ANodeWithoutAnIdIsNone) {
  AddressBook book;
  EXPECT_FALSE(book.Introduce(Address(0, 7, "a:1")));
  EXPECT_FALSE(book.Mention(Address(0, 7, "a:1")));
  EXPECT_TRUE(book.All().empty());
  EXPECT_FALSE(book.changed());
}

// Every handshake carries the whole book: what one node says must not make it too long for a frame.
TEST(AddressBook, WhatIsNoAddressSaysNothing) {
  AddressBook book;
  const std::string longest(AddressBook::kAddressBytesMax, 'x');
  for (const std::string& none : {longest + "x", std::string("a b:1"), std::string("a\n:1")}) {
    EXPECT_TRUE(book.Introduce(Address(2, 7, none)));
    EXPECT_EQ(book.Find(NodeId(2))->peer(), "") << none.size();
    book.Correct(NodeId(3), none);
    EXPECT_EQ(book.Find(NodeId(3))->peer(), "") << none.size();
  }
  EXPECT_TRUE(book.Introduce(Address(2, 7, longest)));
  EXPECT_EQ(book.Find(NodeId(2))->peer(), longest);
  EXPECT_TRUE(book.Introduce(Address(2, 7, longest + "x")));
  EXPECT_EQ(book.Find(NodeId(2))->peer(), longest) << "nothing was said";
}

TEST(AddressBook, ACrowdOfControllersIsNone) {
  AddressBook book;
  std::vector<uint64_t> crowd;
  for (uint64_t node = 1; node <= AddressBook::kNodesMax; ++node) crowd.push_back(node);
  book.LearnControllers(Controllers(7, crowd));
  EXPECT_EQ(book.controllers().membership(), 7u);
  crowd.push_back(AddressBook::kNodesMax + 1);
  book.LearnControllers(Controllers(8, crowd));
  EXPECT_EQ(book.controllers().membership(), 7u);
}

}  // namespace
}  // namespace lockstep::net
