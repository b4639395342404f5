// Clients that keep a cluster busy while things go wrong, each a thread of its own, through all
// doors: they read, put, append, delete, and compare and swap on a few keys that they share, and
// append words to others, which must all be there in the end.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_LOAD_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_LOAD_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/rng.h"
#include "tests/system/support/real_cluster.h"
#include "tests/system/support/recorder.h"

namespace lockstep::system {

struct LoadOptions {
  uint32_t clients = 6;  // the doors take turns
  uint32_t shared_keys = 6;
  uint32_t word_keys = 4;
  uint64_t seed = 1;
  Duration pause_max = std::chrono::milliseconds(10);  // between two calls of a client
  Duration timeout = kCallTimeout;                     // of a call
  std::string prefix = "";                             // of all keys: another load, other keys
};

class Load {
 public:
  // Begins now. `cluster` outlives it; its processes may come and go meanwhile.
  Load(RealCluster& cluster, const LoadOptions& options);
  ~Load();  // stops
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Nothing new is begun; what is under way ends.
  void Stop();
  // Stops and judges: every key is read once more, the history must be linearizable, every word
  // that was acknowledged is there once. Everything must work again.
  void StopAndJudge();

  // Calls that were answered so far.
  uint64_t answered() const { return answered_.load(); }
  // Fails the test unless so many more are answered in time.
  void ExpectProgress(uint64_t calls = 30, Duration within = kSettlePatience);
  // The longest time in which no call was answered, so far.
  Duration longest_gap() const { return Duration(longest_gap_.load()); }
  CallCounters counters() const { return recorder_.counters(); }

 private:
  struct Worker {
    uint32_t number = 0;
    Rng rng = Rng(0);
    std::unique_ptr<RecordedClient> client;
    std::map<std::string, Words> words;  // by key
    std::map<std::string, std::optional<std::string>> last_seen;
    uint64_t last_word = 0;
    std::thread thread;
  };
  std::unique_ptr<RecordedClient> NewClient(DoorKind kind, size_t first);
  void Run(Worker& worker);
  absl::Status Next(Worker& worker);
  absl::Status WorkOnShared(Worker& worker);
  absl::Status AppendWord(Worker& worker);
  absl::Status Read(Worker& worker, const std::string& key);
  std::string SharedKey(uint64_t number) const;
  std::string WordKey(uint64_t number) const;
  void NoteAnswer();
  void ReadBack();

  RealCluster& cluster_;
  const LoadOptions options_;
  Recorder recorder_;
  std::atomic<bool> stopped_{false};
  std::atomic<uint64_t> answered_{0};
  std::atomic<int64_t> last_answer_;
  std::atomic<int64_t> longest_gap_{0};
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_LOAD_H_
