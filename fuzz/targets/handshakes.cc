// Hello, welcome and the address book: what strangers say before anything else. Whatever they say,
// the book stays small enough to be told in one frame, no id is 0 or loses its incarnation, whoever
// is refused changes nothing, and an operator reads one line.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "fuzz/support/one_line.h"
#include "net/address_book.h"
#include "net/framing.h"
#include "net/handshake.h"

namespace lockstep::fuzz {
namespace {

using net::AddressBook;

constexpr const char* kCluster = "c";
constexpr uint64_t kSelf = 1;

net::Introduction Ours() {
  net::Introduction ours{.self = {}, .controllers = {NodeId(1), NodeId(2)}, .shards = 8};
  ours.self.set_node(kSelf);
  ours.self.set_incarnation(11);
  ours.self.set_peer("here:1");
  return ours;
}

// What a book held, to be compared with what it holds later.
struct Memory {
  explicit Memory(const AddressBook& book) : controllers(book.controllers()) {
    for (const proto::NodeAddress& address : book.All()) {
      Check(nodes.emplace(address.node(), address).second);
    }
  }
  bool Equals(const Memory& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.incarnation() == b.second.incarnation() &&
             a.second.peer() == b.second.peer() && a.second.grpc() == b.second.grpc() &&
             a.second.http() == b.second.http();
    };
    return controllers.SerializeAsString() == other.controllers.SerializeAsString() &&
           std::equal(nodes.begin(), nodes.end(), other.nodes.begin(), other.nodes.end(), same);
  }

