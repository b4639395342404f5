#include "bin/lockstepd_resolve.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "bin/lockstepd_exit.h"
#include "tests/unit/bin/support.h"

namespace lockstep::lockstepd {
namespace {

class ResolveTest : public testing::Test {
 protected:
  const TemporaryDirectory directory_;
  PeerBook book_ = *PeerBook::Load(directory_.path());

  static Options Plain() {
    Options options;
    options.data_dir = "d";
    return options;
  }
  // One of three nodes with everything on all of them.
  static Options OneOfThree() {
    Options options = Plain();
    options.node_id = 2;
    options.controller = {1, 2, 3};
    options.groups = {{101, {1, 2, 3}}, {102, {1, 3}}};
    options.peers = {{1, "h:1"}, {2, "h:2"}, {3, "h:3"}};
    return options;
  }
  Resolved Accept(const Options& options, const std::optional<Identity>& known = std::nullopt) {
    absl::StatusOr<Resolved> resolved = Resolve(options, known, book_);
    EXPECT_TRUE(resolved.ok()) << resolved.status();
    return resolved.ok() ? *std::move(resolved) : Resolved();
  }
  void ExpectRefused(const Options& options, const std::optional<Identity>& known, ExitCode code,
                     const std::string& message) {
    const absl::Status status = Resolve(options, known, book_).status();
    EXPECT_EQ(ExitCodeOf(status), code) << status << "\n  want " << message;
    EXPECT_TRUE(absl::StrContains(status.message(), message)) << status << "\n  want " << message;
  }
};

TEST_F(ResolveTest, ToldNothingItIsAClusterOfOneAndStaysIt) {
  const Resolved first = Accept(Plain());
  EXPECT_TRUE(first.embedded);
  EXPECT_EQ(first.options.node_id, 1u);
  EXPECT_EQ(first.options.controller, (std::vector<uint64_t>{1}));
  ASSERT_EQ(first.options.groups.size(), 1u);
  EXPECT_EQ(first.options.groups[0], (GroupSpec{kEmbeddedGroup, {1}}));
  EXPECT_EQ(first.options.advertise_grpc, "127.0.0.1:7401");
  EXPECT_NE(first.identity.incarnation, 0u);

  const Resolved again = Accept(Plain(), first.identity);
  EXPECT_TRUE(again.embedded);
  EXPECT_EQ(again.identity, first.identity);
}

TEST_F(ResolveTest, AMemberIsWhatItWasWhenItIsToldNothing) {
  const Resolved first = Accept(OneOfThree());
  EXPECT_FALSE(first.embedded);
  EXPECT_FALSE(first.options.peers.contains(2));
  ASSERT_EQ(first.identity.groups.size(), 1u) << "only those that live here";

  ASSERT_TRUE(book_.Remember({1, 5, "h:1", "", ""}).ok());
  ASSERT_TRUE(book_.Remember({3, 5, "h:3", "", ""}).ok());
  const Resolved again = Accept(Plain(), first.identity);
  EXPECT_FALSE(again.embedded);
  EXPECT_EQ(again.identity, first.identity);
  EXPECT_EQ(again.options.controller, (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(ResolveTest, ANodeThatJoinsWithoutAnIdGetsOneForEver) {
  Options options = Plain();
  options.join = {"h:1"};
  const Resolved first = Accept(options);
  EXPECT_GT(*first.options.node_id, 1000u);
  EXPECT_EQ(Accept(options, first.identity).options.node_id, first.options.node_id);
}

TEST_F(ResolveTest, RefusesWhatDoesNotFitTogether) {
  Options options = OneOfThree();
  options.node_id.reset();
  ExpectRefused(options, std::nullopt, ExitCode::kUsage, "node-id: say which of the nodes");
  options = OneOfThree();
  options.peers.erase(3);
  ExpectRefused(options, std::nullopt, ExitCode::kUsage, "peers: no address of node 3");
  options = OneOfThree();
  options.controller.clear();
  ExpectRefused(options, std::nullopt, ExitCode::kUsage, "controller: say which nodes decide");
}

TEST_F(ResolveTest, RefusesToTurnADirectoryIntoSomethingElse) {
  const Identity known = Accept(OneOfThree()).identity;
  Options options = OneOfThree();
  options.node_id = 3;
  ExpectRefused(options, known, ExitCode::kDataDirectory, "d belongs to node 2, not 3");
  options = OneOfThree();
  options.cluster = "shop";
  ExpectRefused(options, known, ExitCode::kDataDirectory, "belongs to cluster \"lockstep\"");
  options = OneOfThree();
  options.controller = {2};
  ExpectRefused(options, known, ExitCode::kDataDirectory, "made with: 1,2,3");
  options = OneOfThree();
  options.groups[0].members = {2};
  ExpectRefused(options, known, ExitCode::kDataDirectory, "group 101: 2 is not what d was made");
  options = OneOfThree();
  options.shards = 10;
  ExpectRefused(options, known, ExitCode::kDataDirectory, "shards: 10 is not what d was made with");
}

TEST_F(ResolveTest, MoreGroupsMayCome) {
  const Identity known = Accept(OneOfThree()).identity;
  Options options = OneOfThree();
  options.groups.push_back({103, {2, 3}});
  EXPECT_EQ(Accept(options, known).identity.groups.size(), 2u);
}

TEST(AdvertisedTest, SaysWhatOthersCanConnectTo) {
  EXPECT_EQ(Advertised("a:1", "b:2", 3), "a:1");
  EXPECT_EQ(Advertised("", "127.0.0.1:0", 4711), "127.0.0.1:4711");
  EXPECT_EQ(Advertised("", "[::1]:5", 5), "[::1]:5");
  const std::string everywhere = Advertised("", "0.0.0.0:5", 5);
  EXPECT_TRUE(absl::EndsWith(everywhere, ":5"));
  EXPECT_FALSE(absl::StartsWith(everywhere, "0.0.0.0"));
}

}  // namespace
}  // namespace lockstep::lockstepd
