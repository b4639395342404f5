// The production host with processes that only watch: who calls what, in which order, on which
// thread.
#include "net/uv_host.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace lockstep::net {
namespace {

// Echoes requests at the end of the turn, or does what a test gives it.
class WatchingProcess : public Process {
 public:
  explicit WatchingProcess(const Host& its_host) : host(its_host) {}
  void OnMessage(NodeId, const Bytes&) override { Note("message"); }
  void OnStorage(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result) override {
    Note((lane == Lane::kLog ? "log " : "table ") + std::to_string(ticket.value()) +
         (result.ok() ? "" : " failed"));
  }
  void OnRequest(RequestId id, const Bytes& request) override {
    Note("request");
    requests.emplace_back(id, request);
  }
  void OnPeerLink(NodeId, bool) override { Note("link"); }
  void OnWake() override { Note("wake"); }
  void OnTurnEnd() override {
    Note("end");
    if (on_end) on_end();
    for (auto& [id, request] : std::exchange(requests, {})) host.replies.Reply(id, request);
  }
  void Note(const std::string& what) {
    EXPECT_EQ(std::this_thread::get_id(), thread);
    notes.push_back(what);
  }

  const Host host;
  const std::thread::id thread = std::this_thread::get_id();
  std::function<void()> on_end;
  std::vector<std::pair<RequestId, Bytes>> requests;
  std::vector<std::string> notes;
};

// A host on a thread of its own.
class Running {
 public:
  explicit Running(StorageExecutor execute, std::function<void(WatchingProcess&)> prepare = {}) {
    PeerTransportOptions options;
    options.listen = "127.0.0.1:0";
    std::promise<void> booted;
    thread_ = std::thread([this, options, &booted, execute, prepare] {
      host = std::make_unique<UvHost>(
          options, book_,
          UvHost::Events{
              .disk_failed = [this](const absl::Status& status) { disk_failure = status; },
              .refused = {}},
          LogSink(), Rng(1));
      ASSERT_TRUE(host->Listen().ok());
      Introduction introduction;
      introduction.self.set_node(1);
      host->Boot(execute, introduction, [&](const Host& inner) {
        auto process = std::make_unique<WatchingProcess>(inner);
        if (prepare) prepare(*process);
        watched = process.get();
        return process;
      });
      booted.set_value();
      host->Run();
    });
    booted.get_future().wait();
  }
  ~Running() {
    if (thread_.joinable()) Stop();
    host.reset();
  }
  void Stop() {
    host->Stop();
    thread_.join();
  }
  // Asks and waits.
  std::string Call(const std::string& request) {
    std::promise<std::string> answer;
    host->Call(Bytes::Copy(request),
               [&](Bytes reply) { answer.set_value(std::string(reply.view())); });
    return answer.get_future().get();
  }

  std::unique_ptr<UvHost> host;
  WatchingProcess* watched = nullptr;
  absl::Status disk_failure;

 private:
  AddressBook book_;
  std::thread thread_;
};

absl::StatusOr<StorageResult> Nothing(const StorageJob&) { return StorageResult(); }

TEST(UvHost, AnswersCallsOfManyThreads) {
  Running running(Nothing);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 250; ++i) {
        const std::string text = std::to_string(t) + ":" + std::to_string(i);
        right += running.Call(text) == text ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 1000);
  running.Stop();
  EXPECT_EQ(running.host->counters().calls, 1000u);
  EXPECT_EQ(running.host->counters().calls_answered, 1000u);
}

TEST(UvHost, WhatArrivesTogetherIsOneTurn) {
  Running running(Nothing);
  std::vector<std::pair<Bytes, Service::Done>> calls;
  std::atomic<int> answered{0};
  std::promise<void> all;
  for (int i = 0; i < 50; ++i) {
    calls.emplace_back(Bytes::Copy("x"), [&](Bytes) {
      if (++answered == 50) all.set_value();
    });
  }
  running.host->CallAll(std::move(calls));
  all.get_future().wait();
  running.Stop();
  const auto& notes = running.watched->notes;
  const auto first = std::find(notes.begin(), notes.end(), "request");
  ASSERT_LE(50, notes.end() - first);
  EXPECT_EQ(std::count(first, first + 50, "request"), 50);
  EXPECT_EQ(first[50], "end");
}

TEST(UvHost, LanesAreInOrderAndIndependent) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::promise<void> table_done;
  const auto execute = [&](const StorageJob& job) -> absl::StatusOr<StorageResult> {
    if (LaneOf(job) == Lane::kLog) released.wait();
    if (std::holds_alternative<Checkpoint>(job)) table_done.set_value();
    return StorageResult();
  };
  Running running(execute, [](WatchingProcess& process) {
    process.on_end = [&process] {
      process.on_end = {};
      EXPECT_EQ(process.host.disk.Submit(CommitLog()), Ticket(1));
      EXPECT_EQ(process.host.disk.Submit(CommitLog()), Ticket(2));
      EXPECT_EQ(process.host.disk.Submit(ApplyEntries()), Ticket(1));
      EXPECT_EQ(process.host.disk.Submit(Checkpoint()), Ticket(2));
    };
  });
  table_done.get_future().wait();  // While the log lane still waits.
  release.set_value();
  while (true) {
    std::promise<size_t> count;
    running.host->Post([&] {
      const auto& notes = running.watched->notes;
      count.set_value(static_cast<size_t>(std::count(notes.begin(), notes.end(), "log 2")));
    });
    if (count.get_future().get() == 1) break;
  }
  running.Stop();
  // Each lane in its own order; between the two there is none.
  std::vector<std::string> log;
  std::vector<std::string> table;
  for (const std::string& note : running.watched->notes) {
    if (note.starts_with("log")) log.push_back(note);
    if (note.starts_with("table")) table.push_back(note);
  }
  EXPECT_EQ(log, (std::vector<std::string>{"log 1", "log 2"}));
  EXPECT_EQ(table, (std::vector<std::string>{"table 1", "table 2"}));
  EXPECT_EQ(running.host->counters().log_writes, 2u);
}

TEST(UvHost, ADiskThatFailsEndsEverything) {
  Running running(
      [](const StorageJob&) -> absl::StatusOr<StorageResult> {
        return absl::InternalError("sync /x: Input/output error");
      },
      [](WatchingProcess& process) {
        process.on_end = [&process] {
          process.on_end = {};
          process.host.disk.Submit(CommitLog());
          process.host.disk.Submit(CommitLog());
        };
      });
  while (true) {
    std::promise<bool> failed;
    running.host->Post([&] { failed.set_value(!running.disk_failure.ok()); });
    if (failed.get_future().get()) break;
  }
  running.Stop();
  const auto& notes = running.watched->notes;
  EXPECT_EQ(notes.back(), "log 1 failed");  // No turn ends after it, and no later job is heard of.
}

TEST(UvHost, TheAlarmRingsOnceAndTheLastOneCounts) {
  Running running(Nothing, [](WatchingProcess& process) {
    process.on_end = [&process] {
      process.on_end = {};
      process.host.clock.WakeAt(process.host.clock.Now() + std::chrono::hours(1));
      process.host.clock.WakeAt(process.host.clock.Now() + std::chrono::milliseconds(1));
    };
  });
  while (true) {
    std::promise<bool> woken;
    running.host->Post([&] {
      const auto& notes = running.watched->notes;
      woken.set_value(std::count(notes.begin(), notes.end(), "wake") == 1);
    });
    if (woken.get_future().get()) break;
  }
}

}  // namespace
}  // namespace lockstep::net
