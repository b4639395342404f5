// Everything at once: many operations, lost and late messages, groups that die for a while, shards
// that move all the time. Whatever was answered must be true, and nothing may outlast its deadline.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/rng.h"
#include "core/client/router.h"
#include "core/controller/admin.h"
#include "core/kv/command.h"
#include "tests/unit/client/model_cluster.h"

namespace lockstep::client {
namespace {

using std::chrono::milliseconds;
constexpr uint64_t kGroups = 3;
constexpr int kKeys = 12;
constexpr int kOperations = 150;

RouterOptions StormOptions(Rng& rng) {
  RouterOptions options;
  options.controller_nodes = {NodeId(1), NodeId(2), NodeId(3)};
  options.attempt_timeout = milliseconds(rng.Between(uint64_t{20}, uint64_t{200}));
  options.backoff_min = milliseconds(rng.Between(uint64_t{1}, uint64_t{20}));
  options.backoff_max = milliseconds(rng.Between(uint64_t{20}, uint64_t{200}));
  options.configuration_age_max = milliseconds(rng.Between(uint64_t{0}, uint64_t{500}));
  options.shard_sessions_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{4}));
  options.outstanding_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{8}));
  options.limits.list_pairs_max = 4;
  options.limits.batch_operations_max = 3;
  return options;
}

class Storm {
 public:
  explicit Storm(uint64_t seed) : rng_(seed), router_(StormOptions(rng_), Rng(seed + 1)) {
    cluster_.Join({1, 2, 3});
    for (int i = 0; i < kKeys; ++i) keys_.push_back(absl::StrCat(i % 3 == 0 ? "{t}" : "k", i));
  }

  void Run() {
    while (invoked_ < kOperations && !testing::Test::HasFailure()) Happen();
    lossy_ = false;
    for (uint64_t gid = 1; gid <= kGroups; ++gid) cluster_.Revive(gid);
    cluster_.Settle();
    // In calm weather everything is answered, and well.
    calm_ = true;
    for (int i = 0; i < 20; ++i) Invoke();
    while (router_.unfinished() > 0 && !testing::Test::HasFailure()) Happen();
    CheckAppends();
  }

  uint64_t moves = 0;
  uint64_t replays = 0;
  uint64_t unknown = 0;
  uint64_t not_executed = 0;
  uint64_t lists = 0;
  uint64_t wrong_groups = 0;

 private:
  struct Call {
    std::vector<std::pair<std::string, std::string>> appends;  // key, and what was appended
    bool bulk = false;
    bool list = false;
    Instant deadline;
  };
  struct Event {
    bool reply = false;
    Send send;
    Bytes answer;
  };

  // The next event, and now and then something else before it.
  void Happen() {
    if (invoked_ < kOperations && rng_.Chance({1, 4})) return Invoke();
    if (!calm_ && rng_.Chance({1, 6})) Change();
    const bool wake = wake_at_ < kNever && (events_.empty() || wake_at_ <= events_.begin()->first);
    if (wake) {
      now_ = std::max(now_, wake_at_);
      return Step(Wake{});
    }
    if (events_.empty()) return Invoke();
    now_ = std::max(now_, events_.begin()->first);
    Event event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    if (event.reply) return Step(Reply{event.send.attempt, event.answer});
    Arrive(std::move(event));
  }

  void Change() {
    const uint64_t gid = rng_.Between(uint64_t{1}, kGroups);
    switch (rng_.Below(8)) {
      case 0: {
        const auto shard = static_cast<uint32_t>(rng_.Below(kShards));
        if (cluster_.OwnerOf(shard) == gid || cluster_.num() > 60) return;
        ++moves;
        return cluster_.Move(shard, gid);
      }
      case 1:
        return rng_.Chance({1, 4}) ? cluster_.Kill(gid) : cluster_.Revive(gid);
      case 2:
      case 3:
      case 4:
        cluster_.Reconfigure(gid);
        return;
      default:
        return cluster_.Pull(gid);
    }
  }

  void Invoke() {
    ++invoked_;
    const OperationId id(static_cast<uint64_t>(invoked_));
    Call& call = calls_[id];
    const Duration patience =
        milliseconds(calm_ ? 60000 : rng_.Between(uint64_t{1}, uint64_t{3000}));
    call.deadline = now_ + patience;
    const std::string mark = absl::StrCat(invoked_, ",");
    const std::string key = keys_[rng_.Below(keys_.size())];
    switch (rng_.Below(6)) {
      case 0:
        return Step(client::Invoke{id, kv::MakeGet(key), call.deadline});
      case 1:
        call.list = true;
        return Step(client::Invoke{id, kv::MakeList("k"), call.deadline});
      case 2: {
        call.appends = {{"{t}0", mark}, {"{t}3", mark}};
        return Step(client::Invoke{
            id, kv::MakeBatch({kv::MakeAppend("{t}0", mark), kv::MakeAppend("{t}3", mark)}),
            call.deadline});
      }
      case 3:
        return Bulk(id, call, mark);
      default:
        call.appends = {{key, mark}};
        return Step(client::Invoke{id, kv::MakeAppend(key, mark), call.deadline});
    }
  }

