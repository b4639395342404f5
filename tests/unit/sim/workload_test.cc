// The workload over a perfect store: its clients get through, its history is judged linearizable;
// and over stores that cheat, it is not.
#include "sim/workload/workload.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/kv/kv_machine.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"
#include "sim/check/cluster_checkers.h"

namespace lockstep::sim {
namespace {

class MapTable : public TableWriter {
 public:
  bool Get(absl::string_view key, std::string* value) const override {
    const auto found = map_.find(std::string(key));
    if (found == map_.end()) return false;
    *value = found->second;
    return true;
  }
  void Put(absl::string_view key, absl::string_view value) override {
    map_[std::string(key)] = std::string(value);
  }
  void Delete(absl::string_view key) override { map_.erase(std::string(key)); }
  void Scan(absl::string_view start,
            absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const override {
    for (auto at = map_.lower_bound(std::string(start)); at != map_.end(); ++at) {
      if (!visit(at->first, at->second)) return;
    }
  }

 private:
  std::map<std::string, std::string> map_;
};

// What the store may do wrong.
struct Cheats {
  uint64_t lose_request = 0;  // one in so many requests gets lost
  uint64_t lose_reply = 0;    // likewise
  uint64_t stale_read = 0;    // one in so many reads sees the table before the last write
  uint64_t lost_write = 0;    // one in so many commands is answered, but not executed
  uint64_t twice = 0;         // one in so many commands is executed twice
  uint64_t wrong_index = 0;   // one in so many answers names another entry than the executed one
  bool deaf = false;          // answers nothing at all
};

// One perfect node and a network that orders events by (time, sequence). It also tells the checkers
// what it commits, as a group of one.
class Bench {
 public:
  Bench(const WorkloadOptions& options, uint64_t seed, Cheats cheats)
      : rng_(seed), cheats_(cheats), machine_(kv::KvOptions{}), checkers_(findings_) {
    machine_.Load(table_);
    workload_ = std::make_unique<Workload>(
        options, Access{.nodes = {NodeId(1)}, .group = GroupId(1)}, Rng(seed).Split("workload"));
    Tell(NoteKind::kBooted, nullptr);
    Tell(NoteKind::kHardState, nullptr);
    Tell(NoteKind::kBecameLeader, nullptr);
    for (size_t i = 0; i < workload_->clients(); ++i) {
      ports_.push_back(std::make_unique<Port>(*this, i));
      workload_->Bind(i, *ports_[i]);
    }
    for (size_t i = 0; i < workload_->clients(); ++i) workload_->client(i).Start();
  }

  // Until nothing happens any more, or for so long.
  void Run(Duration most) {
    const Instant until = now_ + most;
    while (!events_.empty() && events_.begin()->first.first <= until) {
      const auto event = events_.begin();
      now_ = event->first.first;
      const std::function<void()> act = std::move(event->second);
      events_.erase(event);
      act();
    }
  }

