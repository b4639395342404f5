// What a router costs its process: finding the shard of a key, an operation from the call to its
// answer, and one page of a list made from the pages of many groups.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/client/gather.h"
#include "core/client/router.h"
#include "core/kv/command.h"

namespace lockstep::client {
namespace {

constexpr uint32_t kGroups = 100;

std::vector<std::string> Keys() {
  std::vector<std::string> keys;
  for (int i = 0; i < 100000; ++i) keys.push_back(absl::StrCat("user:", i, ":name"));
  return keys;
}

void BM_ShardOf(benchmark::State& state) {
  const std::vector<std::string> keys = Keys();
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ShardOf(keys[next], 16384));
    next = next + 1 == keys.size() ? 0 : next + 1;
  }
}
BENCHMARK(BM_ShardOf);

proto::Configuration ConfigurationOf(uint32_t shards) {
  proto::Configuration configuration;
  configuration.set_num(1);
  for (uint64_t gid = 1; gid <= kGroups; ++gid) {
    proto::ShardGroup* group = configuration.add_groups();
    group->set_gid(gid);
    for (uint64_t i = 1; i <= 3; ++i) group->add_members()->set_node(10 * gid + i);
  }
  for (uint32_t shard = 0; shard < shards; ++shard) {
    configuration.add_owners(1 + shard % kGroups);
  }
  return configuration;
}

// A router whose requests are all answered at once, with success.
class Answered {
 public:
  Answered(uint32_t shards, uint32_t sessions) : router_(Options(sessions), Rng(1)) {
    configuration_.mutable_result()->set_code(proto::OK);
    *configuration_.mutable_result()->mutable_configuration() = ConfigurationOf(shards);
    proto::ClientReply reply;
    reply.mutable_result()->set_code(proto::OK);
    reply.mutable_result()->set_session(7);
    reply.mutable_result()->set_value("value");
    reply_ = kv::Encode(reply);
    Do(kv::MakeGet("first"));
  }
  void Do(std::variant<proto::Command, proto::Query> operation) {
    ++last_id_;
    Output out;
    router_.Step(now_, Invoke{OperationId(last_id_), std::move(operation), now_ + kPatience}, &out);
    while (!out.sends.empty()) {
      const std::vector<Send> sends = std::exchange(out.sends, {});
      for (const Send& send : sends) {
        const bool question = router_.configuration_num() == 0;
        router_.Step(now_, Reply{send.attempt, question ? kv::Encode(configuration_) : reply_},
                     &out);
      }
    }
    Check(router_.unfinished() == 0);
  }

 private:
  static constexpr Duration kPatience = std::chrono::seconds(1);
  static RouterOptions Options(uint32_t sessions) {
    RouterOptions options;
    options.controller_nodes = {NodeId(1), NodeId(2), NodeId(3)};
    options.shard_sessions_max = sessions;
    return options;
  }
  Router router_;
  const Instant now_ = Instant(std::chrono::seconds(1));
  proto::ClientReply configuration_;
  Bytes reply_;
  uint64_t last_id_ = 0;
};

// Over all shards, which have their clients and sessions already unless there are too many for it.
template <class Make>
void Route(benchmark::State& state, Make make) {
  const auto shards = static_cast<uint32_t>(state.range(0));
  const auto sessions = static_cast<uint32_t>(state.range(1));
  const std::vector<std::string> keys = Keys();
  Answered router(shards, sessions);
  for (const std::string& key : keys) router.Do(make(key));
  size_t next = 0;
  for (auto _ : state) {
    router.Do(make(keys[next]));
    next = next + 1 == keys.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
void BM_Get(benchmark::State& state) {
  Route(state, [](const std::string& key) { return kv::MakeGet(key); });
}
void BM_Put(benchmark::State& state) {
  Route(state, [](const std::string& key) { return kv::MakePut(key, "value"); });
}
BENCHMARK(BM_Get)->ArgNames({"shards", "sessions"})->Args({64, 1024})->Args({16384, 16384});
BENCHMARK(BM_Put)
    ->ArgNames({"shards", "sessions"})
    ->Args({64, 1024})
    ->Args({16384, 16384})
    ->Args({16384, 1024});  // Nearly each needs a new session.

// A page of 1,000 pairs, from as many from each group.
void BM_ListMerge(benchmark::State& state) {
  const auto groups = static_cast<uint32_t>(state.range(0));
  proto::Configuration configuration = ConfigurationOf(16384);
  for (uint64_t& owner : *configuration.mutable_owners()) owner = 1 + owner % groups;
  const Routes routes = Routes::From(configuration).value();
  std::vector<proto::Result> pages(groups);
  for (uint64_t i = 0; i < uint64_t{1000} * groups; ++i) {
    proto::Pair* pair = pages[i % groups].add_pairs();
    pair->set_key(absl::StrCat("user:", 100000000 + i));
    pair->set_value(std::string(100, 'v'));
  }
  for (proto::Result& page : pages) page.set_continuation("more");
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<proto::Result> answers = pages;
    state.ResumeTiming();
    GatheredList list(kv::MakeList("user:").list(), {});
    uint64_t part = 0;
    for (GatheredList::Asked& asked : list.Plan(routes)) {
      ++part;
      list.Ask(OperationId(part), std::move(asked));
    }
    for (uint64_t i = 1; i <= part; ++i) list.Add(OperationId(i), std::move(answers[i - 1]));
    benchmark::DoNotOptimize(list.Finish().pairs_size());
    state.PauseTiming();
    answers.clear();
    state.ResumeTiming();
  }
}
BENCHMARK(BM_ListMerge)
    ->ArgName("groups")
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lockstep::client
