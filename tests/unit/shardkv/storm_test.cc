// Groups, configurations and clients in any order: late, repeated and reordered steps, restarts,
// shards that come back before they have gone. Against a twin that knows nothing of shards.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "tests/unit/shardkv/group.h"

namespace lockstep::shardkv {
namespace {

constexpr size_t kGroups = 3;
constexpr uint64_t kConfigurations = 25;

ShardOptions SmallSteps() {
  ShardOptions options;
  options.sweep_records_max = 2;
  return options;
}

class Storm {
 public:
  explicit Storm(uint64_t seed) : rng_(seed) {
    for (uint64_t gid = 1; gid <= kGroups; ++gid) groups_.emplace_back(gid, SmallSteps());
    owners_.push_back(std::vector<uint64_t>(kShards, 0));
    owners_.push_back(std::vector<uint64_t>(kShards, 1));
    for (uint32_t shard = 0; shard < kShards; ++shard) keys_.push_back(KeyOf(shard));
  }

  void Run() {
    while (owners_.size() <= kConfigurations) Step();
    for (int i = 0; i < 50; ++i) Step();
    Calm();
  }

  uint64_t parts = 0;
  uint64_t replays = 0;
  uint64_t refused = 0;
  uint64_t held_twice = 0;  // a group kept two tenures of one shard

 private:
  // A client that appends to the shard's key, one command at a time, again and again until it is
  // answered by whoever serves the shard.
  struct Client {
    SessionId session;
    uint64_t sequence = 0;
    std::optional<proto::Command> open;
    std::optional<proto::Command> last;  // answered: a late copy of it may still arrive
  };

  Group& Any() { return groups_[rng_.Below(kGroups)]; }
  Group& Of(uint64_t gid) { return groups_[gid - 1]; }
  uint64_t newest() const { return owners_.size() - 1; }

  void Step() {
    switch (rng_.Below(16)) {
      case 0:
        return Announce();
      case 1:
      case 2:
        return Reconfigure(Any());
      case 3:
      case 4:
      case 5:
        return PullSome(Any());
      case 6:
        return Tell(Any());
      case 7:
        return Sweep(Any());
      case 8:
        return Restart(Any());
      case 9:
        return Repeat();
      default:
        return Call(static_cast<uint32_t>(rng_.Below(kShards)), Any());
    }
  }

  void Announce() {
    std::vector<uint64_t> next = owners_.back();
    for (uint64_t left = rng_.Between(uint64_t{1}, uint64_t{3}); left > 0; --left) {
      const uint64_t shard = rng_.Below(kShards);
      next[shard] = 1 + rng_.Below(kGroups);
    }
    owners_.push_back(next);
  }

  void Reconfigure(Group& group) {
    const uint64_t num = group.machine().num() + 1;
    if (num > newest()) return;
    Change change(num);
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      const uint64_t from = owners_[num - 1][shard];
      const uint64_t to = owners_[num][shard];
      if (from == to) continue;
      if (to == group.gid() && from == 0) change.Begins(shard);
      if (to == group.gid() && from != 0) change.Gains(shard, Of(from));
      if (from == group.gid()) change.Loses(shard, Of(to));
    }
    ASSERT_EQ(change.In(group).code(), proto::OK);
  }

  // One part of any tenure that arrives; sometimes twice, sometimes kept for later.
  void PullSome(Group& group) {
    for (const auto& [id, tenure] : group.machine().tenures()) {
      if (tenure.state != proto::SHARD_PULLING || rng_.Chance({1, 3})) continue;
      const uint32_t bytes_max = static_cast<uint32_t>(rng_.Between(uint64_t{1}, uint64_t{60}));
      const proto::Result read = ReadPart(Of(tenure.source.gid()), id.shard, tenure.source_ended,
                                          tenure.resume, bytes_max);
      if (read.code() != proto::OK) {
        ASSERT_EQ(read.code(), proto::FAILED_PRECONDITION) << "gone before it had arrived";
        return;
      }
      const proto::Command install =
          MakeInstall(id.shard, id.since, tenure.next_sequence, read.part());
      ASSERT_EQ(group.Internal(install).code(), proto::OK);
      Keep(group, install);
      ++parts;
      return;
    }
  }

  // The source is told that a tenure has arrived; and the group, that the source knows.
  void Tell(Group& group) {
    for (const auto& [id, tenure] : group.machine().tenures()) {
      if (tenure.state == proto::SHARD_PULLING || tenure.source.gid() == 0) continue;
      Group& source = Of(tenure.source.gid());
      const proto::Command drop = MakeDrop(id.shard, tenure.source_ended);
      ASSERT_EQ(source.Internal(drop).code(), proto::OK);
      Keep(source, drop);
      const proto::Command finish = MakeFinish(id.shard, id.since);
      if (rng_.Chance({1, 3})) return;  // The answer is lost.
      Keep(group, finish);
      ASSERT_EQ(group.Internal(finish).code(), proto::OK);
      return;
    }
  }

  void Sweep(Group& group) {
    for (const auto& [id, tenure] : group.machine().tenures()) {
      if (tenure.state != proto::SHARD_DROPPED) continue;
      const TenureId dropped = id;
      ASSERT_EQ(group.Internal(MakeSweep(dropped.shard, dropped.since)).code(), proto::OK);
      return;
    }
  }

  void Restart(Group& group) {
    const std::string before = group.Read(Shards()).SerializeAsString();
    group.Reload();
    ASSERT_EQ(group.Read(Shards()).SerializeAsString(), before);
  }

  static proto::Query Shards() {
    proto::Query query;
    query.mutable_get_shards();
    return query;
  }