  std::string Verdict() {
    checkers_.AtEnd();
    workload_->Check(checkers_, Judges::kAll, findings_);
    return findings_.first().has_value() ? findings_.first()->property : std::string();
  }
  std::string evidence() const {
    return findings_.first().has_value() ? findings_.first()->evidence : std::string();
  }
  Workload& workload() { return *workload_; }
  uint64_t Counter(const std::string& name) const {
    Counters counters;
    workload_->AppendCounters(&counters);
    for (const auto& [found, value] : counters.values) {
      if (found == name) return value;
    }
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

 private:
  class Port : public ClientPort {
   public:
    Port(Bench& bench, size_t client) : bench_(bench), client_(client) {}
    Instant Now() const override { return bench_.now_; }
    void WakeAt(Instant when) override {
      const uint64_t alarm = ++alarm_;
      if (when == kNever) return;
      bench_.At(std::max(when, bench_.now_), [this, alarm] {
        if (alarm == alarm_) bench_.workload_->client(client_).OnWake();
      });
    }
    void SendRequest(NodeId, uint64_t attempt, Bytes request) override {
      bench_.Deliver(client_, attempt, request);
    }

   private:
    Bench& bench_;
    const size_t client_;
    uint64_t alarm_ = 0;
  };

  void At(Instant when, std::function<void()> act) {
    events_.emplace(std::make_pair(when, ++sequence_), std::move(act));
  }
  bool OneIn(uint64_t many) { return many > 0 && rng_.Below(many) == 0; }
  Duration Latency() { return rng_.Between(Duration(1000), Duration(20'000'000)); }

  void Deliver(size_t client, uint64_t attempt, const Bytes& request) {
    if (cheats_.deaf || OneIn(cheats_.lose_request)) return;
    At(now_ + Latency(), [this, client, attempt, request] {
      const Bytes reply = Answer(request);
      if (OneIn(cheats_.lose_reply)) return;
      At(now_ + Latency(),
         [this, client, attempt, reply] { workload_->client(client).OnReply(attempt, reply); });
    });
  }

  Bytes Answer(const Bytes& bytes) {
    proto::ClientRequest request;
    EXPECT_TRUE(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    proto::ClientReply reply;
    const Bytes result = request.has_command() ? Execute(request.command()) : Read(request.query());
    EXPECT_TRUE(
        reply.mutable_result()->ParseFromArray(result.data(), static_cast<int>(result.size())));
    return Bytes::Copy(reply.SerializeAsString());
  }

  Bytes Execute(const proto::Command& command) {
    const bool session_command = command.sequence() != 0;
    if (session_command && OneIn(cheats_.lost_write)) {
      proto::Result result;
      result.set_code(proto::OK);
      result.set_index(Commit(command).index.value());
      return Bytes::Copy(result.SerializeAsString());
    }
    if (last_ % 16 == 0) before_ = table_;
    Bytes reply = machine_.Apply(Commit(command), table_);
    if (session_command && OneIn(cheats_.wrong_index)) {
      proto::Result result;
      EXPECT_TRUE(result.ParseFromArray(reply.data(), static_cast<int>(reply.size())));
      result.set_index(result.index() - 1);
      reply = Bytes::Copy(result.SerializeAsString());
    }
    if (session_command && command.has_append() && OneIn(cheats_.twice)) {
      proto::Command again = command;
      again.set_session(other_session_);
      again.set_sequence(++other_sequence_);
      again.set_first_outstanding(other_sequence_);
      machine_.Apply(Commit(again), table_);
    }
    return reply;
  }

  Bytes Read(const proto::Query& query) {
    const bool stale = OneIn(cheats_.stale_read);
    const LogPosition at{Index(last_), Term(1)};
    return machine_.Query(Bytes::Copy(query.SerializeAsString()), at, stale ? before_ : table_);
  }

  Entry Commit(const proto::Command& command) {
    Entry entry{.index = Index(++last_),
                .term = Term(1),
                .kind = EntryKind::kCommand,
                .data = Bytes::Copy(command.SerializeAsString())};
    Tell(NoteKind::kAppended, &entry);
    Tell(NoteKind::kCommitted, &entry);
    return entry;
  }

  void Tell(NoteKind kind, const Entry* entry) {
    const bool booted = kind == NoteKind::kBooted;
    checkers_.OnNote(
        now_, NodeId(1),
        Note{.kind = kind,
             .group = GroupId(1),
             .term = Term(booted ? 0 : 1),
             .peer = NodeId(booted ? 0 : 1),
             .position = entry != nullptr ? LogPosition{entry->index, entry->term} : LogPosition{},
             .number = 0,
             .entry = entry});
  }

  friend class Port;
  Rng rng_;
  const Cheats cheats_;
  Instant now_{};
  uint64_t sequence_ = 0;
  std::map<std::pair<Instant, uint64_t>, std::function<void()>> events_;
  MapTable table_;
  MapTable before_;
  kv::KvMachine machine_;
  uint64_t last_ = 0;
  uint64_t other_session_ = 1;  // the first one registered
  uint64_t other_sequence_ = 1'000'000;
  Findings findings_;
  ClusterCheckers checkers_;
  std::unique_ptr<Workload> workload_;
  std::vector<std::unique_ptr<Port>> ports_;
};

WorkloadOptions Busy() {
  WorkloadOptions options;
  options.clients = 4;
  options.processes = 2;
  options.outstanding_max = 2;
  options.operations = 600;
  options.keys = 3;
  options.mix = {.get = 10, .put = 5, .append = 5, .remove = 2, .compare_and_swap = 5, .list = 3};
  return options;
}

constexpr Duration kLong = std::chrono::hours(10);

TEST(Workload, PassesOverAPerfectStore) {
  Bench bench(Busy(), 1, {});
  EXPECT_FALSE(bench.workload().Done());
  bench.Run(kLong);
  EXPECT_TRUE(bench.workload().Done());
  EXPECT_EQ(bench.workload().issued(), 600u);
  EXPECT_EQ(bench.Verdict(), "") << bench.evidence();
  EXPECT_EQ(bench.Counter("operations unknown"), 0u);
  EXPECT_GT(bench.Counter("swaps mismatched"), 0u);
}

TEST(Workload, TheFinalRoundReadsEveryKeyAndWritesOncePerClient) {
  Bench bench(Busy(), 1, {});
  bench.Run(kLong);
  const uint64_t reads = bench.Counter("reads answered");
  const uint64_t writes = bench.Counter("writes executed");
  bench.workload().BeginFinalRound();
  EXPECT_FALSE(bench.workload().Done());
  EXPECT_NE(bench.workload().WaitingFor(), "");
  bench.Run(kLong);
  EXPECT_TRUE(bench.workload().Done());
  EXPECT_EQ(bench.workload().WaitingFor(), "");
  EXPECT_EQ(bench.Counter("reads answered"), reads + 4 * (3 + 1));
  EXPECT_EQ(bench.Counter("writes executed"), writes + 4);
  EXPECT_EQ(bench.Verdict(), "") << bench.evidence();
}

TEST(Workload, TheFinalRoundIsNotDoneWhileNobodyAnswers) {
  Bench bench(Busy(), 1, {.deaf = true});
  bench.Run(std::chrono::seconds(1));
  bench.workload().BeginFinalRound();
  bench.Run(std::chrono::minutes(5));
  EXPECT_FALSE(bench.workload().Done());
  EXPECT_NE(bench.workload().WaitingFor().find("client 1: get k"), std::string::npos)
      << bench.workload().WaitingFor();
}

TEST(Workload, StopsIssuing) {
  Bench bench(Busy(), 1, {});
  bench.Run(std::chrono::milliseconds(100));
  bench.workload().StopIssuing();
  const uint64_t issued = bench.workload().issued();
  bench.Run(kLong);
  EXPECT_TRUE(bench.workload().Done());
  EXPECT_EQ(bench.workload().issued(), issued);
  EXPECT_LT(issued, 600u);
}

TEST(Workload, UnknownOutcomesAndRestartsStayLinearizable) {
  uint64_t unknown = 0;
  uint64_t replayed = 0;
  uint64_t restarts = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    WorkloadOptions options = Busy();
    options.deadline_min = std::chrono::milliseconds(20);
    options.deadline_max = std::chrono::milliseconds(3000);
    options.attempt_timeout = std::chrono::milliseconds(50);
    options.restart = {1, 20};
    options.unique_values = seed % 4 != 0;
    Bench bench(options, seed, {.lose_request = 5, .lose_reply = 5});
    bench.Run(kLong);
    bench.workload().BeginFinalRound();
    bench.Run(kLong);
    EXPECT_TRUE(bench.workload().Done());
    EXPECT_EQ(bench.Verdict(), "") << seed << "\n" << bench.evidence();
    unknown += bench.Counter("operations unknown");
    replayed += bench.Counter("replies replayed");
    restarts += bench.Counter("client restarts");
  }
  EXPECT_GT(unknown, 0u);
  EXPECT_GT(replayed, 0u);
  EXPECT_GT(restarts, 0u);
}

// Each cheat must be found in nearly all runs.
TEST(Workload, FindsCheats) {
  const std::pair<const char*, Cheats> cheats[] = {
      {"stale reads", {.stale_read = 10}},
      {"lost writes", {.lost_write = 50}},
      {"double appends", {.twice = 20}},
  };
  for (const auto& [name, cheat] : cheats) {
    int found = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      WorkloadOptions options = Busy();
      options.mix.append = 20;
      Bench bench(options, seed, cheat);
      bench.Run(kLong);
      bench.workload().BeginFinalRound();
      bench.Run(kLong);
      if (bench.Verdict() == "Linearizability") ++found;
    }
    EXPECT_GE(found, 9) << name;
  }
}

TEST(Workload, AnAnswerForAnotherIndexIsFound) {
  Bench bench(Busy(), 1, {.wrong_index = 100});
  bench.Run(kLong);
  EXPECT_EQ(bench.Verdict(), "Exactly-Once") << bench.evidence();
}

TEST(WorkloadOptions, DrawsRunnableSettings) {
  bool crowd = false;
  bool queues = false;
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Rng rng(seed);
    const WorkloadOptions options = WorkloadOptions::Draw(rng, 0);
    EXPECT_GE(options.clients, 1u);
    EXPECT_LE(options.clients, 50u);
    EXPECT_GE(options.keys, 1u);
    EXPECT_LE(options.keys, 20u);
    EXPECT_LE(options.deadline_min, options.deadline_max);
    EXPECT_LE(options.backoff_min, options.backoff_max);
    EXPECT_GT(options.mix.get + options.mix.list, 0u);
    crowd = crowd || options.clients > 8;
    queues = queues || options.outstanding_max < options.processes;
  }
  EXPECT_TRUE(crowd);
  EXPECT_TRUE(queues);
  Rng rng(1);
  EXPECT_EQ(WorkloadOptions::Draw(rng, 77).operations, 77u);
}

TEST(WorkloadOptions, TheSameSeedIsTheSameWorkload) {
  Rng a(5);
  Rng b(5);
  EXPECT_EQ(Describe(WorkloadOptions::Draw(a, 0)), Describe(WorkloadOptions::Draw(b, 0)));
}

}  // namespace
}  // namespace lockstep::sim
