// The history of a run: every operation is invoked once and returns once, or stays open for ever.
// What certainly had no effect is left out. A List is recorded as a Get of every key it covers. A
// pair of keys, which only batches write, is one key of the history; a read that shows half of a
// batch is remembered as such.
//
// Times are virtual times made strictly increasing, so that what followed also follows in the
// history, and the history reads like the trace.
#ifndef LOCKSTEP_SIM_WORKLOAD_RECORDER_H_
#define LOCKSTEP_SIM_WORKLOAD_RECORDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/client/events.h"
#include "core/proto/client.pb.h"
#include "sim/check/command_identity.h"
#include "sim/check/linearizability/history.h"
#include "sim/workload/operation_source.h"

namespace lockstep::sim {

// How the operations of a run ended.
struct OperationCounters {
  uint64_t reads = 0;         // answered, with a List as one
  uint64_t writes = 0;        // executed
  uint64_t swaps_failed = 0;  // executed, and the key did not hold what was expected
  uint64_t not_executed = 0;  // certainly
  uint64_t unknown = 0;
  uint64_t no_space = 0;  // of those that were certainly not executed: for want of space
  uint64_t replayed = 0;  // writes whose answer was the stored one
  uint64_t restarts = 0;  // of clients
  uint64_t stale_reads = 0;
  uint64_t any_replica_reads = 0;
  uint64_t through_gateways = 0;  // answered
};

// Where a command took effect in the committed log; none: nowhere.
using FirstOf = absl::FunctionRef<Index(const CommandIdentity&)>;
// Where commands that ask for the same, whoever asked, took effect; ascending.
using ExecutionsOf = absl::FunctionRef<std::vector<Index>(const CommandIdentity&)>;

class Recorder {
 public:
  // An operation between its invocation and its return.
  struct Open {
    uint64_t process = 0;
    PlannedOperation planned;
    Instant invoked;
    CommandIdentity command;       // of a write that was sent: the last name it went by
    bool by_gateway = false;       // it was sent to one
    std::vector<Open> parts = {};  // of a bulk: each a write of a process of its own
  };

  // `keys`: the whole key space, ascending; outlives the recorder. `shards`: into which they fall;
  // 0: there are none.
  explicit Recorder(const std::vector<std::string>& keys, uint32_t shards = 0)
      : keys_(keys), shards_(shards) {}
  // The newest version of a shard right now. Unless it is set, stale reads are not kept.
  void set_newest_version(std::function<Index(uint32_t shard)> newest) {
    newest_ = std::move(newest);
  }

  uint64_t NewProcess() { return ++processes_; }
  Open Invoke(Instant now, uint64_t process, PlannedOperation planned);
  void Return(Instant now, const Open& open, const client::Outcome& outcome);
  // A write was sent, or a part of one, as this request.
  void NoteName(const Bytes& request, Open* open) const;
  // The client forgot it: it may take effect at any later time.
  void Abandon(const Open& open);
  void CountRestart() { ++counters_.restarts; }

  const linearizability::History& history() const { return history_; }
  // Adds to a copy of the history what is still under way: it may take effect at any later time.
  void AppendOpen(const Open& open, linearizability::History* history) const;
  // The history with what the committed log says of open operations: where they took effect, as a
  // witness; those that the log does not have are left out. If this is linearizable then so is
  // the history, for an open operation may take effect or not. The reverse does not hold.
  linearizability::History HistoryByLog(FirstOf first_of, ExecutionsOf executions_of) const;
  // The same, where every command has a name.
  linearizability::History HistoryByLog(FirstOf first_of) const {
    return HistoryByLog(first_of, [](const CommandIdentity&) { return std::vector<Index>(); });
  }

  // A write that was answered, and the log index at which the answer says that it was executed.
  struct Executed {
    CommandIdentity command;
    Index index;
    uint64_t process = 0;
  };
  const std::vector<Executed>& executed() const { return executed_; }
  // A read that was answered from some state, perhaps an old one, and the newest version of its
  // shard then.
  struct StaleRead {
    uint64_t process = 0;
    proto::Query query;
    proto::Result result;
    Index newest;
  };
  const std::vector<StaleRead>& stale_reads() const { return stale_reads_; }
  // A read that was answered as stale, or as not, against what it had asked for; empty: none.
  const std::string& mislabelled() const { return mislabelled_; }
  // Writes by what they ask for: how many may have been executed, as far as clients know.
  const absl::btree_map<uint64_t, uint64_t>& may_be_executed() const { return may_be_executed_; }
  // The shard of a key; 0 where there are none.
  uint32_t ShardFor(absl::string_view key) const;

  // A batch of which a read saw a part, or that was not refused although no shard has all of it;
  // empty: none.
  const std::string& torn_batch() const { return torn_batch_; }
  // A write that adds no data and was refused for want of space; empty: none.
  const std::string& refused_without_data() const { return refused_without_data_; }
  const OperationCounters& counters() const { return counters_; }

 private:
  Instant Tick(Instant now);
  void RecordRead(Instant now, const Open& open, const proto::Result& result);
  void RecordSeveral(Instant now, const Open& open, const proto::Result& result);
  void RecordMisplaced(const Open& open, const client::Outcome& outcome);
  void RecordPair(Instant now, const Open& open, const proto::Result& result);
  void RecordList(Instant now, const Open& open, const proto::Result& result);
  void RecordWrite(Instant now, const Open& open, const proto::Result& result);
  void RecordStale(const Open& open, const proto::Result& result);
  void NoteLabel(const Open& open, const proto::Result& result);
  void NoteRefusal(const Open& open, const client::Outcome& outcome);
  void NoteMayBeExecuted(const Open& open);
  void NoteUnknown(const Open& open);
  std::vector<Index> PlacesOfOpen(FirstOf first_of, ExecutionsOf executions_of) const;
  linearizability::Operation OperationOf(const Open& open) const;

  const std::vector<std::string>& keys_;
  const uint32_t shards_;
  std::function<Index(uint32_t shard)> newest_;
  linearizability::History history_;
  std::vector<std::pair<size_t, CommandIdentity>> open_;  // places in the history, and which
  std::vector<Executed> executed_;
  std::vector<StaleRead> stale_reads_;
  absl::btree_map<uint64_t, uint64_t> may_be_executed_;
  std::string mislabelled_;
  std::string torn_batch_;
  std::string refused_without_data_;
  OperationCounters counters_;
  uint64_t processes_ = 0;
  Instant last_{};
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_RECORDER_H_
