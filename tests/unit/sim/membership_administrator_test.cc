// Who changes the members of a group, over a leader that answers late.
#include "sim/world/membership_administrator.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "core/kv/command.h"

namespace lockstep::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr GroupId kGroup(7);

// A group of two whose leader, node 2, grants every wish at once; each answer takes as long.
class SlowGroup final : public ClientPort {
 public:
  explicit SlowGroup(Duration round_trip) : round_trip_(round_trip) {
    administrator.Bind(*this);
    administrator.Start();
    administrator.BeginFinalRound(/*core=*/0b1110, /*lost=*/0);
  }

  Instant Now() const override { return now_; }
  void WakeAt(Instant when) override { alarm_ = when; }
  void SendRequest(NodeId node, uint64_t attempt, Bytes request) override {
    if (node != NodeId(2)) return;
    proto::ClientRequest parsed;
    ASSERT_TRUE(parsed.ParseFromArray(request.data(), static_cast<int>(request.size())));
    proto::ClientReply reply;
    reply.mutable_result()->set_code(proto::OK);
    if (parsed.has_change_membership()) {
      members_.clear();
      for (const auto& member : parsed.change_membership().members()) {
        members_.push_back(member.node());
      }
      ++id_;
      ++changes;
      reply.mutable_membership()->set_refusal(proto::MembershipAnswer::NONE);
    } else {
      Describe(reply.mutable_node_status());
    }
    mail_.emplace(now_ + round_trip_, std::make_pair(attempt, kv::Encode(reply)));
  }

  void Run(Duration span) {
    const Instant until = now_ + span;
    while (true) {
      const Instant next = mail_.empty() ? alarm_ : std::min(alarm_, mail_.begin()->first);
      if (next > until) break;
      now_ = next;
      if (!mail_.empty() && mail_.begin()->first <= now_) {
        const auto [attempt, reply] = std::move(mail_.begin()->second);
        mail_.erase(mail_.begin());
        administrator.OnReply(attempt, reply);
      } else {
        alarm_ = kNever;
        administrator.OnWake();
      }
    }
    now_ = until;
  }

  int changes = 0;
  MembershipAdministrator administrator{{.gap_mean = milliseconds(50), .retry = milliseconds(5)},
                                        kGroup,
                                        3,
                                        [] { return 0b1110; },
                                        Rng(1)};

 private:
  void Describe(lockstep::v1::NodeStatus* node) {
    node->set_node(2);
    lockstep::v1::ReplicaStatus& replica = *node->add_replicas();
    replica.set_group(kGroup.value());
    replica.set_role(lockstep::v1::LEADER);
    replica.set_membership_id(id_);
    replica.set_membership_committed(true);
    for (const uint64_t member : members_) {
      lockstep::v1::GroupMemberStatus& status = *replica.add_group_members();
      status.set_node(member);
      status.set_voter(true);
    }
  }

  const Duration round_trip_;
  Instant now_;
  Instant alarm_ = kNever;
  uint64_t id_ = 10;
  std::vector<uint64_t> members_ = {2};
  std::multimap<Instant, std::pair<uint64_t, Bytes>> mail_;
};

TEST(MembershipAdministrator, IsDoneWhenTheGroupIsWhatItNamed) {
  SlowGroup group(microseconds(900));
  group.Run(milliseconds(100));
  EXPECT_TRUE(group.administrator.Done()) << group.administrator.WaitingFor();
  EXPECT_EQ(group.changes, 1);
}

// Looks come every 5 ms: the answer to each arrives when the next has left.
TEST(MembershipAdministrator, TakesAnAnswerThatComesAfterTheNextLook) {
  SlowGroup group(microseconds(6300));
  group.Run(milliseconds(200));
  EXPECT_TRUE(group.administrator.Done()) << group.administrator.WaitingFor();
  EXPECT_GE(group.changes, 1);
}

}  // namespace
}  // namespace lockstep::sim
