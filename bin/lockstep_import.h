// Bringing many pairs into a cluster: batches, several at a time, repeated until each is there.
//
// A put that may have been executed may be repeated, so an import ends with every pair there, or
// says from where to go on. Lines are taken in order; the same key in two lines is never under way
// twice at the same time, so the later line wins.
#ifndef LOCKSTEP_BIN_LOCKSTEP_IMPORT_H_
#define LOCKSTEP_BIN_LOCKSTEP_IMPORT_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "bin/lockstep_api.h"

namespace lockstep::bin {

struct ImportOptions {
  uint32_t outstanding = 8;                     // batches under way
  uint32_t pairs_max = 500;                     // of one batch
  uint64_t bytes_max = uint64_t{1} << 20;       // likewise; a larger pair is a batch of its own
  Duration patience = std::chrono::minutes(1);  // without any progress of a batch, until it fails
};

// Add and Finish from one thread; the others are the importer's own.
class Importer {
 public:
  Importer(Api& api, const ImportOptions& options);
  ~Importer();
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  // `end` is the place in the input behind this pair: what Done() says when it and all before are
  // there. Waits while too much is under way. An error is that of a batch that has failed for
  // good: nothing more is taken.
  absl::Status Add(std::string key, std::string value, uint64_t end);
  // Waits for all that was added.
  absl::Status Finish();

  // Everything before this place of the input is in the cluster. Thread-safe, like the next.
  uint64_t done_until() const;
  uint64_t pairs() const;  // that are there

 private:
  struct Batch {
    v1::BatchRequest request;
    std::set<std::string> keys;
    uint64_t bytes = 0;
    uint64_t begin = 0;  // places in the input
    uint64_t end = 0;
  };

  void Work();
  absl::Status Send(Batch& batch);
  absl::Status Submit();

  Api& api_;
  const ImportOptions options_;
  Batch open_;  // of the adding thread

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  std::deque<Batch*> queue_;
  std::map<uint64_t, Batch> batches_;  // by end: queued or under way
  std::map<std::string, int> keys_;    // of these
  uint64_t submitted_until_ = 0;
  uint64_t pairs_ = 0;
  bool closing_ = false;
  absl::Status status_;
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_IMPORT_H_
