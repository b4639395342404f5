// Real connections on loopback, two transports on one loop.
#include "net/peer_transport.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/proto/peer.pb.h"
#include "gtest/gtest.h"
#include "net/framing.h"
#include "net/handshake.h"
#include "net/seed.h"
#include "net/unique_fd.h"
#include "tests/unit/net/test_certificates.h"

namespace lockstep::net {
namespace {

struct Side {
  Side(uv_loop_t* loop, uint64_t id, const std::string& cluster = "c", uint64_t incarnation = 1,
       std::shared_ptr<const TlsStore> tls = nullptr) {
    PeerTransportOptions options;
    options.cluster = cluster;
    options.listen = "127.0.0.1:0";
    options.tls = std::move(tls);
    introduction.self.set_node(id);
    introduction.self.set_incarnation(incarnation * 100 + id);
    introduction.controllers = {NodeId(1)};
    introduction.shards = 8;
    transport = std::make_unique<PeerTransport>(
        loop, options, book,
        PeerTransport::Events{
            .message =
                [this](NodeId from, Bytes message) {
                  messages.emplace_back(from.value(), std::string(message.view()));
                },
            .link = [this](NodeId peer, bool up) { links.emplace_back(peer.value(), up); },
            .refused =
                [this](NodeId, proto::Refusal refusal, const std::string& text) {
                  refusals.push_back(refusal);
                  advice = text;
                }},
        LogSink(), Rng(id));
    EXPECT_TRUE(transport->Listen().ok());
  }
  void Know(uint64_t node, const std::string& peer) {
    proto::NodeAddress address;
    address.set_node(node);
    address.set_peer(peer);
    book.Mention(address);
  }
  void Know(uint64_t node, const Side& other) { Know(node, other.transport->listen_address()); }
  std::string port() const {
    const std::string& address = transport->listen_address();
    return address.substr(address.rfind(':') + 1);
  }
  void Start() { transport->Start(introduction); }
  bool Linked(uint64_t peer) const {
    return !links.empty() && links.back() == std::pair<uint64_t, bool>(peer, true);
  }