  void Bulk(OperationId id, Call& call, const std::string& mark) {
    call.bulk = true;
    std::vector<proto::BatchOperation> operations;
    for (const std::string& key : keys_) {
      proto::BatchOperation operation;
      operation.mutable_append()->set_key(key);
      operation.mutable_append()->set_value(mark);
      operations.push_back(operation);
      call.appends.emplace_back(key, mark);
    }
    Step(InvokeBulk{id, operations, call.deadline});
  }

  void Step(Input input) {
    Output out;
    router_.Step(now_, std::move(input), &out);
    wake_at_ = out.wake_at;
    ASSERT_GT(wake_at_, now_);
    for (Send& send : out.sends) {
      if (lossy_ && rng_.Chance({1, 8})) continue;
      Later({.reply = false, .send = std::move(send), .answer = {}});
    }
    for (Completion& completion : out.completions) Complete(completion);
    for (const auto& [id, call] : calls_)
      ASSERT_GT(call.deadline, now_) << "outlasted its deadline";
  }

  void Later(Event event) {
    const uint64_t micros = lossy_ ? rng_.Magnitude(100, 300000) : 500;
    events_.emplace(now_ + std::chrono::microseconds(micros), std::move(event));
  }

  void Arrive(Event event) {
    if (cluster_.IsDead(event.send.to)) return;
    proto::ClientRequest request;
    ASSERT_TRUE(request.ParseFromArray(event.send.request.data(),
                                       static_cast<int>(event.send.request.size())));
    const proto::ClientReply reply = cluster_.Handle(event.send.to, request);
    replays += reply.result().replayed();
    wrong_groups += reply.result().code() == proto::WRONG_GROUP;
    if (lossy_ && rng_.Chance({1, 8})) return;
    event.reply = true;
    event.answer = kv::Encode(reply);
    Later(event);
    if (lossy_ && rng_.Chance({1, 8})) Later(event);  // Twice.
  }

  void Complete(const Completion& completion) {
    const auto found = calls_.find(completion.id);
    ASSERT_TRUE(found != calls_.end()) << "completed twice";
    const Call call = found->second;
    calls_.erase(found);
    const Outcome& outcome = completion.outcome;
    unknown += outcome.kind == Outcome::Kind::kUnknown;
    not_executed += outcome.kind == Outcome::Kind::kNotExecuted;
    if (calm_ && call.deadline - now_ > milliseconds(1)) {
      ASSERT_EQ(outcome.kind, Outcome::Kind::kOk) << outcome.status;
    }
    for (size_t i = 0; i < call.appends.size(); ++i) {
      const bool alone = !call.bulk || outcome.each.empty();
      outcomes_[call.appends[i]] = alone ? outcome.kind : outcome.each[i].kind;
    }
    if (call.list && outcome.kind == Outcome::Kind::kOk) CheckPage(outcome.result);
  }

  void CheckPage(const proto::Result& result) {
    ++lists;
    ASSERT_LE(result.pairs_size(), 4);
    for (int i = 1; i < result.pairs_size(); ++i) {
      ASSERT_LT(result.pairs(i - 1).key(), result.pairs(i).key());
    }
    if (result.continuation().empty()) return;
    ASSERT_FALSE(result.pairs().empty());
  }

  // Each as often as its outcome says.
  void CheckAppends() {
    std::map<std::pair<std::string, std::string>, int> counts;
    for (const std::string& key : keys_) {
      for (const absl::string_view mark : absl::StrSplit(cluster_.ValueOf(key), ',')) {
        ++counts[{key, absl::StrCat(mark, ",")}];
      }
    }
    for (const auto& [append, kind] : outcomes_) {
      const int count = counts[append];
      SCOPED_TRACE(absl::StrCat(append.second, " to ", append.first));
      if (kind == Outcome::Kind::kOk) {
        EXPECT_EQ(count, 1);
      }
      if (kind == Outcome::Kind::kNotExecuted) {
        EXPECT_EQ(count, 0);
      }
      if (kind == Outcome::Kind::kUnknown) {
        EXPECT_LE(count, 1);
      }
    }
  }

  Rng rng_;
  ModelCluster cluster_;
  Router router_;
  Instant now_ = Instant(std::chrono::seconds(100));
  Instant wake_at_ = kNever;
  std::multimap<Instant, Event> events_;
  std::vector<std::string> keys_;
  std::map<OperationId, Call> calls_;
  std::map<std::pair<std::string, std::string>, Outcome::Kind> outcomes_;
  int invoked_ = 0;
  bool lossy_ = true;
  bool calm_ = false;
};

TEST(RouterStorm, WhatIsAnsweredIsTrue) {
  uint64_t moves = 0;
  uint64_t replays = 0;
  uint64_t unknown = 0;
  uint64_t not_executed = 0;
  uint64_t lists = 0;
  uint64_t wrong_groups = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Storm storm(seed);
    storm.Run();
    if (testing::Test::HasFailure()) return;
    moves += storm.moves;
    replays += storm.replays;
    unknown += storm.unknown;
    not_executed += storm.not_executed;
    lists += storm.lists;
    wrong_groups += storm.wrong_groups;
  }
  // A storm in which nothing of a kind happened tests nothing.
  EXPECT_GT(moves, 500u);
  EXPECT_GT(replays, 200u);
  EXPECT_GT(unknown, 200u);
  EXPECT_GT(not_executed, 200u);
  EXPECT_GT(lists, 200u);
  EXPECT_GT(wrong_groups, 500u);
}

}  // namespace
}  // namespace lockstep::client
