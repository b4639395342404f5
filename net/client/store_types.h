// What a Store's calls take and answer. All values.
#ifndef LOCKSTEP_NET_CLIENT_STORE_TYPES_H_
#define LOCKSTEP_NET_CLIENT_STORE_TYPES_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/client/router_options.h"

namespace lockstep::client {

enum class Consistency : uint8_t {
  kLinearizable,
  // From the table of one replica, without asking others: possibly old, also after a newer answer.
  // Answers are labelled (`stale`).
  kStale,
  // Linearizable too, from a replica that need not lead, RouterOptions::near first: it asks its
  // leader how far it must have applied the log.
  kFollower,
};

// How many operations one Store may have under way; the most a session's window allows.
inline constexpr uint32_t kStoreOutstandingMax = 256;

// The defaults of a Store's router.
inline RouterOptions StoreRouterOptions() {
  RouterOptions options;
  options.outstanding_max = kStoreOutstandingMax;
  return options;
}

// How a Store shows who it is, and knows whom it speaks to. All of it PEM but for the token.
struct Credentials {
  std::string authorities = {};  // that sign servers' certificates; empty: plain text
  std::string certificate = {};  // of this client; empty: it shows none
  std::string key = {};          // of the certificate
  std::string token = {};        // empty: none. In plain text whoever listens can read it
};

struct StoreOptions {
  // gRPC addresses (host:port) of any nodes of the cluster. One that answers is enough: it names
  // the others. At least one.
  std::vector<std::string> servers = {};
  // Of each call that names none of its own: it has ended by then, one way or the other.
  Duration timeout = std::chrono::seconds(10);
  // Of each read that names none of its own.
  Consistency consistency = Consistency::kLinearizable;
  // How to route and retry. `controller_nodes` is learnt from the servers and ignored here.
  // `unfinished_max` bounds the operations of this Store; more are refused (OVERLOADED).
  RouterOptions router = StoreRouterOptions();
  // Bytes of keys and values in the operations of this Store that are invoked and not completed;
  // more are refused (OVERLOADED), but for one operation alone.
  uint64_t unfinished_bytes_max = uint64_t{256} << 20;
  // Until a server counts as unreachable and the next one is asked.
  Duration connect_timeout = std::chrono::seconds(2);
  // Between two attempts to learn who the nodes are; doubles from the first to the second.
  Duration rediscover_min = std::chrono::milliseconds(50);
  Duration rediscover_max = std::chrono::seconds(2);
  Credentials credentials = {};
};

// InvalidArgument with what is wrong and what is allowed.
absl::Status ValidateStoreOptions(const StoreOptions& options);

// Of one call; what is absent comes from StoreOptions.
struct CallOptions {
  std::optional<Duration> timeout = {};
  std::optional<Consistency> consistency = {};  // of reads
};

// Takes the answer of an asynchronous call: called exactly once, on the library's one thread, so it
// must neither block nor make a synchronous call. It may make asynchronous ones.
template <class T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

struct GetResult {
  std::optional<std::string> value;  // none: there is no such key (an empty value is a value)
  uint64_t version = 0;              // of the shard's state it was read from; grows
  bool stale = false;                // not linearizable, as was asked
};

struct KeyValue {
  std::string key;
  std::string value;
};

struct GetManyResult {
  std::vector<KeyValue> pairs;  // those that exist, in the order asked for
  bool stale = false;
};

// Of Put, Append and Delete.
struct WriteResult {
  uint64_t version = 0;   // of the shard's state that it made
  bool replayed = false;  // the stored reply to an attempt whose own answer was lost
};

struct SwapResult {
  bool swapped = false;
  std::optional<std::string> actual;  // not swapped: what is there; none: the key is missing
  bool actual_omitted = false;        // replayed, and the value was too large to be kept
  uint64_t version = 0;
  bool replayed = false;
};

struct ListOptions {
  std::string prefix = {};        // only keys that begin with this
  std::string start = {};         // only keys at or after this
  uint32_t limit = 0;             // pairs in this page at most; 0: as many as a page holds (1000)
  std::string continuation = {};  // from an earlier page: go on behind it
  bool keys_only = false;         // values are left empty
};

// All shards, ascending keys; each key as it was at some moment of the call. A page may end early.
struct ListPage {
  std::vector<KeyValue> pairs;
  std::string continuation;  // empty: there is no more
  bool stale = false;
};

// One write of a batch or a bulk.
struct Write {
  enum class Kind : uint8_t { kPut, kAppend, kDelete, kCompareAndSwap };
  Kind kind = Kind::kPut;
  std::string key = {};
  std::optional<std::string> value = {};     // kCompareAndSwap: none deletes the key
  std::optional<std::string> expected = {};  // kCompareAndSwap: none: the key must be missing

  static Write Put(std::string key, std::string value);
  static Write Append(std::string key, std::string value);
  static Write Delete(std::string key);
  static Write CompareAndSwap(std::string key, std::optional<std::string> expected,
                              std::optional<std::string> value);
};

struct BatchResult {
  bool committed = false;     // all of them executed; otherwise none
  uint32_t failed_write = 0;  // not committed: whose comparison failed, from 0
  uint64_t version = 0;
  bool replayed = false;
};

// What became of one write of a bulk.
struct WriteOutcome {
  enum class Kind : uint8_t {
    kExecuted,
    kConflict,     // executed: the comparison failed
    kNotExecuted,  // certainly, now and later
    kUnknown,      // executed once, or not, or later still
  };
  Kind kind = Kind::kUnknown;
  absl::Status status;  // OK exactly when kExecuted or kConflict
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_STORE_TYPES_H_
