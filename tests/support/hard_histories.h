// Histories that are hard to judge: many clients at once, values that repeat, operations that stay
// open for ever. Made by a store that executes each call at one moment of its interval; or, with
// one answer spoilt, no longer explained by any order (most often).
#ifndef LOCKSTEP_TESTS_SUPPORT_HARD_HISTORIES_H_
#define LOCKSTEP_TESTS_SUPPORT_HARD_HISTORIES_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "sim/check/linearizability/history.h"

namespace lockstep::linearizability {

struct HardLoad {
  uint32_t operations = 2000;
  uint32_t clients = 50;
  uint32_t keys = 10;
  bool registers = false;  // read, write, cas of `values` numbers; otherwise get, put, append
  // Of registers; UINT32_MAX: each is written once. Otherwise how many texts a client has.
  uint32_t values = 5;
  bool swaps = true;          // of registers
  uint32_t open_percent = 0;  // of the writes
  bool bare = true;           // mismatches do not say what they found
  uint32_t reads_percent = 40;
  bool spoilt = false;
  // How soon a client goes on with its operation: in how many of a hundred turns. Small: wide.
  uint32_t haste_percent = 100;
};

class HardHistory {
 public:
  HardHistory(const HardLoad& load, uint64_t seed)
      : load_(load), rng_(seed), clients_(load.clients), held_(load.keys) {
    if (!load.registers) held_.assign(load.keys, Bytes());
    history_.initial = held_[0];
    for (Client& client : clients_) client.process = ++processes_;
  }

  History Run() {
    while (history_.operations.size() < load_.operations || busy_ > 0) {
      if (!lost_.empty() && rng_.Below(20) == 0) ExecuteLost();
      Client& client = clients_[rng_.Below(load_.clients)];
      ++time_;
      if (client.stage == Stage::kIdle) {
        if (history_.operations.size() < load_.operations) Invoke(client);
      } else if (rng_.Below(100) < load_.haste_percent) {
        GoOn(client);
      }
    }
    if (load_.spoilt) Spoil();
    return std::move(history_);
  }

 private:
  enum class Stage { kIdle, kInvoked, kExecuted };
  struct Client {
    Stage stage = Stage::kIdle;
    uint64_t process = 0;
    uint64_t calls = 0;
    size_t operation = 0;
    uint32_t key = 0;
  };
  struct Lost {
    size_t operation;
    uint32_t key;
  };

  Value Draw(const Client& client) {
    if (load_.registers && load_.values == UINT32_MAX) return Bytes::Copy(absl::StrCat(time_));
    if (load_.registers) return Bytes::Copy(absl::StrCat(rng_.Below(load_.values)));
    return Bytes::Copy(absl::StrCat("x ", client.process, " ", client.calls % load_.values, " y"));
  }

  void Invoke(Client& client) {
    client.stage = Stage::kInvoked;
    client.operation = history_.operations.size();
    client.key = static_cast<uint32_t>(rng_.Below(load_.keys));
    ++client.calls;
    ++busy_;
    Operation operation;
    operation.process = client.process;
    operation.key = Bytes::Copy(absl::StrCat(client.key));
    operation.invoked = Instant(Duration(time_));
    if (rng_.Below(100) >= load_.reads_percent) {
      const bool first = rng_.Below(2) == 0 || (load_.registers && !load_.swaps);
      operation.kind = first ? Kind::kPut : load_.registers ? Kind::kCompareAndSwap : Kind::kAppend;
      if (operation.kind == Kind::kCompareAndSwap) operation.expected = Draw(client);
      operation.value = Draw(client);
    }
    const bool lost = operation.kind != Kind::kGet && rng_.Below(100) < load_.open_percent;
    history_.operations.push_back(std::move(operation));
    if (!lost) return;
    lost_.push_back({client.operation, client.key});
    client.process = ++processes_;
    client.stage = Stage::kIdle;
    --busy_;
  }

  void GoOn(Client& client) {
    Operation& operation = history_.operations[client.operation];
    if (client.stage == Stage::kInvoked) {
      client.stage = Stage::kExecuted;
      return Execute(operation, held_[client.key]);
    }
    operation.returned = Instant(Duration(time_));
    client.stage = Stage::kIdle;
    --busy_;
  }

  // Some time after its client has given up, or never.
  void ExecuteLost() {
    const size_t i = rng_.Below(lost_.size());
    const Lost lost = lost_[i];
    lost_.erase(lost_.begin() + static_cast<std::ptrdiff_t>(i));
    if (rng_.Below(2) == 0) return;
    Operation& operation = history_.operations[lost.operation];
    Execute(operation, held_[lost.key]);
    operation.outcome = Outcome::kUnknown;
    operation.result.reset();
  }

  void Execute(Operation& operation, Value& held) {
    operation.outcome = Outcome::kDone;
    switch (operation.kind) {
      case Kind::kGet:
        operation.result = held;
        break;
      case Kind::kPut:
        held = operation.value;
        break;
      case Kind::kAppend:
        held = Bytes::Copy(absl::StrCat(held->view(), operation.value->view()));
        break;
      case Kind::kDelete:
        held.reset();
        break;
      case Kind::kCompareAndSwap:
        if (held == operation.expected) {
          held = operation.value;
          break;
        }
        operation.outcome = Outcome::kMismatch;
        operation.result_known = !load_.bare;
        if (!load_.bare) operation.result = held;
        break;
    }
  }

  // Somewhere in the second half a get answers what another one did, some time before.
  void Spoil() {
    std::vector<Operation>& all = history_.operations;
    const size_t begin = all.size() / 2 + rng_.Below(all.size() / 4);
    for (size_t i = begin; i < all.size(); ++i) {
      if (all[i].kind != Kind::kGet || all[i].open()) continue;
      for (size_t j = i - std::min<size_t>(i, 3 * load_.clients); j > 0; --j) {
        const Operation& other = all[j];
        if (other.kind != Kind::kGet || other.open() || other.key != all[i].key) continue;
        if (other.result == all[i].result) continue;
        all[i].result = other.result;
        return;
      }
    }
  }

  const HardLoad load_;
  Rng rng_;
  std::vector<Client> clients_;
  std::vector<Value> held_;  // by key
  std::vector<Lost> lost_;
  History history_;
  int64_t time_ = 0;
  uint64_t busy_ = 0;
  uint64_t processes_ = 0;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_TESTS_SUPPORT_HARD_HISTORIES_H_
