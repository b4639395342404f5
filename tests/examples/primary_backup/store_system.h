// The primary–backup store as the simulator runs it: its servers at boot, its clients, and what
// must hold.
#ifndef LOCKSTEP_TESTS_EXAMPLES_PRIMARY_BACKUP_STORE_SYSTEM_H_
#define LOCKSTEP_TESTS_EXAMPLES_PRIMARY_BACKUP_STORE_SYSTEM_H_

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/framework/history_recorder.h"
#include "sim/framework/log_storage.h"
#include "sim/framework/sequential_client.h"
#include "sim/framework/system.h"
#include "tests/examples/primary_backup/store.h"

namespace examples {

namespace sim = lockstep::sim;
namespace linearizability = lockstep::linearizability;

// Puts and gets a few keys, and writes down what it sees.
class StoreClient final : public sim::SequentialClient {
 public:
  StoreClient(uint16_t number, sim::ClientPort& port, lockstep::Rng rng,
              sim::HistoryRecorder& history)
      : SequentialClient(DrawOptions(rng.Split("options")), port, rng),
        number_(number),
        history_(history) {}

 private:
  // Some clients hurry and some take their time: seldom does one pace show every mistake.
  static sim::SequentialClientOptions DrawOptions(lockstep::Rng rng) {
    const uint64_t think_us_max = rng.Magnitude(100, 200'000);
    return {.calls = 200, .think_max = std::chrono::microseconds(think_us_max)};
  }

  Call NextCall() override {
    linearizability::Operation operation;
    operation.process = number_;
    const std::string key(1, static_cast<char>('x' + rng().Below(3)));
    operation.key = Bytes::Copy(key);
    std::string text = absl::StrCat("get ", key);
    const bool put = rng().Chance({1, 2});
    if (put) {
      const std::string value = absl::StrCat(number_, ".", ++puts_);  // No value occurs twice.
      operation.kind = linearizability::Kind::kPut;
      operation.value = Bytes::Copy(value);
      text = absl::StrCat("put ", key, " ", value);
    }
    reading_ = !put;
    call_ = history_.Invoke(Now(), std::move(operation));
    return {.server = kPrimary, .request = Bytes::Copy(text), .text = text};
  }

  bool OnAnswer(const Bytes& reply) override {
    if (reply.view() == "busy") {
      history_.Refuse(call_);
      return false;
    }
    linearizability::Value result;
    if (reading_ && reply.view() != "none") result = reply;
    history_.Return(Now(), call_, result);
    return true;
  }

  void OnSilence() override {}  // The call stays open in the history: it may have been executed.

  const uint16_t number_;
  sim::HistoryRecorder& history_;
  sim::HistoryRecorder::CallNumber call_ = 0;
  bool reading_ = false;
  uint64_t puts_ = 0;
};

class StoreSystem final : public sim::System {
 public:
  explicit StoreSystem(Mistake mistake = Mistake::kNone) : mistake_(mistake) {}

  absl::StatusOr<sim::Life> Boot(NodeId node, lockstep::storage::FileSystem& files,
                                 lockstep::Rng /*rng*/, const lockstep::Host& host) override {
    absl::StatusOr<sim::LogStorage> disk = sim::OpenLogStorage(files);
    if (!disk.ok()) return disk.status();
    sim::Life life;
    life.storage = std::move(disk->runner);
    if (node == kPrimary) {
      life.process = std::make_unique<Primary>(disk->recovered, host, mistake_);
    } else {
      life.process = std::make_unique<Backup>(disk->recovered, host, mistake_);
    }
    return life;
  }

  std::unique_ptr<sim::Client> MakeClient(uint16_t number, sim::ClientPort& port,
                                          lockstep::Rng rng) override {
    return std::make_unique<StoreClient>(number, port, rng, history_);
  }

  // Acknowledged means on both: what the primary has ever taken for confirmed, the backup has,
  // whatever has crashed since.
  void CheckInvariants(const sim::Servers& servers, sim::Findings& findings) override {
    const Primary* primary = servers.Live<Primary>(kPrimary);
    if (primary != nullptr) confirmed_ = std::max(confirmed_, primary->confirmed());
    const Backup* backup = servers.Live<Backup>(kBackup);
    if (backup == nullptr || backup->log().last() >= confirmed_) return;
    findings.Report("Acknowledged Means On Both",
                    absl::StrCat("puts up to ", confirmed_.value(),
                                 " were acknowledged, but the backup's log ends at ",
                                 backup->log().last().value()));
  }

  std::string WaitingFor(const sim::Servers& servers) const override {
    const Primary* primary = servers.Live<Primary>(kPrimary);
    const Backup* backup = servers.Live<Backup>(kBackup);
    if (primary == nullptr || backup == nullptr) return "both servers to be up";
    return primary->log().last() == backup->log().durable() ? "" : "equal logs";
  }

  void CheckAtEnd(const sim::Servers& /*servers*/, sim::Findings& findings) override {
    history_.CheckLinearizable(findings);
  }

  const sim::HistoryRecorder& history() const { return history_; }

 private:
  const Mistake mistake_;
  Index confirmed_;  // the most that any life of the primary has taken for confirmed
  sim::HistoryRecorder history_;
};

}  // namespace examples

#endif  // LOCKSTEP_TESTS_EXAMPLES_PRIMARY_BACKUP_STORE_SYSTEM_H_