  void Keep(Group& group, const proto::Command& command) {
    late_.emplace_back(group.gid(), command);
  }

  // Anything that has been said once may be said again, much later: nothing comes of it.
  void Repeat() {
    if (late_.empty()) return;
    const auto& [gid, command] = late_[rng_.Below(late_.size())];
    Group& group = Of(gid);
    const auto before = group.dump();
    const proto::Result result = group.Internal(command);
    if (command.has_drop_shard()) {
      ASSERT_EQ(result.code(), proto::OK);
    } else {
      ASSERT_EQ(result.code(), proto::FAILED_PRECONDITION);
    }
    ASSERT_EQ(group.dump(), before);
    ++refused;
  }

  void Call(uint32_t shard, Group& group) {
    Client& client = clients_[shard];
    if (client.last.has_value() && rng_.Chance({1, 4})) {
      const proto::Result again = group.Client(*client.last, shard);
      ASSERT_TRUE(again.code() == proto::WRONG_GROUP || again.replayed());
      replays += again.replayed();
      return;
    }
    if (!client.session) {
      const proto::Result registered = group.Client(kv::MakeRegisterSession(0), shard);
      client.session = SessionId(registered.session());
      return;
    }
    if (!client.open.has_value()) {
      ++client.sequence;
      client.open = kv::InSession(kv::MakeAppend(keys_[shard], absl::StrCat(client.sequence, ",")),
                                  client.session, client.sequence, client.sequence);
    }
    const proto::Result result = group.Client(*client.open, shard);
    if (result.code() == proto::WRONG_GROUP) return;
    ASSERT_EQ(result.code(), proto::OK) << result.message();
    ASSERT_FALSE(result.replayed());
    absl::StrAppend(&twin_[shard], client.sequence, ",");
    client.last = client.open;
    client.open.reset();
    ASSERT_EQ(group.Get(keys_[shard]).value(), twin_[shard]);
    CheckOwnership();
  }

  void CheckOwnership() {
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      int serving = 0;
      for (const Group& group : groups_) {
        int kept = 0;
        for (const auto& [id, tenure] : group.machine().tenures()) {
          if (id.shard != shard) continue;
          ++kept;
          serving += tenure.serves();
        }
        if (kept > 1) ++held_twice;
      }
      ASSERT_LE(serving, 1) << "shard " << shard;
    }
  }

  // Everything that is under way comes to its end, and nothing is left of what has moved.
  void Calm() {
    for (int round = 0; round < 2000; ++round) {
      for (Group& group : groups_) {
        Reconfigure(group);
        PullSome(group);
        Tell(group);
        Sweep(group);
      }
    }
    size_t tenures = 0;
    for (const Group& group : groups_) {
      EXPECT_EQ(group.machine().num(), newest());
      for (const auto& [id, tenure] : group.machine().tenures()) {
        EXPECT_EQ(tenure.state, proto::SHARD_SERVING);
        EXPECT_EQ(owners_.back()[id.shard], group.gid());
        EXPECT_EQ(group.Get(keys_[id.shard]).value(), twin_[id.shard]);
        ++tenures;
      }
      if (!group.machine().tenures().empty()) continue;
      EXPECT_EQ(group.Records(), 0u);
    }
    EXPECT_EQ(tenures, size_t{kShards});
  }

  Rng rng_;
  std::vector<Group> groups_;
  std::vector<std::vector<uint64_t>> owners_;  // by configuration and shard
  std::vector<std::string> keys_;              // by shard
  std::map<uint32_t, Client> clients_;
  std::map<uint32_t, std::string> twin_;
  std::vector<std::pair<uint64_t, proto::Command>> late_;
};

TEST(Storm, EveryAppendIsExecutedOnceWhereverItsShardIs) {
  uint64_t parts = 0;
  uint64_t replays = 0;
  uint64_t refused = 0;
  uint64_t held_twice = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Storm storm(seed);
    storm.Run();
    if (testing::Test::HasFailure()) return;
    parts += storm.parts;
    replays += storm.replays;
    refused += storm.refused;
    held_twice += storm.held_twice;
  }
  // A storm in which nothing of a kind happened tests nothing.
  EXPECT_GT(parts, 1000u);
  EXPECT_GT(replays, 300u);
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(held_twice, 100u);
}

TEST(Storm, AnyBytesAreHarmless) {
  Rng rng(7);
  Group group(1);
  Change(1).Begins(0).Begins(1).In(group);
  const std::string valid =
      MakeInstall(2, 2, 1, ReadPart(group, 0, 1, "", 10).part()).SerializeAsString();
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = valid;
    const uint64_t at = rng.Below(bytes.size());
    bytes[at] = static_cast<char>(rng.Next());
    if (rng.Chance({1, 2})) bytes.resize(rng.Below(bytes.size()));
    const auto before = group.dump();
    const bool internal = rng.Chance({1, 2});
    const proto::Result result =
        group.ApplyBytes(Bytes::Copy(bytes), internal ? EntryKind::kInternal : EntryKind::kCommand);
    ASSERT_NE(result.code(), proto::OK);
    ASSERT_EQ(group.dump(), before);
  }
}

TEST(Storm, ClientsMayNotSpeakForTheGroup) {
  Group group(1);
  Change(1).Begins(0).In(group);
  for (const proto::Command& command : {MakeDrop(0, 1), MakeSweep(0, 1), MakeFinish(0, 1)}) {
    EXPECT_EQ(group.Client(command, 0).code(), proto::INVALID_ARGUMENT);
  }
  EXPECT_EQ(group.Internal(kv::MakeRegisterSession(0)).code(), proto::FAILED_PRECONDITION);
}

}  // namespace
}  // namespace lockstep::shardkv
