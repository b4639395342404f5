// What the clients of a run ask for: draws operations from the mix, with keys, values and
// expectations, until the run's budget of operations is used up.
#ifndef LOCKSTEP_SIM_WORKLOAD_OPERATION_SOURCE_H_
#define LOCKSTEP_SIM_WORKLOAD_OPERATION_SOURCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "sim/workload/workload_options.h"

namespace lockstep::sim {

// Where a List goes on: the server's continuation, and the last key that it had answered.
struct ListPosition {
  std::string prefix;
  std::string after;
  std::string continuation;
};

// The two keys of a pair share the tag of their name: "{p0}".
std::string PairName(size_t pair);
// The name of the pair that a key belongs to; empty: none.
absl::string_view PairOf(absl::string_view key);

struct PlannedOperation {
  std::variant<proto::Command, proto::Query> body;
  Duration deadline;                 // from now
  std::optional<ListPosition> page;  // a List that goes on
  bool misplaced = false;            // a Batch over several shards
  bool bulk = false;                 // its Batch is no batch: each operation for itself
};

class OperationSource {
 public:
  OperationSource(const WorkloadOptions& options, Rng rng);

  // Nothing is left, or the source was stopped: nullopt. `client` marks the values it writes.
  // `page`: the process's last List was not at its end; one time in two the next operation goes on.
  std::optional<PlannedOperation> Next(uint64_t client, const std::optional<ListPosition>& page);
  void Stop() { left_ = 0; }
  bool only_reads(uint64_t client) const { return client <= options_.readers; }
  bool exhausted() const { return left_ == 0; }
  uint64_t issued() const { return issued_; }

  // The final round: a write of a unique value, and a read of the key number `key`.
  PlannedOperation FinalWrite(uint64_t client);
  PlannedOperation FinalRead(const std::string& key) const;
  PlannedOperation FinalPairRead(size_t pair) const;
  // A planned operation of this client, if it is a read, may now and then take any state.
  void MaybeStale(uint64_t client, PlannedOperation* planned);
  // The same for one that any replica may answer; `often`: in any run, and most of its reads.
  void MaybeAnyReplica(bool often, PlannedOperation* planned);

  Duration ThinkTime(Instant now);
  // Until then nobody thinks for longer than `think_max`: something is about to happen that only
  // operations can bring to light.
  void Hurry(Instant until, Duration think_max);
  // How long after its beginning an operation makes its client forget everything, if it does.
  std::optional<Duration> RestartAfter();

  // A key held this value: a CompareAndSwap may expect it.
  void OnValueSeen(const std::string& key, std::optional<std::string> value);
  // The same of a pair.
  void OnPairSeen(const std::string& tag, std::optional<std::string> value);
  // All keys of the run but those of pairs, ascending.
  const std::vector<std::string>& keys() const { return keys_; }
  size_t pairs() const { return pairs_seen_.size(); }

 private:
  size_t DrawKey();
  std::string DrawValue(uint64_t client);
  proto::Command DrawCompareAndSwap(uint64_t client);
  proto::Query DrawList();
  proto::Command DrawBulk(uint64_t client);
  proto::BatchOperation DrawBulkPart(size_t key, uint64_t client);
  proto::Command DrawBatch(uint64_t client);
  proto::Query ReadPair(size_t pair) const;
  proto::Query DrawSeveral();
  std::optional<proto::Command> DrawMisplaced(uint64_t client);
  Duration DrawDeadline();

  const WorkloadOptions options_;
  Rng rng_;
  Rng stale_rng_;
  Rng any_replica_rng_;
  uint64_t left_;
  uint64_t issued_ = 0;
  Instant hurry_until_{};
  Duration hurry_think_max_{0};
  uint64_t values_ = 0;  // written so far; numbers them
  std::vector<std::string> keys_;
  std::vector<std::optional<std::string>> seen_;  // by key: what was read last
  std::vector<std::optional<std::string>> pairs_seen_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_OPERATION_SOURCE_H_
