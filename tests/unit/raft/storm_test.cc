// Three to five Rafts in any weather: messages in any order, twice or never, disks that take their
// time, crashes that lose what was not durable, snapshots, transfers. After every single turn the
// five properties of Raft's Figure 3 are checked (raft_figure_three.h); at the end, that the group
// converges.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "tests/support/raft_figure_three.h"
#include "tests/support/raft_member.h"
#include "tests/support/raft_text.h"

namespace lockstep::test {
namespace {

struct Weather {
  uint64_t nodes = 3;
  Ratio loss;
  Ratio duplication;
  Ratio crash;
  Ratio disk;            // how often a write finishes
  bool changes = false;  // of the members
};

enum class Changes { kNone, kMany };

class Storm {
 public:
  explicit Storm(uint64_t seed, Changes changes = Changes::kNone)
      : seed_(seed), rng_(Rng(seed).Split("storm")) {
    weather_.nodes = rng_.Between(uint64_t{1}, uint64_t{5});
    if (weather_.nodes < 3) weather_.nodes = 5 - weather_.nodes;  // 3 and 4 more often
    weather_.loss = Ratio{static_cast<uint32_t>(rng_.Below(30)), 100};
    weather_.duplication = Ratio{static_cast<uint32_t>(rng_.Below(20)), 100};
    weather_.crash = Ratio{static_cast<uint32_t>(rng_.Magnitude(1, 24) - 1), 1000};
    weather_.disk = Ratio{static_cast<uint32_t>(rng_.Between(uint64_t{10}, uint64_t{90})), 100};
    weather_.changes = changes == Changes::kMany;
    MakeMembers();
  }

  void Run(int steps) {
    for (step_ = 0; step_ < steps && !failed_; ++step_) {
      Step();
      if (weather_.changes && rng_.Chance({1, 60})) ChangeMembers();
    }
    Calm();
  }

  const FigureThree& seen() const { return figure_three_; }
  uint64_t crashes() const { return crashes_; }
  uint64_t hash() const { return hash_; }

 private:
  struct Mail {
    NodeId from;
    NodeId to;
    raft::Message message;
  };

  void MakeMembers() {
    raft::Config config;
    std::vector<NodeId> voters;
    for (uint64_t i = 1; i <= weather_.nodes; ++i) voters.push_back(NodeId(i));
    // Where members change all others are spare at first.
    const raft::Membership group(weather_.changes ? DrawNodes(3) : voters);
    config.election_min = std::chrono::milliseconds(100);
    config.election_max = std::chrono::milliseconds(200);
    config.heartbeat = std::chrono::milliseconds(20);
    config.append_entries_max = rng_.Between(uint64_t{1}, uint64_t{8});
    config.inflight_messages_max = rng_.Between(uint64_t{1}, uint64_t{8});
    config.log_bytes_max = rng_.Between(uint64_t{200}, uint64_t{2000});
    config.snapshot_chunk_bytes_max = rng_.Between(uint64_t{8}, uint64_t{200});
    config.snapshot_chunks_max = rng_.Between(uint64_t{1}, uint64_t{4});
    for (NodeId id : voters) {
      config.self = id;
      config.membership = group.IsMember(id) ? group : raft::Membership();
      members_.emplace(id, Member(config, ReplicaImage{}, Mix64(seed_ + id.value()), now_));
    }
  }

  // Between one and `max` of them.
  std::vector<NodeId> DrawNodes(uint64_t max) {
    std::set<NodeId> nodes;
    const uint64_t count = rng_.Between(uint64_t{1}, std::min(max, weather_.nodes));
    while (nodes.size() < count) nodes.insert(NodeId(1 + rng_.Below(weather_.nodes)));
    return {nodes.begin(), nodes.end()};
  }

  // Whoever leads is asked; now and then as somebody would who knows an older configuration.
  void ChangeMembers() {
    const bool learners = rng_.Chance({1, 3});
    const bool late = rng_.Chance({1, 8});
    raft::ChangeMembership change;
    for (const NodeId node : DrawNodes(weather_.nodes)) change.members.push_back({.node = node});
    if (learners && change.members.size() > 1) change.members.back().voter = false;
    for (auto& [id, member] : members_) {
      if (!member.up() || !member.raft().is_leader()) continue;
      change.id = RequestId(++requests_);
      const Index now = member.raft().configuration().id;
      change.expected = late && now ? now.Previous() : now;
      Turn(member, change);
    }
  }

  Member& Any() { return members_.at(NodeId(1 + rng_.Below(weather_.nodes))); }

