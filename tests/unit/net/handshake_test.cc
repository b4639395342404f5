#include "net/handshake.h"

#include <string>

#include "gtest/gtest.h"

namespace lockstep::net {
namespace {

Introduction Ours() {
  Introduction ours{.self = {}, .controllers = {NodeId(1)}, .shards = 8};
  ours.self.set_node(1);
  ours.self.set_incarnation(11);
  ours.self.set_peer("here:1");
  return ours;
}

proto::NodeAddress Theirs(uint64_t node) {
  proto::NodeAddress address;
  address.set_node(node);
  address.set_incarnation(22);
  address.set_peer("there:2");
  return address;
}

Bytes Encoded(const google::protobuf::MessageLite& message) {
  return Bytes::Copy(message.SerializeAsString());
}

proto::Welcome Answer(const proto::Hello& hello, AddressBook& book) {
  return AnswerHello(ReadHello(Encoded(hello)), /*certificate=*/nullptr, "c", Ours(), book);
}

proto::Hello HelloFrom(uint64_t node, const std::string& cluster = "c") {
  return MakeHello(cluster, Theirs(node), NodeId(1), node::Channel::kLog);
}

TEST(Handshake, WhoFitsIsIntroducedAndToldOfTheCluster) {
  AddressBook book;
  const proto::Welcome welcome = Answer(HelloFrom(2), book);
  EXPECT_EQ(welcome.refusal(), proto::WELCOME);
  EXPECT_EQ(welcome.shards(), 8u);
  ASSERT_EQ(welcome.book_size(), 1);
  EXPECT_EQ(welcome.book(0).peer(), "there:2");
  const auto read = ReadWelcome(Encoded(welcome));
  ASSERT_TRUE(read.ok());
  AddressBook other;
  EXPECT_TRUE(TakeWelcome(*read, NodeId(1), NodeId(2), other).ok());
  EXPECT_EQ(other.Find(NodeId(1))->peer(), "here:1");
}

TEST(Handshake, WhoDoesNotFitChangesNothing) {
  AddressBook book;
  proto::Hello other_version = HelloFrom(2);
  other_version.set_version(99);
  proto::Hello other_node = HelloFrom(2);
  other_node.set_to(3);
  EXPECT_EQ(Answer(other_version, book).refusal(), proto::OTHER_VERSION);
  EXPECT_EQ(Answer(other_node, book).refusal(), proto::OTHER_NODE);
  EXPECT_EQ(Answer(HelloFrom(1), book).refusal(), proto::SAME_NODE);
  EXPECT_EQ(Answer(HelloFrom(0), book).refusal(), proto::MALFORMED);
  EXPECT_EQ(Answer(HelloFrom(2, "d"), book).refusal(), proto::OTHER_CLUSTER);
  EXPECT_TRUE(book.All().empty());
}

// The advice quotes the other cluster's name, which may be anything: it goes to logs and terminals,
// and into a message that must stay UTF-8.
TEST(Handshake, AdviceIsOneLine) {
  AddressBook book;
  std::string name = "\n\033[2J";
  for (int i = 0; i < 10'000; ++i) name += "\xC3\xA4";
  const proto::Welcome refused = Answer(HelloFrom(2, name), book);
  EXPECT_EQ(refused.refusal(), proto::OTHER_CLUSTER);
  EXPECT_LE(refused.advice().size(), kAdviceBytesMax);
  EXPECT_EQ(refused.advice().find_first_of("\n\033"), std::string::npos);
  EXPECT_TRUE(ReadWelcome(Encoded(refused)).ok());

  proto::Welcome shouting;
  shouting.set_refusal(proto::OTHER_VERSION);
  shouting.set_advice("a\nb" + std::string(100'000, 'x'));
  const auto read = ReadWelcome(Encoded(shouting));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->advice(), "a b" + std::string(kAdviceBytesMax - 3, 'x'));
}

TEST(Handshake, AWelcomeIsOfTheNodeThatWasDialled) {
  AddressBook book;
  proto::Welcome welcome;
  *welcome.mutable_from() = Theirs(3);
  *welcome.add_book() = Theirs(4);
  EXPECT_TRUE(absl::IsInvalidArgument(TakeWelcome(welcome, NodeId(2), NodeId(1), book)));
  EXPECT_TRUE(book.All().empty());
  EXPECT_TRUE(TakeWelcome(welcome, NodeId(3), NodeId(1), book).ok());
  EXPECT_EQ(book.All().size(), 2u);
  welcome.mutable_from()->set_incarnation(23);
  EXPECT_TRUE(absl::IsPermissionDenied(TakeWelcome(welcome, NodeId(3), NodeId(1), book)));
}

TEST(Handshake, AWelcomeThatNoNodeWouldSayIsNone) {
  proto::Welcome usual;
  *usual.mutable_from() = Theirs(2);
  EXPECT_TRUE(ReadWelcome(Encoded(usual)).ok());
  proto::Welcome nobody = usual;
  nobody.mutable_from()->set_node(0);
  proto::Welcome many_shards = usual;
  many_shards.set_shards(4'000'000'000);
  proto::Welcome no_controller = usual;
  no_controller.add_controllers(0);
  proto::Welcome twice_the_same = usual;
  twice_the_same.add_controllers(1);
  twice_the_same.add_controllers(1);
  for (const proto::Welcome& welcome : {nobody, many_shards, no_controller, twice_the_same}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadWelcome(Encoded(welcome)).status()));
  }
  EXPECT_FALSE(ReadWelcome(Bytes::Copy("\xFF")).ok());
}

}  // namespace
}  // namespace lockstep::net
