// Who administers shards, over a controller that is right and over controllers that are not.
#include "sim/workload/shard_administrator.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/placement.h"
#include "core/kv/command.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint32_t kShards = 6;

ShardAdministration Options() {
  ShardAdministration options;
  for (uint64_t gid = 1; gid <= 3; ++gid) options.groups.push_back(controller::MakeGroup(gid));
  options.shards = kShards;
  options.gap_mean = milliseconds(20);
  options.force = true;
  options.client.controller_nodes = {NodeId(1), NodeId(2)};
  return options;
}

// Changes an answer before it leaves.
using Lie = std::function<void(const proto::ClientRequest& request, proto::Result& result)>;

// A controller of one replica that answers after a millisecond, and tells the checkers what it
// commits.
class AdminBench final : public ClientPort {
 public:
  explicit AdminBench(uint64_t seed = 1, Lie lie = {})
      : lie_(std::move(lie)),
        administrator_(options_, /*members=*/nullptr, shards_.mirror(), findings_, Rng(seed)) {
    Tell(NoteKind::kBooted, nullptr);
    Tell(NoteKind::kHardState, nullptr);
    Tell(NoteKind::kBecameLeader, nullptr);
    administrator_.Bind(*this);
    administrator_.Start();
  }

  Instant Now() const override { return now_; }
  void WakeAt(Instant when) override { alarm_ = when; }
  void SendRequest(NodeId, uint64_t attempt, Bytes request) override {
    ++requests;
    if (deaf) return;
    mail_.emplace(now_ + milliseconds(1), std::make_pair(attempt, std::move(request)));
  }

  void Run(Duration span) {
    const Instant until = now_ + span;
    while (true) {
      const Instant next = mail_.empty() ? alarm_ : std::min(alarm_, mail_.begin()->first);
      if (next > until) break;
      now_ = std::max(now_, next);
      if (!mail_.empty() && mail_.begin()->first <= now_) {
        const auto [attempt, request] = std::move(mail_.begin()->second);
        mail_.erase(mail_.begin());
        administrator_.OnReply(attempt, Answer(request));
      } else {
        alarm_ = kNever;
        administrator_.OnWake();
      }
    }
    now_ = until;
  }

  // Of another administrator.
  proto::Result Commit(const proto::Command& command) {
    Entry entry{.index = controller_.index().Next(),
                .term = Term(1),
                .kind = EntryKind::kCommand,
                .data = kv::Encode(command)};
    Tell(NoteKind::kAppended, &entry);
    Tell(NoteKind::kCommitted, &entry);
    return controller_.Apply(command);
  }

