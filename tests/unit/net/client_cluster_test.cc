// The client library beside three nodes: leaders die, and shards and leadership are moved.
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "net/client/store.h"
#include "tests/unit/net/real_node.h"
#include "tests/unit/net/store_fixture.h"

namespace lockstep::client {
namespace {

using std::chrono::seconds;

class ClientClusterTest : public testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t id = 1; id <= 3; ++id) {
      net::RealNodeOptions options;
      options.self = id;
      options.controllers = {1, 2, 3};
      options.members = {1, 2, 3};
      options.directory = net::FreshDirectory("cluster");
      nodes_.push_back(std::make_unique<net::RealNode>(options));
    }
    std::vector<std::string> servers;
    for (const auto& node : nodes_) {
      servers.push_back(node->grpc_address());
      for (const auto& other : nodes_) {
        if (node != other) node->Know(*other);
      }
    }
    store_ = *Store::Open(QuickOptions(servers));
    absl::Status joined = absl::UnknownError("not asked");
    for (int i = 0; i < 100 && !joined.ok() && !absl::IsAlreadyExists(joined); ++i) {
      joined = store_->Join(JoinOf(net::kRealGroup)).status();
    }
    ASSERT_TRUE(joined.ok() || absl::IsAlreadyExists(joined)) << joined;
  }

  // The node that leads the group, as they say; 0: nobody.
  uint64_t Leader() {
    const auto status = store_->Status({});
    if (!status.ok()) return 0;
    for (const v1::NodeStatus& node : status->nodes()) {
      for (const v1::ReplicaStatus& replica : node.replicas()) {
        const bool leads = replica.group() == net::kRealGroup && replica.role() == v1::LEADER;
        if (node.online() && leads) return node.node();
      }
    }
    return 0;
  }

  std::vector<std::unique_ptr<net::RealNode>> nodes_;
  std::unique_ptr<Store> store_;
};

// Appends go on while the leader dies and comes back: each is there once, in the order of its
// chain.
TEST_F(ClientClusterTest, WritesSurviveTheDeathOfTheLeader) {
  constexpr int kChains = 16;
  constexpr int kLinks = 60;
  std::atomic<int> left{kChains};
  std::atomic<int> linked{0};
  std::atomic<int> failed{0};
  std::promise<void> half;
  std::promise<void> all;
  std::function<void(int, int)> next = [&](int chain, int link) {
    if (link == kLinks) {
      if (--left == 0) all.set_value();
      return;
    }
    store_->AppendAsync("chain" + std::to_string(chain), std::string(1, char('a' + link % 26)),
                        [&, chain, link](const absl::StatusOr<WriteResult>& result) {
                          if (!result.ok()) ++failed;
                          if (++linked == kChains * kLinks / 2) half.set_value();
                          next(chain, link + 1);
                        });
  };
  uint64_t leader = 0;
  while (leader == 0) leader = Leader();
  for (int chain = 0; chain < kChains; ++chain) next(chain, 0);
  half.get_future().wait();
  std::unique_ptr<net::RealNode>& dead = nodes_[leader - 1];
  const net::RealNodeOptions options = dead->options();
  dead.reset();
  all.get_future().wait();
  EXPECT_EQ(failed, 0);
  std::string expected;
  for (int link = 0; link < kLinks; ++link) expected += char('a' + link % 26);
  for (int chain = 0; chain < kChains; ++chain) {
    const auto got = store_->Get("chain" + std::to_string(chain));
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->value, expected);
  }
  dead = std::make_unique<net::RealNode>(options);
}

TEST_F(ClientClusterTest, AdministersTheCluster) {
  const auto configuration = store_->Query({});
  ASSERT_TRUE(configuration.ok()) << configuration.status();
  EXPECT_EQ(configuration->configuration().groups(0).gid(), net::kRealGroup);
  EXPECT_EQ(configuration->configuration().groups(0).members_size(), 3);
  EXPECT_EQ(configuration->configuration().owners_size(), 8);

  v1::MoveRequest move;
  move.set_shard(2);
  move.set_gid(net::kRealGroup);
  const auto moved = store_->Move(move);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(store_->Query({})->configuration().pinned(0), 2u);
  v1::UnpinRequest unpin;
  unpin.set_shard(2);
  ASSERT_TRUE(store_->Unpin(unpin).ok());
  EXPECT_EQ(store_->Query({})->configuration().pinned_size(), 0);

  move.set_gid(77);
  const absl::Status nobody = store_->Move(move).status();
  EXPECT_TRUE(absl::IsNotFound(nobody)) << nobody;
  EXPECT_EQ(EffectOf(nobody), Effect::kNone);
  EXPECT_EQ(FailureOf(nobody)->reason(), "NOT_FOUND");
  const absl::Status again = store_->Join(JoinOf(net::kRealGroup)).status();
  EXPECT_TRUE(absl::IsAlreadyExists(again)) << again;
  v1::LeaveRequest leave;
  leave.add_gids(net::kRealGroup);
  const absl::Status last = store_->Leave(leave).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(last)) << last;

  v1::StatusRequest question;
  question.set_shards(true);
  const auto status = store_->Status(question);
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->nodes_size(), 3);
}