  void Step() {
    now_ += std::chrono::milliseconds(static_cast<int64_t>(rng_.Below(3)));
    Member& member = Any();
    const uint64_t what = rng_.Below(100);
    if (!member.up()) {
      if (what < 20) Boot(member);
      return;
    }
    if (rng_.Chance(weather_.crash)) return Crash(member);
    if (what < 55) return DeliverAny();
    if (what < 72) return Disk(member);
    if (what < 84) return Turn(member, raft::TimerFired{});
    if (what < 90) return Turn(member, raft::Propose{RequestId(++requests_), Command()});
    if (what < 93) return Read(member);
    if (what < 95) return Compact(member);
    if (what < 96) return Turn(member, raft::TransferLeadership{Any().id()});
    if (what < 97) return Turn(member, raft::PeerUnreachable{Any().id()});
    if (!member.table_jobs().empty()) After(member, member.RunTableJob(now_));
  }

  Bytes Command() { return Bytes::Copy(absl::StrCat("c", requests_)); }

  void Read(Member& member) {
    const RequestId id(++requests_);
    figure_three_.Asked(id);
    const bool forward = rng_.Chance({1, 2});
    Turn(member, raft::ReadBarrier{.id = id, .forward = forward});
  }

  void Compact(Member& member) {
    const Index applied = member.table().applied.index;
    if (applied <= member.raft().log().base().index) return;
    const uint64_t kept = rng_.Below(4);
    const Index through(applied.value() > kept ? applied.value() - kept : 0);
    After(member, member.Compact(now_, through));
  }

  void Disk(Member& member) {
    if (rng_.Chance(weather_.disk) && !member.writes().empty()) return FinishWrite(member);
    if (member.writes().size() < 3) member.StartWrite();
  }

  void FinishWrite(Member& member) {
    figure_three_.Before(member);
    After(member, member.FinishWrite(now_));
  }

  void Crash(Member& member) {
    ++crashes_;
    member.Crash(rng_.Below(member.writes().size() + 1));
    figure_three_.Crashed(member);
  }

  void Boot(Member& member) { member.Boot(now_); }

  void Turn(Member& member, raft::Input input) {
    std::vector<raft::Input> inputs;
    inputs.push_back(std::move(input));
    figure_three_.Before(member);
    After(member, member.Turn(now_, std::move(inputs)));
  }

  void DeliverAny() {
    if (mail_.empty()) return;
    const size_t i = rng_.Below(mail_.size());
    Mail mail = mail_[i];
    if (!rng_.Chance(weather_.duplication)) {
      mail_[i] = std::move(mail_.back());
      mail_.pop_back();
    }
    if (rng_.Chance(weather_.loss)) return;
    Deliver(mail);
  }

  void Deliver(const Mail& mail) {
    Member& to = members_.at(mail.to);
    if (to.up()) Turn(to, raft::Received{mail.from, mail.message});
  }

  void After(Member& member, const TurnEffects& effects) {
    for (const raft::Outgoing& outgoing : effects.released) Post(member, outgoing);
    for (const raft::Outgoing& outgoing : effects.output.send) {
      if (outgoing.after <= member.raft().completed()) Post(member, outgoing);
    }
    figure_three_.After(member, effects);
    hash_ = HashChain(hash_, member.raft().log().last_index().value() * 7 +
                                 member.raft().term().value() + member.id().value());
  }

  void Post(const Member& member, const raft::Outgoing& outgoing) {
    figure_three_.Leaves(member, outgoing);
    if (mail_.size() < 400) mail_.push_back({member.id(), outgoing.to, outgoing.message});
  }

  // Faults stop: the cluster elects, commits and brings everybody up to date.
  void Calm() {
    for (auto& [id, member] : members_) {
      if (!member.up()) Boot(member);
    }
    for (int round = 0; round < 3000 && !failed_; ++round) {
      now_ += std::chrono::milliseconds(1);
      for (auto& [id, member] : members_) {
        if (now_ >= member.raft().wake_at()) Turn(member, raft::TimerFired{});
        if (member.writes().empty()) member.StartWrite();
        if (!member.writes().empty()) FinishWrite(member);
        if (!member.table_jobs().empty()) After(member, member.RunTableJob(now_));
        // Full logs must become empty again.
        if (round % 10 == 0) Compact(member);
      }
      for (const Mail& mail : std::exchange(mail_, {})) Deliver(mail);
      if (round == 1500) ProposeEverywhere();
    }
    if (failed_) return;
    const raft::Membership group = FinalGroup();
    for (const auto& [id, member] : members_) {
      if (!group.IsMember(id)) continue;  // Spare, or removed.
      if (member.raft().commit() != Index(figure_three_.commits()) ||
          member.raft().log().last_index() != member.raft().commit())
        Fail(absl::StrCat(
            "node ", id.value(), " did not converge: ", raft::Describe(member.raft().log().last()),
            " commit ", member.raft().commit().value(), " of ", figure_three_.commits()));
    }
    if (final_ == 0) Fail("nobody accepts proposals");
  }

