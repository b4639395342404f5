// A system for tests of the trial itself: each server counts requests in its log, tells its peers,
// and answers. It can be told to misbehave.
#ifndef LOCKSTEP_TESTS_UNIT_FRAMEWORK_COUNTING_SYSTEM_H_
#define LOCKSTEP_TESTS_UNIT_FRAMEWORK_COUNTING_SYSTEM_H_

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/runtime/record_log.h"
#include "sim/framework/log_storage.h"
#include "sim/framework/sequential_client.h"
#include "sim/framework/system.h"

namespace lockstep::sim {

class CountingProcess final : public Process {
 public:
  CountingProcess(NodeId self, const Host& host, const ReplicaImage& disk, bool mute)
      : self_(self), host_(host), log_(disk), mute_(mute) {}

  void OnRequest(RequestId id, const Bytes& request) override {
    log_.Append(request);
    waiting_.push_back(id);
    for (uint64_t peer = 1; peer <= 3; ++peer) {
      if (peer != self_.value()) host_.transport.Send(NodeId(peer), request);
    }
  }
  void OnMessage(NodeId, const Bytes& message) override { log_.Append(message); }
  void OnStorage(Lane, Ticket, absl::StatusOr<StorageResult> result) override {
    if (!result.ok()) return;
    log_.OnStored();
    if (mute_) return;
    for (const RequestId id : std::exchange(waiting_, {})) {
      host_.replies.Reply(id, Bytes::Copy("counted"));
    }
  }
  void OnPeerLink(NodeId, bool) override {}
  void OnWake() override {}
  void OnTurnEnd() override { log_.Commit(host_.disk); }

 private:
  const NodeId self_;
  const Host host_;
  RecordLog log_;
  const bool mute_;
  std::vector<RequestId> waiting_;  // answered at the latest with the next write
};

// Calls any server.
class CountingClient final : public SequentialClient {
 public:
  CountingClient(uint16_t servers, ClientPort& port, Rng rng)
      : SequentialClient({.calls = 200, .think_max = std::chrono::milliseconds(5)}, port, rng),
        servers_(servers) {}

 private:
  Call NextCall() override {
    const NodeId server(1 + rng().Below(servers_));
    return {.server = server, .request = Bytes::Copy("count"), .text = "count"};
  }
  bool OnAnswer(const Bytes&) override { return true; }
  void OnSilence() override {}

  const uint16_t servers_;
};

class CountingSystem : public System {
 public:
  absl::StatusOr<Life> Boot(NodeId node, storage::FileSystem& files, Rng,
                            const Host& host) override {
    absl::StatusOr<LogStorage> disk = OpenLogStorage(files);
    if (!disk.ok()) return disk.status();
    ++lives;
    Life life;
    life.storage = std::move(disk->runner);
    life.process = std::make_unique<CountingProcess>(node, host, disk->recovered, mute);
    return life;
  }
  std::unique_ptr<Client> MakeClient(uint16_t, ClientPort& port, Rng rng) override {
    return std::make_unique<CountingClient>(uint16_t{3}, port, rng);
  }
  void CheckInvariants(const Servers& servers, Findings& findings) override {
    ++checks;
    down_seen += Down(servers);
    if (checks == fail_at) findings.Report("Never A Hundred", "it was reached");
  }
  std::string WaitingFor(const Servers&) const override { return waiting; }
  void CheckAtEnd(const Servers& servers, Findings&) override {
    ++ends;
    down_at_end = Down(servers);
  }

  // What to do.
  uint64_t fail_at = 0;  // the check, from 1, that finds something; 0: none
  std::string waiting;
  bool mute = false;  // no request is ever answered
  // What was seen.
  uint64_t lives = 0;
  uint64_t checks = 0;
  uint64_t down_seen = 0;
  uint64_t down_at_end = 0;
  uint64_t ends = 0;

 private:
  static uint64_t Down(const Servers& servers) {
    uint64_t down = 0;
    for (uint16_t id = 1; id <= servers.count(); ++id) {
      if (servers.Live<CountingProcess>(NodeId(id)) == nullptr) ++down;
    }
    return down;
  }
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_TESTS_UNIT_FRAMEWORK_COUNTING_SYSTEM_H_
