// One perfect node, a network, and a workload over them. What the node does wrong is asked for.
#ifndef LOCKSTEP_TESTS_UNIT_SIM_WORKLOAD_BENCH_H_
#define LOCKSTEP_TESTS_UNIT_SIM_WORKLOAD_BENCH_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/kv/command.h"
#include "core/kv/kv_machine.h"
#include "core/proto/client.pb.h"
#include "core/runtime/memory_table.h"
#include "core/runtime/state_machine.h"
#include "sim/check/cluster_checkers.h"
#include "sim/workload/workload.h"

namespace lockstep::sim {

// What the store may do wrong.
struct Cheats {
  uint64_t lose_request = 0;  // one in so many requests gets lost
  uint64_t lose_reply = 0;    // likewise
  uint64_t stale_read = 0;    // one in so many reads sees the table before the last write
  uint64_t lost_write = 0;    // one in so many commands is answered, but not executed
  uint64_t twice = 0;         // one in so many commands is executed twice
  uint64_t torn_batch = 0;    // one in so many batches is executed by half
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
    Entry entry = Commit(command);
    if (command.has_batch() && OneIn(cheats_.torn_batch)) {
      proto::Command half = command;
      half.mutable_batch()->mutable_operations()->RemoveLast();
      entry.data = Bytes::Copy(half.SerializeAsString());
    }
    Bytes reply = machine_.Apply(entry, table_);
    if (session_command && OneIn(cheats_.wrong_index)) {
      proto::Result result;
      EXPECT_TRUE(result.ParseFromArray(reply.data(), static_cast<int>(reply.size())));
      result.set_index(result.index() - 1);
      reply = Bytes::Copy(result.SerializeAsString());
    }
    if (session_command && command.has_append() && OneIn(cheats_.twice)) {
      proto::Command again = command;
      if (other_session_ == 0) other_session_ = RegisterOther();
      again.set_session(other_session_);
      again.set_sequence(++other_sequence_);
      again.set_first_outstanding(other_sequence_);
      machine_.Apply(Commit(again), table_);
    }
    return reply;
  }

  // A session of nobody's: what is executed in a client's own keeps the client from going on.
  uint64_t RegisterOther() {
    const Entry entry = Commit(kv::MakeRegisterSession(/*nonce=*/1));
    machine_.Apply(entry, table_);
    return entry.index.value();
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
  MemoryTable table_;
  MemoryTable before_;
  kv::KvMachine machine_;
  uint64_t last_ = 0;
  uint64_t other_session_ = 0;
  uint64_t other_sequence_ = 0;
  Findings findings_;
  ClusterCheckers checkers_;
  std::unique_ptr<Workload> workload_;
  std::vector<std::unique_ptr<Port>> ports_;
};

inline WorkloadOptions Busy() {
  WorkloadOptions options;
  options.clients = 4;
  options.processes = 2;
  options.outstanding_max = 2;
  options.operations = 600;
  options.keys = 3;
  options.mix = {.get = 10, .put = 5, .append = 5, .remove = 2, .compare_and_swap = 5, .list = 3};
  return options;
}

inline constexpr Duration kLong = std::chrono::hours(10);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_TESTS_UNIT_SIM_WORKLOAD_BENCH_H_