TEST_F(ClientClusterTest, LeadershipIsHandedOver) {
  uint64_t leader = 0;
  while (leader == 0) leader = Leader();
  v1::TransferLeaderRequest transfer;
  transfer.set_group(net::kRealGroup);
  uint64_t now = leader;
  for (int asked = 0; asked < 20 && (now == leader || now == 0); ++asked) {
    const auto begun = store_->TransferLeader(transfer);
    ASSERT_TRUE(begun.ok() || EffectOf(begun.status()) == Effect::kNone) << begun.status();
    // It takes a while, and must not be asked to go back meanwhile.
    for (int look = 0; look < 200 && (now == leader || now == 0); ++look) now = Leader();
  }
  EXPECT_NE(now, leader);
  EXPECT_TRUE(store_->Put("a", "1").ok());
}

TEST_F(ClientClusterTest, NodesComeAndGo) {
  // Asked until the group has begun: it may just have got another leader. One that loses its
  // leadership meanwhile does not know what becomes of the change, and the next may find it made.
  const auto begun = [](const auto& change) {
    bool perhaps = false;
    for (int i = 0; i < 3000; ++i) {
      const auto answer = change();
      const auto outcome = answer.ok() ? answer->groups(0).outcome() : v1::GroupChange::UNKNOWN;
      const bool made = outcome == v1::GroupChange::UNCHANGED && perhaps;
      if (outcome != v1::GroupChange::UNKNOWN) return made ? v1::GroupChange::BEGUN : outcome;
      perhaps = perhaps || answer.ok() || EffectOf(answer.status()) != Effect::kNone;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return v1::GroupChange::UNKNOWN;
  };
  const auto members = [&] {
    const auto status = store_->Status({});
    if (!status.ok()) return 0;
    for (const v1::NodeStatus& node : status->nodes()) {
      for (const v1::ReplicaStatus& replica : node.replicas()) {
        const bool leads = replica.group() == net::kRealGroup && replica.role() == v1::LEADER;
        const bool rests = replica.change_phase() == v1::SETTLED && replica.membership_committed();
        if (leads && rests) return replica.group_members_size();
      }
    }
    return 0;
  };
  // Not asked once more: the leader may have changed again.
  const auto becomes = [&](int wanted) {
    for (int i = 0; i < 3000; ++i) {
      if (members() == wanted) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  };
  v1::RemoveNodeRequest remove;
  remove.set_node(3);
  remove.add_groups(net::kRealGroup);
  EXPECT_EQ(begun([&] { return store_->RemoveNode(remove); }), v1::GroupChange::BEGUN);
  EXPECT_TRUE(becomes(2));
  EXPECT_TRUE(store_->Put("a", "1").ok());
  v1::AddNodeRequest add;
  add.set_node(3);
  add.add_groups(net::kRealGroup);
  EXPECT_EQ(begun([&] { return store_->AddNode(add); }), v1::GroupChange::BEGUN);
  EXPECT_TRUE(becomes(3));
  EXPECT_EQ(begun([&] { return store_->AddNode(add); }), v1::GroupChange::UNCHANGED);

  v1::ReplaceNodeRequest replace;
  replace.set_node(9);
  replace.set_replaces(3);
  replace.add_groups(net::kRealGroup);
  const absl::Status nobody = store_->ReplaceNode(replace).status();
  EXPECT_EQ(EffectOf(nobody), Effect::kNone) << nobody;
  ASSERT_EQ(FailureOf(nobody)->groups_size(), 1) << nobody;
  EXPECT_EQ(FailureOf(nobody)->groups(0).group(), net::kRealGroup);
  replace.set_node(3);
  EXPECT_TRUE(absl::IsInvalidArgument(store_->ReplaceNode(replace).status()));
}

}  // namespace
}  // namespace lockstep::client
