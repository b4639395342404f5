// A replicated state machine and the table it lives in: the seam between protocol state and
// LevelDB.
//
// A machine is pure given its table: Apply is total and deterministic, so replicas that apply the
// same entries hold equal tables, byte for byte, and give equal replies.
#ifndef LOCKSTEP_CORE_RUNTIME_STATE_MACHINE_H_
#define LOCKSTEP_CORE_RUNTIME_STATE_MACHINE_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep {

// One replica's key space, ordered by bytes. Reads see all earlier writes.
//
// A read may fail, when it finds damage. What is read from then on may be missing; but nobody will
// hear what is said and done until the call ends, and none follows. So a machine need not ask,
// unless it would take what is missing for a mistake of its own.
class TableReader {
 public:
  virtual ~TableReader() = default;
  // Whether a read has failed. Tables in memory never do.
  virtual bool failed() const { return false; }
  // False when there is no such key; `*value` is then unspecified.
  virtual bool Get(absl::string_view key, std::string* value) const = 0;
  // Visits keys >= `start` in ascending order until `visit` returns false. The views are valid
  // during the visit only.
  virtual void Scan(
      absl::string_view start,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const = 0;
};

// Handed to Apply. All writes made while applying one entry become visible and durable together
// with that entry's index, or not at all. Reads see the writes of this and of all earlier entries;
// nothing may be written while Scan visits.
class TableWriter : public TableReader {
 public:
  // Replaces what the key held.
  virtual void Put(absl::string_view key, absl::string_view value) = 0;
  // Of a missing key: no change.
  virtual void Delete(absl::string_view key) = 0;
};

// What is replicated (see the file's beginning).
class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // Called once before anything else, and again when a snapshot has replaced the table: rebuilds
  // whatever the machine keeps in memory.
  virtual void Load(const TableReader& table) = 0;
  // Executes a committed entry that is no no-op and returns its reply. Total: a malformed command
  // is harmless and answered with an error. Never called twice for an index on one table.
  virtual Bytes Apply(const Entry& entry, TableWriter& table) = 0;
  // Answers a read from the state as of the last applied entry, which is at `applied`.
  virtual Bytes Query(const Bytes& query, LogPosition applied, const TableReader& table) const = 0;
};

// Makes the machine of each group that a node hosts.
class MachineFactory {
 public:
  virtual ~MachineFactory() = default;
  // A fresh one; Load follows.
  virtual std::unique_ptr<StateMachine> Make(GroupId group) const = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_STATE_MACHINE_H_
