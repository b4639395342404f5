// What the load generator sends operations to: our cluster by one protocol or the other, or another
// system that is measured beside it.
#ifndef LOCKSTEP_BIN_BENCH_TARGET_H_
#define LOCKSTEP_BIN_BENCH_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "net/client/store_types.h"

namespace lockstep::bench {

enum class Kind : uint8_t { kPut, kGet, kAppend, kDelete, kCas, kList };
inline constexpr size_t kKinds = 6;
const char* NameOf(Kind kind);  // "put"

struct Operation {
  Kind kind = Kind::kGet;
  std::string key;
  std::string value;        // of a cas: expected and new value alike
  bool keep_value = false;  // a get's outcome is to hold what was read
};

struct Outcome {
  enum class Kind : uint8_t {
    kOk,
    kConflict,     // a cas found another value: an answer
    kMissing,      // there is no such key: an answer
    kNotExecuted,  // certainly
    kUnknown,      // executed or not
  };
  Kind kind = Kind::kOk;
  std::string reason;                     // of the last two: a short, stable name
  std::optional<std::string> value = {};  // of a get that keeps it
  bool answered() const { return kind < Kind::kNotExecuted; }
};
using Done = absl::AnyInvocable<void(Outcome)>;

// Thread-safe.
class Target {
 public:
  virtual ~Target() = default;
  // Calls `done` exactly once, on any thread, before the target's own timeout; never waits.
  virtual void Start(const Operation& operation, Done done) = 0;
  // How often the servers have synced their logs, all together; none: it cannot be told. Waits.
  virtual std::optional<uint64_t> LogSyncs() { return std::nullopt; }
};

// One connection each of `connections`, so that a load can be spread over them.
struct TargetOptions {
  std::vector<std::string> servers;  // host:port
  Duration timeout = std::chrono::seconds(10);
  client::Credentials credentials = {};
  bool stale = false;        // reads may be old
  bool any_replica = false;  // reads need not come from a leader
  size_t connections = 1;
  size_t outstanding = 1;     // of all connections; what is over it waits its turn
  uint32_t list_limit = 100;  // keys in the answer to a list
};
using Targets = std::vector<std::unique_ptr<Target>>;

// Waits until a server answers.
absl::StatusOr<Targets> OpenGrpcTargets(const TargetOptions& options);
absl::StatusOr<Targets> OpenHttpTargets(const TargetOptions& options);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_TARGET_H_
