// Two-phase commit as the simulator runs it: servers at boot, clients, and what must hold.
#ifndef LOCKSTEP_TESTS_EXAMPLES_TWO_PHASE_COMMIT_COMMIT_SYSTEM_H_
#define LOCKSTEP_TESTS_EXAMPLES_TWO_PHASE_COMMIT_COMMIT_SYSTEM_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/framework/log_storage.h"
#include "sim/framework/sequential_client.h"
#include "sim/framework/system.h"
#include "tests/examples/two_phase_commit/commit.h"

namespace examples {

namespace sim = lockstep::sim;

// All that anybody was ever told about each transaction. The first word counts.
class Outcomes {
 public:
  void Add(const std::string& transaction, bool commit, const std::string& who) {
    const auto [known, first] = told_.emplace(transaction, Told{commit, who});
    if (first || known->second.commit == commit || !conflict_.empty()) return;
    conflict_ = absl::StrCat("transaction ", transaction, " was ", Name(commit), " for ", who,
                             " and ", Name(known->second.commit), " for ", known->second.who);
  }
  // Empty: there is none.
  const std::string& conflict() const { return conflict_; }

 private:
  struct Told {
    bool commit;
    std::string who;
  };
  static const char* Name(bool commit) { return commit ? "committed" : "aborted"; }

  std::map<std::string, Told> told_;
  std::string conflict_;
};

// Begins transactions, one after the other.
class CommitClient final : public sim::SequentialClient {
 public:
  CommitClient(uint16_t number, sim::ClientPort& port, lockstep::Rng rng, Outcomes& outcomes)
      : SequentialClient({.calls = 60}, port, rng), number_(number), outcomes_(outcomes) {}

 private:
  Call NextCall() override {
    transaction_ = absl::StrCat(number_, ".", ++begun_);
    const std::string text = absl::StrCat("begin ", transaction_);
    return {.server = kCoordinator, .request = Bytes::Copy(text), .text = text};
  }
  bool OnAnswer(const Bytes& reply) override {
    if (reply.view() == "busy") return false;
    outcomes_.Add(transaction_, reply.view() == "committed", absl::StrCat("client ", number_));
    return true;
  }
  void OnSilence() override {}  // It will never know.

  const uint16_t number_;
  Outcomes& outcomes_;
  std::string transaction_;
  uint64_t begun_ = 0;
};

class CommitSystem final : public sim::System {
 public:
  static constexpr uint16_t kParticipants = 3;
  static constexpr uint16_t kServers = kParticipants + 1;

  explicit CommitSystem(CommitMistake mistake = CommitMistake::kNone)
      : mistake_(mistake), seen_(kServers + 1) {}

  absl::StatusOr<sim::Life> Boot(NodeId node, lockstep::storage::FileSystem& files,
                                 lockstep::Rng rng, const lockstep::Host& host) override {
    absl::StatusOr<sim::LogStorage> disk = sim::OpenLogStorage(files);
    if (!disk.ok()) return disk.status();
    sim::Life life;
    life.storage = std::move(disk->runner);
    if (node == kCoordinator) {
      life.process = std::make_unique<Coordinator>(disk->recovered, host, kParticipants, mistake_);
    } else {
      life.process = std::make_unique<Participant>(disk->recovered, host, rng, mistake_);
    }
    return life;
  }

  std::unique_ptr<sim::Client> MakeClient(uint16_t number, sim::ClientPort& port,
                                          lockstep::Rng rng) override {
    return std::make_unique<CommitClient>(number, port, rng, outcomes_);
  }

  void CheckInvariants(const sim::Servers& servers, sim::Findings& findings) override {
    for (uint16_t id = 2; id <= kServers; ++id) {
      const Participant* participant = servers.Live<Participant>(NodeId(id));
      if (participant != nullptr) Look(id, *participant, findings);
    }
    if (outcomes_.conflict().empty()) return;
    findings.Report("Atomicity", outcomes_.conflict());
  }

  // Blocking is allowed while the coordinator is down; once faults stop, everything is decided.
  std::string WaitingFor(const sim::Servers& servers) const override {
    for (uint16_t id = 2; id <= kServers; ++id) {
      const Participant* participant = servers.Live<Participant>(NodeId(id));
      if (participant == nullptr) return absl::StrCat("server ", id, " to be up");
      if (participant->prepared().empty()) continue;
      return absl::StrCat("a decision on ", *participant->prepared().begin(), " at server ", id);
    }
    return "";
  }

 private:
  // What a participant has decided it has decided for ever, over all its restarts.
  void Look(uint16_t id, const Participant& participant, sim::Findings& findings) {
    const std::vector<Participant::Decision>& now = participant.decisions();
    size_t& seen = seen_[id];
    if (now.size() < seen) {
      findings.Report("Decisions Last", absl::StrCat("server ", id, " had decided ", seen,
                                                     " transactions and knows ", now.size()));
    }
    for (; seen < now.size(); ++seen) {
      outcomes_.Add(now[seen].transaction, now[seen].commit, absl::StrCat("server ", id));
    }
  }

  const CommitMistake mistake_;
  Outcomes outcomes_;
  std::vector<size_t> seen_;  // by server: how many of its decisions we have looked at
};

}  // namespace examples

#endif  // LOCKSTEP_TESTS_EXAMPLES_TWO_PHASE_COMMIT_COMMIT_SYSTEM_H_