  AddressBook book;
  Introduction introduction;
  std::unique_ptr<PeerTransport> transport;
  std::vector<std::pair<uint64_t, std::string>> messages;
  std::vector<std::pair<uint64_t, bool>> links;
  std::vector<proto::Refusal> refusals;
  std::string advice;
};

// Runs the loop until `done`, or fails after a long time.
void RunUntil(uv_loop_t* loop, std::vector<Side*> sides, const std::function<bool()>& done) {
  bool late = false;
  Timer timer(loop, [&] { late = true; });
  timer.Start(std::chrono::seconds(20));
  while (!done() && !late) {
    uv_run(loop, UV_RUN_ONCE);
    for (Side* side : sides) side->transport->Flush();
  }
  ASSERT_FALSE(late);
}

// Sends it and resets the connection at once.
void SayAndVanish(const Side& to, const std::string& what) {
  const UniqueFd vanishing(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<uint16_t>(std::stoi(to.port())));
  ASSERT_EQ(connect(vanishing.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)), 0);
  ASSERT_EQ(send(vanishing.get(), what.data(), what.size(), 0), static_cast<ssize_t>(what.size()));
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(setsockopt(vanishing.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
}

Bytes Heartbeat(uint64_t term) {
  proto::PeerMessage message;
  message.set_group(1);
  message.set_term(term);
  message.mutable_heartbeat();
  return Bytes::Copy(message.SerializeAsString());
}

Bytes Append(size_t bytes) {
  proto::PeerMessage message;
  message.set_group(1);
  message.set_term(1);
  message.mutable_append_request()->add_entries()->set_data(std::string(bytes, 'x'));
  return Bytes::Copy(message.SerializeAsString());
}

Bytes Chunk(size_t bytes) {
  proto::PeerMessage message;
  message.set_group(1);
  message.mutable_snapshot_chunk()->set_data(std::string(bytes, 's'));
  return Bytes::Copy(message.SerializeAsString());
}

TEST(PeerTransport, MessagesArriveInOrderAndTheBookSpreads) {
  Loop loop;
  Side one(loop.get(), 1);
  Side two(loop.get(), 2);
  one.Know(2, two);
  one.Start();
  two.Start();  // Knows nobody: hears of 1 by its hello.
  RunUntil(loop.get(), {&one, &two}, [&] { return one.Linked(2) && two.Linked(1); });
  for (uint64_t i = 1; i <= 100; ++i) one.transport->Send(NodeId(2), Heartbeat(i));
  RunUntil(loop.get(), {&one, &two}, [&] { return two.messages.size() == 100; });
  for (uint64_t i = 1; i <= 100; ++i) {
    EXPECT_EQ(two.messages[i - 1], std::make_pair(uint64_t{1}, std::string(Heartbeat(i).view())));
  }
  EXPECT_EQ(one.transport->counters().messages_sent, 100u);
  EXPECT_EQ(two.transport->counters().messages_received, 100u);
  EXPECT_EQ(one.transport->connected(), 1u);
}

std::unique_ptr<Side> Certified(uv_loop_t* loop, uint64_t id, std::shared_ptr<TlsStore> tls) {
  return std::make_unique<Side>(loop, id, "c", 1, std::move(tls));
}

TEST(PeerTransport, WithTlsMessagesOfAllSizesArriveInOrder) {
  Loop loop;
  const auto one = Certified(loop.get(), 1, StoreOf(NodeRequest(1)));
  const auto two = Certified(loop.get(), 2, StoreOf(NodeRequest(2)));
  one->Know(2, *two);
  one->Start();
  two->Start();
  RunUntil(loop.get(), {one.get(), two.get()}, [&] { return one->Linked(2) && two->Linked(1); });
  for (const size_t bytes : {size_t{10}, size_t{100'000}, size_t{8'000'000}, size_t{3}}) {
    one->transport->Send(NodeId(2), Append(bytes));
    two->transport->Send(NodeId(1), Append(bytes));
    const size_t count = one->messages.size() + 1;
    RunUntil(loop.get(), {one.get(), two.get()},
             [&] { return one->messages.size() == count && two->messages.size() == count; });
    EXPECT_EQ(two->messages.back().second, std::string(Append(bytes).view()));
    EXPECT_EQ(one->messages.back().second, std::string(Append(bytes).view()));
  }
}

TEST(PeerTransport, ACertificateIsForOneNode) {
  Loop loop;
  const auto one = Certified(loop.get(), 1, StoreOf(NodeRequest(1)));
  const auto two = Certified(loop.get(), 2, StoreOf(NodeRequest(3)));  // another one's
  one->Know(2, *two);
  two->Know(1, *one);
  one->Start();
  two->Start();
  RunUntil(loop.get(), {one.get(), two.get()}, [&] { return !two->refusals.empty(); });
  EXPECT_EQ(two->refusals[0], proto::OTHER_CERTIFICATE);
  EXPECT_NE(two->advice.find("lockstep://node/2"), std::string::npos) << two->advice;
  EXPECT_TRUE(one->links.empty());
  EXPECT_TRUE(two->links.empty());
}

TEST(PeerTransport, WhoIsNotSignedIsNoPeer) {
  Loop loop;
  const auto one = Certified(loop.get(), 1, StoreOf(NodeRequest(1)));
  const auto stranger = Certified(
      loop.get(), 2, std::make_shared<TlsStore>(CredentialsOf(NodeRequest(2), OtherAuthority())));
  const auto old = Certified(loop.get(), 3, StoreOf(NodeRequest(3, Yesterday())));
  const auto client = Certified(loop.get(), 4, StoreOf(ClientRequestFor("client")));
  Side plain(loop.get(), 5);
  const std::vector<Side*> all = {one.get(), stranger.get(), old.get(), client.get(), &plain};
  for (Side* side : all) {
    if (side != one.get()) side->Know(1, *one);
    if (side != one.get()) one->Know(side->introduction.self.node(), *side);
  }
  const auto six = Certified(loop.get(), 6, StoreOf(NodeRequest(6)));
  six->Know(1, *one);
  for (Side* side : all) side->Start();
  six->Start();
  // By the time that an honest one is linked the others have tried, too.
  RunUntil(loop.get(), {one.get(), stranger.get(), old.get(), client.get(), &plain, six.get()},
           [&] { return one->Linked(6) && six->Linked(1); });
  for (Side* side : all) {
    for (const auto& [peer, up] : side->links) EXPECT_EQ(peer, 6u) << up;
  }
  EXPECT_EQ(one->transport->connected(), 1u);
}

TEST(PeerTransport, NewCertificatesAreForNewConnections) {
  Loop loop;
  const auto store = StoreOf(NodeRequest(1, Yesterday()));
  const auto one = Certified(loop.get(), 1, store);
  const auto two = Certified(loop.get(), 2, StoreOf(NodeRequest(2)));
  one->Know(2, *two);
  one->Start();
  two->Start();
  store->Replace(CredentialsOf(NodeRequest(1)));
  RunUntil(loop.get(), {one.get(), two.get()}, [&] { return one->Linked(2) && two->Linked(1); });
}

TEST(Seed, IsAskedByTls) {
  Loop loop;
  const auto one = Certified(loop.get(), 1, StoreOf(NodeRequest(1)));
  one->Start();
  const std::string address = one->transport->listen_address();
  proto::NodeAddress self;
  self.set_node(2);
  std::atomic<int> asked = 0;
  absl::StatusOr<proto::Welcome> good = absl::UnknownError("");
  absl::StatusOr<proto::Welcome> plain = absl::UnknownError("");
  std::thread asking([&] {
    const std::chrono::seconds patience(10);
    good = AskSeed(address, "c", self, patience, 0, CredentialsOf(NodeRequest(2)));
    plain = AskSeed(address, "c", self, patience);
    asked = 1;
  });
  RunUntil(loop.get(), {one.get()}, [&] { return asked == 1; });
  asking.join();
  EXPECT_TRUE(good.ok()) << good.status();
  EXPECT_FALSE(plain.ok());
}

// "localhost" may be ::1 first, where nobody listens.
TEST(PeerTransport, NamesAreLookedUpAndAllTheirAddressesTried) {
  Loop loop;
  Side one(loop.get(), 1);
  Side two(loop.get(), 2);
  one.Know(2, "localhost:" + two.port());
  one.Start();
  two.Start();
  RunUntil(loop.get(), {&one, &two}, [&] { return one.Linked(2); });
  EXPECT_EQ(one.transport->connected(), 1u);
}

TEST(PeerTransport, ANameThatNobodyHasHoldsNobodyUp) {
  Loop loop;
  Side one(loop.get(), 1);
  Side two(loop.get(), 2);
  one.Know(2, two);
  one.Know(3, std::string(80, 'n') + ":7400");  // Longer than any name may be: no server is asked.
  one.Know(4, "no address");
  one.Start();
  two.Start();
  RunUntil(loop.get(), {&one, &two}, [&] { return one.Linked(2); });
  EXPECT_EQ(one.transport->connected(), 1u);
}

TEST(PeerTransport, LargeMessagesTakeChannelsOfTheirOwn) {
  Loop loop;
  Side one(loop.get(), 1);
  Side two(loop.get(), 2);
  one.Know(2, two);
  one.Start();
  two.Start();
  RunUntil(loop.get(), {&one, &two}, [&] { return one.Linked(2) && two.Linked(1); });
  // The log channel may come a moment after the control channel; until then appends are lost.
  RunUntil(loop.get(), {&one, &two}, [&] {
    one.transport->Send(NodeId(2), Append(1));
    return !two.messages.empty();
  });
  two.messages.clear();
  constexpr size_t kLarge = size_t{50} << 20;
  one.transport->Send(NodeId(2), Append(kLarge));
  one.transport->Send(NodeId(2), Heartbeat(7));
  RunUntil(loop.get(), {&one, &two}, [&] { return !two.messages.empty(); });
  // The heartbeat did not queue behind the append.
  EXPECT_LT(two.messages.front().second.size(), 100u);
  RunUntil(loop.get(), {&one, &two},
           [&] { return !two.messages.empty() && two.messages.back().second.size() > kLarge; });
  // The bulk channel may come a moment later, too.
  RunUntil(loop.get(), {&one, &two}, [&] {
    one.transport->Send(NodeId(2), Chunk(1000));
    return two.messages.back().second == std::string(Chunk(1000).view());
  });
}

// Its welcome cannot be written any more.
TEST(PeerTransport, WhoSaysHelloAndIsGoneHarmsNobody) {
  Loop loop;
  Side one(loop.get(), 1);
  Side two(loop.get(), 2);
  one.Start();
  for (int channel = 0; channel < node::kChannels; ++channel) {
    const proto::Hello hello =
        MakeHello("c", two.introduction.self, NodeId(1), static_cast<node::Channel>(channel));
    const Bytes payload = Bytes::Copy(hello.SerializeAsString());
    const FrameHeader header = MakeFrameHeader(FrameKind::kHello, payload.view());
    SayAndVanish(one, std::string(header.data(), header.size()) + std::string(payload.view()));
  }
  const uint64_t before = one.transport->counters().bytes_received;
  RunUntil(loop.get(), {&one}, [&] { return one.transport->counters().bytes_received > before; });
  two.Know(1, one);
  two.Start();
  RunUntil(loop.get(), {&one, &two}, [&] { return one.Linked(2) && two.Linked(1); });
}

TEST(PeerTransport, ABrokenConnectionIsToldAndMadeAgain) {
  Loop loop;
  Side one(loop.get(), 1);
  auto two = std::make_unique<Side>(loop.get(), 2);
  one.Know(2, *two);
  one.Start();
  two->Start();
  RunUntil(loop.get(), {&one, two.get()}, [&] { return one.Linked(2) && two->Linked(1); });
  two->transport->Stop();
  RunUntil(loop.get(), {&one}, [&] { return !one.links.back().second; });
  one.transport->Send(NodeId(2), Heartbeat(1));
  EXPECT_EQ(one.transport->counters().messages_dropped, 1u);
  two.reset();
  Side again(loop.get(), 2);
  again.Know(1, one);
  again.Start();
  // It has another port now: it says so itself.
  RunUntil(loop.get(), {&one, &again}, [&] { return one.Linked(2); });
  one.transport->Send(NodeId(2), Heartbeat(2));
  RunUntil(loop.get(), {&one, &again}, [&] { return again.messages.size() == 1; });
}

TEST(PeerTransport, RefusesWhomItDoesNotFit) {
  struct Row {
    const char* name;
    uint64_t id;        // of the one that dials
    uint64_t believed;  // who it thinks is there
    const char* cluster;
    uint64_t incarnation;  // of the one that dials; 1 was seen before
    proto::Refusal want;
    const char* advice;
  };
  const Row rows[] = {
      {"other cluster", 1, 2, "d", 1, proto::OTHER_CLUSTER, "check --cluster"},
      {"other node", 1, 3, "c", 1, proto::OTHER_NODE, "--peers"},
      {"other incarnation", 1, 2, "c", 9, proto::OTHER_INCARNATION, "lost its data"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Loop loop;
    Side there(loop.get(), 2);
    proto::NodeAddress known;
    known.set_node(1);
    known.set_incarnation(101);
    there.book.Mention(known);
    there.Start();
    Side here(loop.get(), row.id, row.cluster, row.incarnation);
    here.Know(row.believed, there);
    here.Start();
    RunUntil(loop.get(), {&there, &here}, [&] { return !here.refusals.empty(); });
    EXPECT_EQ(here.refusals.front(), row.want);
    EXPECT_NE(here.advice.find(row.advice), std::string::npos) << here.advice;
    EXPECT_TRUE(here.links.empty());
  }
}

// As a node asks before it has a loop, from a thread of its own.
absl::StatusOr<proto::Welcome> Ask(Loop& loop, Side& seed, const std::string& cluster,
                                   const proto::NodeAddress& self) {
  absl::StatusOr<proto::Welcome> answer = absl::UnknownError("not asked");
  std::atomic<bool> done{false};
  std::thread asking([&] {
    answer = AskSeed(seed.transport->listen_address(), cluster, self, std::chrono::seconds(10));
    done = true;
  });
  Timer again(loop.get(), [&] { again.Start(std::chrono::milliseconds(1)); });
  again.Start(std::chrono::milliseconds(1));
  RunUntil(loop.get(), {&seed}, [&] { return done.load(); });
  asking.join();
  return answer;
}

TEST(PeerTransport, ASeedTellsWhatANewNodeNeeds) {
  Loop loop;
  Side seed(loop.get(), 2);
  seed.Start();
  proto::NodeAddress self;
  self.set_node(5);
  self.set_incarnation(55);
  const absl::StatusOr<proto::Welcome> welcome = Ask(loop, seed, "c", self);
  ASSERT_TRUE(welcome.ok()) << welcome.status();
  EXPECT_EQ(welcome->from().node(), 2u);
  EXPECT_EQ(welcome->controllers(0), 1u);
  EXPECT_FALSE(welcome->has_newest_controllers()) << "they are those of the beginning";
  EXPECT_EQ(welcome->shards(), 8u);
  EXPECT_EQ(seed.book.Find(NodeId(5))->incarnation(), 55u);

  proto::ControllerNodes controllers;
  controllers.set_membership(7);
  controllers.add_nodes(4);
  controllers.add_nodes(6);
  seed.book.LearnControllers(controllers);
  const absl::StatusOr<proto::Welcome> later = Ask(loop, seed, "c", self);
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->controllers_size(), 1) << "with which a replica begins";
  ASSERT_EQ(later->newest_controllers().nodes_size(), 2) << "whom to ask";
  EXPECT_EQ(later->newest_controllers().nodes(1), 6u);

  self.set_node(2);
  const absl::Status taken = Ask(loop, seed, "c", self).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_NE(std::string(taken.message()).find("--node-id"), std::string::npos);
  EXPECT_EQ(AskSeed("127.0.0.1:1", "c", self, std::chrono::seconds(5)).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(PeerTransport, APortThatIsTakenSaysSo) {
  Loop loop;
  Side one(loop.get(), 1);
  AddressBook book;
  PeerTransportOptions options;
  options.listen = one.transport->listen_address();
  PeerTransport second(loop.get(), options, book, {}, LogSink(), Rng(1));
  const absl::Status status = second.Listen();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(std::string(status.message()), options.listen + ": address already in use");
}

}  // namespace
}  // namespace lockstep::net
