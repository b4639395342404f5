// Records what clients of real processes ask and are answered, while they do; the simulator's own
// checker judges it.
//
// Calls whose outcome nobody knows stay open for ever, and their clients go on under new numbers.
// Calls that certainly had no effect are left out. The times of a history are numbers handed out in
// order, so that what followed also follows in the history.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_RECORDER_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_RECORDER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sim/check/linearizability/history.h"
#include "tests/system/support/door.h"
#include "tests/system/support/workspace.h"

namespace lockstep::system {

// How calls ended.
struct CallCounters {
  uint64_t reads = 0;         // answered
  uint64_t writes = 0;        // executed
  uint64_t not_executed = 0;  // certainly; and reads without an answer
  uint64_t unknown = 0;
  std::map<std::string, uint64_t> errors = {};  // by their codes
};
std::string Describe(const CallCounters& counters);

// Thread-safe.
class Recorder {
 public:
  uint64_t NewProcess() { return ++processes_; }
  // Of the invocations and returns of one key, each is another number.
  Instant Tick() { return Instant(Duration(++ticks_)); }
  // As invoked; ends now, with what `status` says. A Get that was answered and a swap that was
  // executed have their results in it already. False: its process must not go on.
  bool Return(linearizability::Operation operation, const absl::Status& status);

  CallCounters counters() const;
  linearizability::History history() const;
  // Forgets the operations: what has been judged.
  void Clear();

 private:
  std::atomic<uint64_t> processes_{0};
  std::atomic<int64_t> ticks_{0};
  mutable std::mutex mutex_;
  linearizability::History history_;  // guarded by mutex_
  CallCounters counters_;             // likewise
};

// A client of its own: a door, which several may share, and all that goes through it recorded. One
// thread at a time.
class RecordedClient {
 public:
  // `recorder` outlives it.
  RecordedClient(std::shared_ptr<Door> door, Recorder& recorder)
      : door_(std::move(door)), recorder_(recorder), process_(recorder.NewProcess()) {}

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key);
  absl::Status Put(const std::string& key, const std::string& value);
  absl::Status Append(const std::string& key, const std::string& value);
  absl::Status Delete(const std::string& key);
  absl::StatusOr<Swap> CompareAndSwap(const std::string& key,
                                      const std::optional<std::string>& expected,
                                      const std::optional<std::string>& value);

 private:
  linearizability::Operation Begin(linearizability::Kind kind, const std::string& key) const;
  void End(linearizability::Operation operation, const absl::Status& status);

  const std::shared_ptr<Door> door_;
  Recorder& recorder_;
  uint64_t process_;
};

// Fails the test unless the history is linearizable; then writes it, and a page that shows it, into
// the workspace.
void ExpectLinearizable(const linearizability::History& history, Workspace& workspace);

// Words that were appended to a key, each once and by one client, by what became of the call. They
// end with ';'.
struct Words {
  std::vector<std::string> acknowledged = {};
  std::vector<std::string> unknown = {};
  std::map<std::string, std::string> refused = {};  // certainly not executed; and why

  void Note(const std::string& word, const absl::Status& status);
  void Add(const Words& others);
};

// Fails the test unless every acknowledged word is in the value once, every word of unknown fate at
// most once, and nothing else.
void ExpectWordsOnce(const std::string& key, const std::string& value, const Words& words);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_RECORDER_H_