  // What the leader says; it has come to the end of all changes.
  raft::Membership FinalGroup() {
    for (const auto& [id, member] : members_) {
      if (!member.raft().is_leader()) continue;
      const raft::GroupConfiguration& members = member.raft().configuration();
      if (members.phase != raft::ChangePhase::kSettled ||
          !member.raft().configuration_is_committed())
        Fail(absl::StrCat("a change has not ended: ", raft::Describe(members)));
      return member.raft().membership();
    }
    std::string all;
    for (const auto& [id, member] : members_) {
      const raft::Raft& raft = member.raft();
      absl::StrAppend(&all, "\n", id.value(), ": ", NameOf(raft.role()), " of term ",
                      raft.term().value(), ", log ", DescribeLog(raft.log()), ", commit ",
                      raft.commit().value(), ", members ", raft::Describe(raft.configuration()));
    }
    Fail(absl::StrCat("nobody leads", all));
    return raft::Membership();
  }

  void ProposeEverywhere() {
    for (auto& [id, member] : members_) {
      if (member.raft().is_leader()) ++final_;
      Turn(member, raft::Propose{RequestId(++requests_), Command()});
    }
  }

  void Fail(const std::string& what) {
    if (!failed_) ADD_FAILURE() << "seed " << seed_ << " step " << step_ << ": " << what;
    failed_ = true;
  }

  const uint64_t seed_;
  Rng rng_;
  Weather weather_;
  Instant now_ = Instant(std::chrono::seconds(1));
  std::map<NodeId, Member> members_;
  std::vector<Mail> mail_;
  uint64_t requests_ = 0;
  int step_ = 0;
  bool failed_ = false;

  FigureThree figure_three_{members_, [this](const std::string& what) { Fail(what); }};
  uint64_t crashes_ = 0;
  uint64_t final_ = 0;
  uint64_t hash_ = 0;
};

TEST(Storm, FigureThreeHolds) {
  uint64_t commits = 0;
  uint64_t leaders = 0;
  uint64_t truncations = 0;
  uint64_t installs = 0;
  uint64_t reads = 0;
  uint64_t crashes = 0;
  const char* from = std::getenv("STORM_SEED");
  const uint64_t first = from == nullptr ? 1 : std::strtoull(from, nullptr, 10);
  const char* count = std::getenv("STORM_SEEDS");
  const uint64_t seeds = count == nullptr ? 300 : std::strtoull(count, nullptr, 10);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    Storm storm(seed);
    storm.Run(3000);
    if (HasFailure()) return;
    commits += storm.seen().commits();
    leaders += storm.seen().leaders();
    truncations += storm.seen().truncations();
    installs += storm.seen().installs();
    reads += storm.seen().reads();
    crashes += storm.crashes();
  }
  // A storm in which nothing happens tests nothing.
  EXPECT_GT(commits, seeds * 10);
  EXPECT_GT(leaders, seeds);
  EXPECT_GT(truncations, seeds / 10);
  EXPECT_GT(installs, seeds / 10);
  EXPECT_GT(reads, seeds / 10);
  EXPECT_GT(crashes, seeds);
  std::cout << "commits " << commits << ", leaders " << leaders << ", truncations " << truncations
            << ", snapshots " << installs << ", reads " << reads << ", crashes " << crashes << "\n";
}

TEST(Storm, MembersChange) {
  uint64_t commits = 0;
  uint64_t installs = 0;
  uint64_t changes = 0;
  uint64_t joints = 0;
  uint64_t removals = 0;
  const char* from = std::getenv("STORM_SEED");
  const uint64_t first = from == nullptr ? 1 : std::strtoull(from, nullptr, 10);
  const char* count = std::getenv("STORM_SEEDS");
  const uint64_t seeds = count == nullptr ? 300 : std::strtoull(count, nullptr, 10);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    Storm storm(seed, Changes::kMany);
    storm.Run(3000);
    if (HasFailure()) return;
    commits += storm.seen().commits();
    installs += storm.seen().installs();
    changes += storm.seen().changes();
    joints += storm.seen().joints();
    removals += storm.seen().removals();
  }
  EXPECT_GT(commits, seeds * 10);
  EXPECT_GT(installs, seeds / 10);
  EXPECT_GT(changes, seeds * 2);
  EXPECT_GT(joints, seeds / 2);
  EXPECT_GT(removals, seeds / 20);  // of leaders by themselves
  std::cout << "commits " << commits << ", snapshots " << installs << ", configurations " << changes
            << ", joint " << joints << ", leaders removed " << removals << "\n";
}

TEST(Storm, SameSeedSameRun) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Storm one(seed, Changes::kMany);
    one.Run(1000);
    Storm two(seed, Changes::kMany);
    two.Run(1000);
    EXPECT_EQ(one.hash(), two.hash()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace lockstep::test
