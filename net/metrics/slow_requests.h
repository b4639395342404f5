// Requests that took long, each told in one line of the log with where its time went
// (docs/operations.md).
//
// A key is told as its shard and a digest: lines about one key can be found together, and what
// callers keep secret in keys and values is in no log.
#ifndef LOCKSTEP_NET_METRICS_SLOW_REQUESTS_H_
#define LOCKSTEP_NET_METRICS_SLOW_REQUESTS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "net/log.h"

namespace lockstep::net {

class RequestTimer;

// Thread-safe.
class SlowRequests {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr uint64_t kLinesPerSecondMax = 10;

  // What takes `after` is slow; 0: nothing is.
  SlowRequests(Duration after, LogSink log);
  // How many the cluster has. Until it is known no line tells a shard.
  void SetShards(uint32_t shards) { shards_ = shards; }

  bool wanted() const { return after_ > Duration(0); }
  uint32_t shards() const { return shards_; }
  // Tells of a request that was answered now, if it was slow. At most kLinesPerSecondMax in a
  // second; the next line then says how many were left out before it.
  void Answered(absl::string_view api, absl::string_view method, absl::string_view status,
                const RequestTimer& timer, Time now);

 private:
  // How many were left out since the last line; none: this one is, too.
  bool Admit(Time now, uint64_t* left_out);

  const Duration after_;
  std::atomic<uint32_t> shards_{0};
  const LogSink log_;
  std::mutex mutex_;  // over all below
  Time window_;       // the second that is counted
  uint64_t lines_ = 0;
  uint64_t left_out_ = 0;
};

// Where a front's request spends its time: with the front before its first call of the service and
// after its last one, and in between what replies say of themselves. One thread at a time.
class RequestTimer {
 public:
  using Time = SlowRequests::Time;
  // `slow` outlives it; null: nobody wants to know.
  RequestTimer(Time began, const SlowRequests* slow)
      : slow_(slow != nullptr && slow->wanted() ? slow : nullptr), began_(began) {}

  Time began() const { return began_; }
  // A call of the service begins, and the last that has begun has this reply. Of several at once:
  // the first request and the last reply. They are looked through, not parsed.
  void Asked(Time now, const Bytes& request);
  void Replied(Time now, const Bytes& reply);

 private:
  friend class SlowRequests;
  // As GatewayReply and Stages tell them (core/proto), of all replies.
  struct Stages {
    uint64_t route = 0;
    uint64_t hop = 0;
    uint64_t queue = 0;
    uint64_t log = 0;
    uint64_t replicate = 0;
    uint64_t apply = 0;
    uint64_t barrier = 0;
    uint64_t read = 0;
    uint64_t Sum() const { return route + hop + queue + log + replicate + apply + barrier + read; }
  };
  struct Key {
    uint64_t digest = 0;
    std::optional<ShardId> shard;
  };

  const SlowRequests* slow_;
  Time began_;
  std::optional<Time> asked_;    // first
  std::optional<Time> waiting_;  // for a reply, since then
  Duration inside_{0};           // the service, in calls that were answered
  Stages stages_;                // of these, in microseconds
  std::optional<Key> key_;       // the first that was asked for
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_METRICS_SLOW_REQUESTS_H_