  std::map<uint64_t, proto::NodeAddress> nodes;
  proto::ControllerNodes controllers;
};

void CheckControllers(const proto::ControllerNodes& before, const proto::ControllerNodes& now) {
  CheckLe(before.membership(), now.membership());
  CheckLe(static_cast<size_t>(now.nodes_size()), AddressBook::kNodesMax);
  uint64_t last = 0;
  for (const uint64_t node : now.nodes()) {
    CheckLt(last, node);
    last = node;
  }
}

// What holds between any two moments of a book.
void CheckGrowth(const Memory& before, const AddressBook& book) {
  const Memory now(book);
  CheckLe(now.nodes.size(), AddressBook::kNodesMax);
  Check(!now.nodes.contains(0));
  for (const auto& [node, address] : before.nodes) {
    const auto found = now.nodes.find(node);
    Check(found != now.nodes.end());
    if (address.incarnation() == 0) continue;
    CheckEq(address.incarnation(), found->second.incarnation());
  }
  CheckControllers(before.controllers, now.controllers);
  if (!before.Equals(now)) Check(book.changed());
}

std::string AnyAddress(Input& input) {
  static constexpr const char* kUsual[] = {"", "a:1", "b:2", "[::1]:7400"};
  const uint64_t choice = input.Below(8);
  if (choice < 4) return kUsual[choice];
  if (choice == 4) return std::string(input.Below(1024), 'x');
  return input.Ascii(300);
}

proto::NodeAddress AnyNode(Input& input) {
  proto::NodeAddress address;
  address.set_node(input.Flip() ? input.Below(4) : input.Number());
  address.set_incarnation(input.Below(4));
  address.set_peer(AnyAddress(input));
  address.set_grpc(AnyAddress(input));
  address.set_http(AnyAddress(input));
  return address;
}

// The cluster would send nothing else: a welcome with all of it fits.
void CheckFitsHandshake(const AddressBook& book) {
  proto::Welcome welcome;
  for (const proto::NodeAddress& known : book.All()) *welcome.add_book() = known;
  *welcome.mutable_newest_controllers() = book.controllers();
  CheckLe(welcome.ByteSizeLong() + (size_t{16} << 10), size_t{net::kHandshakeBytesMax});
}

void OneEntry(Input& input, AddressBook& book) {
  switch (input.Below(5)) {
    case 0:
      (void)book.Introduce(AnyNode(input));
      return;
    case 1:
      (void)book.Mention(AnyNode(input));
      return;
    case 2:
      (void)book.Correct(NodeId(input.Below(4)), AnyAddress(input));
      return;
    case 3: {  // A crowd, so that the book fills up.
      proto::NodeAddress address = AnyNode(input);
      for (uint64_t left = input.Flip() ? input.Below(8) : input.Below(1200); left > 0; --left) {
        address.set_node(address.node() + 1);
        (void)book.Mention(address);
      }
      return;
    }
    default: {
      proto::ControllerNodes controllers;
      controllers.set_membership(input.Below(8));
      const uint64_t first = input.Below(3);
      const uint64_t count = input.Below(2000);
      for (uint64_t i = 0; i < count; ++i) controllers.add_nodes(first + i);
      book.LearnControllers(controllers);
    }
  }
}

void CheckBook(Input& input) {
  constexpr size_t kComparedMax = 2'500;  // entries, in all: a full book is looked at but twice
  AddressBook book;
  for (size_t compared = 0; compared < kComparedMax && !input.empty();) {
    book.Saved();
    const Memory before(book);
    OneEntry(input, book);
    CheckGrowth(before, book);
    compared += 100 + before.nodes.size();
  }
  CheckFitsHandshake(book);
}

void CheckHello(const std::string& payload, AddressBook& book) {
  const net::Introduction ours = Ours();
  book.Saved();
  const Memory before(book);
  const auto hello = net::ReadHello(Bytes::Copy(payload));
  const proto::Welcome answer =
      net::AnswerHello(hello, /*certificate=*/nullptr, kCluster, ours, book);
  CheckGrowth(before, book);
  CheckEq(answer.from().node(), kSelf);
  CheckLe(answer.ByteSizeLong(), size_t{net::kHandshakeBytesMax});
  // Whoever wrote the hello can read the answer.
  const std::string encoded = answer.SerializeAsString();
  const absl::StatusOr<proto::Welcome> read = net::ReadWelcome(Bytes::Copy(encoded));
  Check(read.ok());
  Check(read->refusal() == answer.refusal());
  if (answer.refusal() == proto::WELCOME) {
    Check(hello.has_value());
    return;
  }
  CheckOneLine(answer.advice(), net::kAdviceBytesMax);
  Check(before.Equals(Memory(book)));
  CheckEq(answer.book_size(), 0);
}

void CheckWelcome(const std::string& payload, uint64_t dialled, AddressBook& book) {
  const absl::StatusOr<proto::Welcome> welcome = net::ReadWelcome(Bytes::Copy(payload));
  if (!welcome.ok()) return CheckRefusal(welcome.status());
  CheckLe(welcome->advice().size(), net::kAdviceBytesMax);
  if (!welcome->advice().empty()) CheckOneLine(welcome->advice(), net::kAdviceBytesMax);
  if (welcome->refusal() != proto::WELCOME) return;
  book.Saved();
  const Memory before(book);
  const absl::Status taken = net::TakeWelcome(*welcome, NodeId(dialled), NodeId(kSelf), book);
  CheckGrowth(before, book);
  if (taken.ok()) return CheckEq(welcome->from().node(), dialled);
  CheckOneLine(taken.message());
  Check(before.Equals(Memory(book)));
}

// As a node would say it, so that what is behind the first checks is reached.
proto::Hello AnyHello(Input& input) {
  proto::Hello hello = net::MakeHello(kCluster, AnyNode(input), NodeId(input.Below(3)),
                                      static_cast<node::Channel>(input.Below(4)));
  if (input.Below(16) == 1) hello.set_version(static_cast<uint32_t>(input.Number(4)));
  if (input.Below(16) == 1) hello.set_cluster(input.Ascii(2000));
  for (uint64_t left = input.Below(6); left > 0; --left) *hello.add_book() = AnyNode(input);
  return hello;
}

proto::Welcome AnyWelcome(Input& input) {
  proto::Welcome welcome;
  *welcome.mutable_from() = AnyNode(input);
  if (input.Below(4) == 1) welcome.set_refusal(static_cast<proto::Refusal>(input.Below(9)));
  welcome.set_advice(input.Ascii(3000));
  for (uint64_t left = input.Below(6); left > 0; --left) *welcome.add_book() = AnyNode(input);
  for (uint64_t left = input.Below(4); left > 0; --left) welcome.add_controllers(input.Below(4));
  welcome.set_shards(static_cast<uint32_t>(input.Number(3)));
  return welcome;
}

void RunHandshakes(Input input) {
  AddressBook book;
  Check(book.Introduce(Ours().self));
  switch (input.Below(4)) {
    case 0:
      return CheckBook(input);
    case 1:
      CheckHello(std::string(input.rest()), book);
      return CheckWelcome(std::string(input.rest()), 2, book);
    case 2:
      while (!input.empty()) CheckHello(AnyHello(input).SerializeAsString(), book);
      return CheckFitsHandshake(book);
    default:
      while (!input.empty()) {
        const uint64_t dialled = 2 + input.Below(3);
        CheckWelcome(AnyWelcome(input).SerializeAsString(), dialled, book);
      }
      return CheckFitsHandshake(book);
  }
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunHandshakes(lockstep::fuzz::Input(data, size));
  return 0;
}
