#include "tests/system/support/load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::system {

Load::Load(RealCluster& cluster, const LoadOptions& options)
    : cluster_(cluster), options_(options), last_answer_(Now().time_since_epoch().count()) {
  const Rng root(options.seed);
  for (uint32_t number = 0; number < options.clients; ++number) {
    auto worker = std::make_unique<Worker>();
    worker->number = number;
    worker->rng = root.Split("worker", number);
    worker->client = NewClient(kAllDoors[number % std::size(kAllDoors)], number);
    workers_.push_back(std::move(worker));
  }
  for (const auto& worker : workers_) {
    worker->thread = std::thread([this, &it = *worker] { Run(it); });
  }
}

Load::~Load() { Stop(); }

std::unique_ptr<RecordedClient> Load::NewClient(DoorKind kind, size_t first) {
  DoorOptions door;
  door.kind = kind;
  door.grpc = cluster_.GrpcAddresses();
  door.http = cluster_.HttpAddresses();
  door.first = first;
  door.timeout = options_.timeout;
  return std::make_unique<RecordedClient>(OpenDoor(door), recorder_);
}

void Load::Stop() {
  stopped_ = true;
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

std::string Load::SharedKey(uint64_t number) const {
  return absl::StrCat(options_.prefix, "shared-", number);
}

std::string Load::WordKey(uint64_t number) const {
  return absl::StrCat(options_.prefix, "words-", number);
}

// --- A client's work

void Load::Run(Worker& worker) {
  // A node that refuses at once must not be asked in a tight loop.
  constexpr std::chrono::milliseconds kAfterFailure{20};
  while (!stopped_) {
    const absl::Status status = Next(worker);
    if (status.ok()) NoteAnswer();
    SleepFor(status.ok() ? worker.rng.Between(Duration(0), options_.pause_max)
                         : Duration(kAfterFailure));
  }
}

absl::Status Load::Next(Worker& worker) {
  constexpr uint64_t kOneIn = 3;
  if (worker.rng.Below(kOneIn) == 0) return AppendWord(worker);
  return WorkOnShared(worker);
}

absl::Status Load::Read(Worker& worker, const std::string& key) {
  auto answer = worker.client->Get(key);
  if (answer.ok()) worker.last_seen[key] = *answer;
  return answer.status();
}

absl::Status Load::WorkOnShared(Worker& worker) {
  const std::string key = SharedKey(worker.rng.Below(options_.shared_keys));
  const std::string word = absl::StrCat("c", worker.number, ".", ++worker.last_word, ";");
  enum { kGet = 5, kPut = 7, kAppend = 9, kSwap = 11, kDelete = 12 };
  const uint64_t choice = worker.rng.Below(kDelete);
  if (choice < kGet) return Read(worker, key);
  if (choice < kPut) return worker.client->Put(key, word);
  if (choice < kAppend) return worker.client->Append(key, word);
  if (choice < kSwap) {
    const auto swap = worker.client->CompareAndSwap(key, worker.last_seen[key], word);
    if (swap.ok()) worker.last_seen[key] = swap->swapped ? word : swap->actual;
    return swap.status();
  }
  return worker.client->Delete(key);
}

absl::Status Load::AppendWord(Worker& worker) {
  const std::string key = WordKey(worker.rng.Below(options_.word_keys));
  constexpr uint64_t kReadOneIn = 4;
  if (worker.rng.Below(kReadOneIn) == 0) return Read(worker, key);
  const std::string word = absl::StrCat("w", worker.number, ".", ++worker.last_word, ";");
  const absl::Status status = worker.client->Append(key, word);
  worker.words[key].Note(word, status);
  return status;
}

void Load::NoteAnswer() {
  const int64_t now = Now().time_since_epoch().count();
  const int64_t gap = now - last_answer_.exchange(now);
  int64_t longest = longest_gap_.load();
  while (gap > longest && !longest_gap_.compare_exchange_weak(longest, gap)) continue;
  ++answered_;
}

// --- Verdicts

void Load::ExpectProgress(uint64_t calls, Duration within) {
  const uint64_t before = answered();
  const bool enough = WaitUntil([&] { return answered() >= before + calls; }, within);
  EXPECT_TRUE(enough) << answered() - before << " calls were answered in "
                      << std::chrono::duration_cast<std::chrono::seconds>(within).count()
                      << " s; so far " << Describe(counters());
}

void Load::ReadBack() {
  const std::unique_ptr<RecordedClient> reader = NewClient(DoorKind::kLibrary, 0);
  const auto read = [&](const std::string& key) {
    absl::StatusOr<std::optional<std::string>> answer;
    const bool done = WaitUntil(
        [&] {
          answer = reader->Get(key);
          return answer.ok();
        },
        kSettlePatience);
    EXPECT_TRUE(done) << key << ": " << answer.status();
    return done ? answer->value_or("") : "";
  };
  for (uint32_t i = 0; i < options_.shared_keys; ++i) read(SharedKey(i));
  for (uint32_t i = 0; i < options_.word_keys; ++i) {
    Words all;
    const std::string key = WordKey(i);
    for (const auto& worker : workers_) all.Add(worker->words[key]);
    ExpectWordsOnce(key, read(key), all);
  }
}

void Load::StopAndJudge() {
  Stop();
  ReadBack();
  ExpectLinearizable(recorder_.history(), cluster_.workspace());
  const CallCounters counts = counters();
  EXPECT_GT(counts.writes, 0u);
  EXPECT_GT(counts.reads, 0u);
  std::cout << "  " << Describe(counts) << "; longest gap "
            << std::chrono::duration_cast<std::chrono::milliseconds>(longest_gap()).count()
            << " ms\n"
            << std::flush;
}

}  // namespace lockstep::system
