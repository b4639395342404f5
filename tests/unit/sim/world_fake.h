// A small distributed program for tests of the world: servers that count what reaches them, write
// it to disk, and gossip. Nothing of Raft.
#ifndef LOCKSTEP_TESTS_UNIT_SIM_WORLD_FAKE_H_
#define LOCKSTEP_TESTS_UNIT_SIM_WORLD_FAKE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "sim/world/observer.h"
#include "sim/world/software.h"
#include "sim/world/world.h"

namespace lockstep::sim {

// What all lives of all servers have seen, for the test to read.
struct Seen {
  std::vector<std::string> lines;  // in the order of events
  uint64_t turns = 0;
  uint64_t runs = 0;  // storage jobs executed

  // What servers do wrong, or what happens to them, when a test asks for it.
  bool swallows_errors = false;  // storage reports success whatever the disk said
  bool speaks_on = false;        // a process goes on after a storage error
  absl::Status damage;           // what storage finds at the next boot or job; OK: nothing
};

class FakeStorage : public StorageRunner {
 public:
  FakeStorage(storage::FileSystem& files, Seen& seen) : files_(files), seen_(seen) {}
  absl::StatusOr<StorageResult> Run(const StorageJob& job) override {
    ++seen_.runs;
    if (!seen_.damage.ok()) return seen_.damage;
    if (LaneOf(job) == Lane::kLog) {
      auto file = files_.Open("/log", storage::OpenMode::kCreate);
      if (!file.ok()) return file.status();
      absl::Status status = (*file)->Append("x");
      if (status.ok()) status = (*file)->Sync();
      if (!status.ok() && !seen_.swallows_errors) return status;
    }
    return StorageResult();
  }
  uint64_t Digest(GroupId) const override { return 0; }

 private:
  storage::FileSystem& files_;
  Seen& seen_;
};

class FakeProcess : public Process {
 public:
  FakeProcess(NodeId self, uint16_t servers, Rng rng, const Host& host, Seen& seen)
      : self_(self), servers_(servers), rng_(rng), host_(host), seen_(seen) {
    host_.clock.WakeAt(host_.clock.Now() + std::chrono::milliseconds(1));
  }
  void OnMessage(NodeId from, const Bytes& message) override {
    Saw(absl::StrCat("from ", from.value(), " ", message.size()));
  }
  void OnStorage(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result) override {
    if (!result.ok()) gossip_ = seen_.speaks_on;
    Saw(absl::StrCat("stored ", lane == Lane::kLog ? "log " : "table ", ticket.value()));
  }
  void OnRequest(RequestId id, const Bytes& request) override {
    host_.replies.Reply(id, request);
    Saw(absl::StrCat("request ", id.value()));
  }
  void OnPeerLink(NodeId peer, bool up) override {
    Saw(absl::StrCat("peer ", peer.value(), up ? " up" : " down"));
  }
  void OnWake() override {
    Saw("wakes");
    const Duration next = rng_.Between(Duration(100'000), Duration(2'000'000));
    host_.clock.WakeAt(host_.clock.Now() + next);
    gossip_ = true;
  }
  void OnTurnEnd() override {
    ++seen_.turns;
    if (!std::exchange(gossip_, false)) return;
    for (uint16_t to = 1; to <= servers_; ++to) {
      if (to != self_.value()) host_.transport.Send(NodeId(to), Bytes::Copy("gossip"));
    }
    host_.disk.Submit(CommitLog{});
    host_.disk.Submit(Checkpoint{});
  }

 private:
  void Saw(const std::string& what) {
    seen_.lines.push_back(
        absl::StrCat(host_.clock.Now().time_since_epoch().count(), " n", self_.value(), " ", what));
  }

  const NodeId self_;
  const uint16_t servers_;
  Rng rng_;
  const Host host_;
  Seen& seen_;
  bool gossip_ = false;
};

class FakeSoftware : public Software {
 public:
  FakeSoftware(uint16_t servers, Seen& seen) : servers_(servers), seen_(seen) {}
  absl::StatusOr<Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                            const Host& host) override {
    if (!seen_.damage.ok()) return seen_.damage;
    auto file = files.Open("/log", storage::OpenMode::kCreate);
    if (!file.ok()) return file.status();
    const absl::Status named = files.SyncDirectory("/");
    if (!named.ok()) return named;
    Life life;
    life.storage = std::make_unique<FakeStorage>(files, seen_);
    life.process = std::make_unique<FakeProcess>(node, servers_, rng, host, seen_);
    return life;
  }

 private:
  const uint16_t servers_;
  Seen& seen_;
};

// Watches nothing, but can be told to interfere once.
class FakeObserver : public WorldObserver {
 public:
  void OnWorldEvent(const Event& event) override { world_events.push_back(event); }
  void OnNote(NodeHost&, const Note&) override {}
  void OnRequest(NodeHost&, RequestId) override {}
  void OnSubmitted(NodeHost&, const StorageJob&) override {}
  Interference BeforeStorage(NodeHost&, const StorageJob&) override {
    Interference interference = std::exchange(next, Interference());
    if (interference.kind != Interference::Kind::kNone) interference.fault = fault;
    return interference;
  }
  void OnStored(NodeHost&, const StorageJob&, const StorageResult&) override {}
  Interference BeforeBoot(NodeHost&) override { return {}; }
  void OnCrashed(NodeHost&) override { ++crashes; }
  void OnBroken(NodeHost&, std::string property, std::string) override {
    broken.push_back(std::move(property));
  }

  Interference next;
  uint32_t fault = kNoFault;  // whose interference that is
  std::vector<Event> world_events;
  std::vector<std::string> broken;
  int crashes = 0;
};

// A client that asks server after server and counts the answers.
class FakeClient : public SimClient {
 public:
  FakeClient(ClientPort& port, uint16_t servers) : port_(port), servers_(servers) {}
  void Start() override { port_.WakeAt(port_.Now() + Duration(1'000'000)); }
  void OnReply(uint64_t attempt, const Bytes&) override { replies.push_back(attempt); }
  void OnWake() override {
    ++attempt_;
    port_.SendRequest(NodeId(1 + attempt_ % servers_), attempt_, Bytes::Copy("?"));
    Start();
  }
  bool Done() const override { return true; }
  std::string WaitingFor() const override { return ""; }

  std::vector<uint64_t> replies;

 private:
  ClientPort& port_;
  const uint16_t servers_;
  uint64_t attempt_ = 0;
};

inline WorldOptions Sized(uint16_t servers, uint16_t clients) {
  WorldOptions options;
  options.servers = servers;
  options.clients = clients;
  return options;
}

// A whole world of fakes.
struct FakeWorld {
  explicit FakeWorld(uint64_t seed, WorldOptions options = {})
      : software(options.servers, seen), world(options, software, observer, Rng(seed), nullptr) {
    for (uint16_t i = 0; i < options.clients; ++i) {
      clients.push_back(std::make_unique<FakeClient>(world.client(i), options.servers));
      world.client(i).Attach(*clients.back());
      clients.back()->Start();
    }
    world.BootAll(0);
  }
  void RunUntil(int64_t until) {
    while (world.timeline().now() < until) {
      if (world.Step() == World::Stepped::kEmpty) return;
    }
  }
  uint32_t AddFault(FaultKind kind) {
    FaultInterval interval;
    interval.kind = kind;
    interval.instant = true;
    return world.ledger().Applied(std::move(interval));
  }

  Seen seen;
  FakeSoftware software;
  FakeObserver observer;
  World world;
  std::vector<std::unique_ptr<FakeClient>> clients;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_TESTS_UNIT_SIM_WORLD_FAKE_H_
