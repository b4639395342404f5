#include "tests/scenario/support/load.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace lockstep::scenario {
namespace {

// A client that a fault has hit hard may take its time, but not for ever.
constexpr Duration kStopPatience = 2 * kPatience;
constexpr uint64_t kSharedKeys = 5;

}  // namespace

struct Load::Worker {
  Worker(Client& its_client, uint16_t its_number, Rng its_rng)
      : client(its_client), number(its_number), rng(its_rng) {}

  Client& client;
  const uint16_t number;
  Rng rng;
  std::string written;  // Keys::kOwn: what its key holds
  uint64_t words = 0;
  uint64_t executed = 0;
  bool reading = false;

  std::string key() const { return absl::StrCat("client ", number); }
  std::string Word() { return absl::StrCat("x ", number, " ", words++, " y"); }
};

Load::Load(Stage& stage, Keys keys, Duration pause_max)
    : stage_(stage), keys_(keys), pause_max_(pause_max) {
  for (uint16_t i = 0; i < stage.clients(); ++i) {
    workers_.push_back(std::make_unique<Worker>(stage.client(i), i, stage.rng().Split("load", i)));
    Worker& worker = *workers_.back();
    worker.client.on_done = [this, &worker](const Pending& pending) { OnDone(worker, pending); };
    Next(worker);
  }
}

Load::~Load() { Stop(); }

void Load::Next(Worker& worker) {
  if (stopped_) return;
  const std::string drawn_key = absl::StrCat("shared ", worker.rng.Below(kSharedKeys));
  const std::string key = keys_ == Keys::kOwn ? worker.key() : drawn_key;
  const uint64_t choice = worker.rng.Below(keys_ == Keys::kOwn ? 10 : 13);
  worker.reading = choice < 5;
  if (choice < 5) {
    worker.client.GetSoon(key);
  } else if (choice < 10) {
    const std::string word = worker.Word();
    worker.written += word;
    worker.client.AppendSoon(key, word);
  } else if (choice < 12) {
    worker.client.PutSoon(key, worker.Word());
  } else {
    worker.client.DeleteSoon(key);
  }
}

void Load::OnDone(Worker& worker, const Pending& pending) {
  EXPECT_TRUE(pending.ok()) << pending.what() << ": " << pending.outcome().status;
  if (pending.ok()) {
    ++worker.executed;
    if (keys_ == Keys::kOwn && worker.reading) {
      EXPECT_EQ(pending.value().value_or(""), worker.written);
    }
  }
  const Duration pause = worker.rng.Between(Duration(0), pause_max_);
  worker.client.Later(pause, [this, &worker] { Next(worker); });
}

void Load::Stop() {
  if (stopped_) return;
  stopped_ = true;
  const auto idle = [&] {
    return std::all_of(workers_.begin(), workers_.end(),
                       [](const auto& worker) { return worker->client.Done(); });
  };
  const bool stopped = stage_.RunUntil(idle, kStopPatience);
  EXPECT_TRUE(stopped || stage_.broken()) << "clients still wait";
  for (const auto& worker : workers_) {
    worker->client.on_done = nullptr;
    worker->client.Later(Duration(0), [] {});  // In place of the operation that would be next.
  }
}

uint64_t Load::executed_by_slowest() const {
  uint64_t least = UINT64_MAX;
  for (const auto& worker : workers_) least = std::min(least, worker->executed);
  return least;
}

void Load::ExpectEveryWordOnce() {
  for (const auto& worker : workers_) {
    EXPECT_EQ(worker->client.Get(worker->key()).value_or(""), worker->written);
  }
}

}  // namespace lockstep::scenario