  std::string Verdict() {
    administrator_.Check(checkers_, findings_);
    return findings_.first().has_value() ? findings_.first()->property : std::string();
  }
  std::string evidence() const {
    return findings_.first().has_value() ? findings_.first()->evidence : std::string();
  }
  uint64_t Counter(const std::string& name) const {
    Counters counters;
    administrator_.AppendCounters(&counters);
    for (const auto& [found, value] : counters.values) {
      if (found == name) return value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
  ShardAdministrator& administrator() { return administrator_; }
  const controller::Configuration& newest() const { return shards_.mirror().newest(); }

  bool deaf = false;
  uint64_t requests = 0;

 private:
  Bytes Answer(const Bytes& bytes) {
    proto::ClientRequest request;
    EXPECT_TRUE(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    EXPECT_EQ(request.group(), kControllerGroup.value());
    proto::ClientReply reply;
    *reply.mutable_result() =
        request.has_command() ? Commit(request.command()) : controller_.Query(request.query());
    if (lie_) lie_(request, *reply.mutable_result());
    return kv::Encode(reply);
  }

  void Tell(NoteKind kind, const Entry* entry) {
    const bool booted = kind == NoteKind::kBooted;
    checkers_.OnNote(
        now_, NodeId(1),
        Note{.kind = kind,
             .group = kControllerGroup,
             .term = Term(booted ? 0 : 1),
             .peer = NodeId(booted ? 0 : 1),
             .position = entry != nullptr ? LogPosition{entry->index, entry->term} : LogPosition{},
             .number = 0,
             .entry = entry});
  }

  const ShardAdministration options_ = Options();
  const Lie lie_;
  Instant now_ = Instant(seconds(1));
  Instant alarm_ = kNever;
  std::multimap<Instant, std::pair<uint64_t, Bytes>> mail_;
  controller::Replica controller_;
  Findings findings_;
  ShardChecker shards_{findings_, controller::ControllerOptions{}, /*sessions_max=*/16};
  ClusterCheckers checkers_{findings_, UINT64_MAX, &shards_};
  ShardAdministrator administrator_;
};

TEST(ShardAdministrator, LetsGroupsComeAndGo) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    AdminBench bench(seed);
    bench.Run(seconds(20));
    EXPECT_GT(bench.Counter("shard changes confirmed"), 50u);
    EXPECT_GT(bench.Counter("shard changes refused"), 10u);
    EXPECT_GT(bench.Counter("configurations read"), 10u);
    EXPECT_GT(bench.newest().num.value(), 50u);
    EXPECT_EQ(bench.Verdict(), "") << bench.evidence();
  }
}

// --- The final round

TEST(ShardAdministrator, IsDoneWhenSomebodyIsAMember) {
  AdminBench bench;
  bench.Run(seconds(5));
  EXPECT_FALSE(bench.administrator().Done());
  bench.administrator().BeginFinalRound();
  bench.Run(seconds(5));
  EXPECT_TRUE(bench.administrator().Done());
  EXPECT_EQ(bench.administrator().WaitingFor(), "");
  EXPECT_FALSE(bench.newest().groups.empty());
  const uint64_t requests = bench.requests;
  bench.Run(seconds(60));
  EXPECT_EQ(bench.requests, requests) << "nothing more is asked for";
}

TEST(ShardAdministrator, LetsEverybodyJoinIfThereIsNobody) {
  AdminBench bench;
  bench.Run(milliseconds(10));
  bench.deaf = true;
  bench.Run(seconds(1));
  bench.deaf = false;
  const uint64_t session = bench.Commit(kv::MakeRegisterSession(0)).session();
  std::vector<GroupId> members;
  for (const controller::Group& group : bench.newest().groups) members.push_back(group.gid);
  ASSERT_FALSE(members.empty());
  bench.Commit(
      kv::InSession(controller::MakeLeave(members, /*force=*/true), SessionId(session), 1, 1));
  ASSERT_TRUE(bench.newest().groups.empty());
  bench.administrator().BeginFinalRound();
  bench.Run(seconds(60));
  EXPECT_TRUE(bench.administrator().Done());
  EXPECT_FALSE(bench.newest().groups.empty());
  EXPECT_EQ(bench.Verdict(), "") << bench.evidence();
}

TEST(ShardAdministrator, IsNotDoneWhileNobodyAnswers) {
  AdminBench bench;
  bench.deaf = true;
  bench.Run(seconds(5));
  bench.administrator().BeginFinalRound();
  bench.Run(seconds(60));
  EXPECT_FALSE(bench.administrator().Done());
  EXPECT_EQ(bench.administrator().WaitingFor(), "administrator: join");
}

// --- Lies

TEST(ShardAdministrator, FindsNonsenseThatIsAccepted) {
  AdminBench bench(1, [](const proto::ClientRequest&, proto::Result& result) {
    const bool refusal = result.code() == proto::NOT_FOUND ||
                         result.code() == proto::ALREADY_EXISTS ||
                         result.code() == proto::FAILED_PRECONDITION;
    if (refusal) result.set_code(proto::OK);
  });
  bench.Run(seconds(20));
  EXPECT_EQ(bench.Verdict(), "Administration");
  EXPECT_NE(bench.evidence().find("it asked for nonsense and was told OK"), std::string::npos)
      << bench.evidence();
}

TEST(ShardAdministrator, FindsAnotherConfigurationThanWasAskedFor) {
  AdminBench bench(1, [](const proto::ClientRequest& request, proto::Result& result) {
    if (request.query().get_configuration().num() < 2 || !result.has_configuration()) return;
    result.mutable_configuration()->set_num(result.configuration().num() - 1);
  });
  bench.Run(seconds(20));
  EXPECT_EQ(bench.Verdict(), "Administration");
  EXPECT_NE(bench.evidence().find("it was given configuration "), std::string::npos)
      << bench.evidence();
}

TEST(ShardAdministrator, FindsAConfigurationThatWasNeverMade) {
  const std::vector<std::function<void(proto::Configuration&)>> changes = {
      [](proto::Configuration& configuration) { configuration.add_pins()->set_shard(1); },
      [](proto::Configuration& configuration) {
        configuration.mutable_groups(0)->set_joined(1000);
      },
      [](proto::Configuration& configuration) { configuration.set_owners(0, 77); },
  };
  for (const auto& change : changes) {
    AdminBench bench(1, [&](const proto::ClientRequest& request, proto::Result& result) {
      const bool old = request.query().get_configuration().num() != 0;
      if (old && result.configuration().groups_size() > 0) change(*result.mutable_configuration());
    });
    bench.Run(seconds(20));
    EXPECT_EQ(bench.Verdict(), "Administration");
    EXPECT_NE(bench.evidence().find("that was never made"), std::string::npos) << bench.evidence();
  }
}

// A replica that is behind, or a leader that is none any more, answers without a barrier.
TEST(ShardAdministrator, FindsAnOldConfigurationAsTheNewest) {
  proto::Configuration first;
  AdminBench bench(1, [&](const proto::ClientRequest& request, proto::Result& result) {
    if (!result.has_configuration()) return;
    if (first.num() == 0) first = result.configuration();
    if (request.query().get_configuration().num() == 0) *result.mutable_configuration() = first;
  });
  bench.Run(seconds(20));
  EXPECT_EQ(bench.Verdict(), "Administration");
  EXPECT_NE(bench.evidence().find(" as the newest, after "), std::string::npos) << bench.evidence();
}

TEST(ShardAdministrator, FindsAnAnswerForAnotherEntry) {
  AdminBench bench(1, [](const proto::ClientRequest& request, proto::Result& result) {
    if (request.command().has_move()) result.set_index(result.index() - 1);
  });
  bench.Run(seconds(20));
  EXPECT_EQ(bench.Verdict(), "Exactly-Once");
  EXPECT_NE(bench.evidence().find("the administrator was told that its move"), std::string::npos)
      << bench.evidence();
}

}  // namespace
}  // namespace lockstep::sim
