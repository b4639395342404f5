// The table lane on maps: real state machines, no disk. For tests of the node's shell.
#ifndef LOCKSTEP_TESTS_SUPPORT_MAP_TABLES_H_
#define LOCKSTEP_TESTS_SUPPORT_MAP_TABLES_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/base/types.h"
#include "core/runtime/memory_table.h"
#include "core/runtime/state_machine.h"
#include "core/runtime/storage_job.h"

namespace lockstep::test {

class MapTables {
 public:
  explicit MapTables(std::unique_ptr<MachineFactory> machines) : machines_(std::move(machines)) {}

  // REQUIRES: not a CommitLog.
  StorageResult Run(const StorageJob& job);
  LogPosition applied(GroupId group) { return Of(group).applied; }
  Bytes configuration(GroupId group) { return Of(group).configuration; }

 private:
  struct Snapshot {
    LogPosition position;
    std::string stream;
    Bytes configuration = {};
  };
  struct Table {
    MemoryTable contents;
    LogPosition applied;
    Bytes configuration;
    std::unique_ptr<StateMachine> machine;
    std::map<NodeId, Snapshot> open;  // for peers
    Snapshot staged;                  // arriving
  };

  Table& Of(GroupId group);
  StorageResult Run(const ApplyEntries& job);
  StorageResult Run(const QueryTable& job);
  StorageResult Run(const Checkpoint& job);
  StorageResult Run(const ReadSnapshot& job);
  StorageResult Run(const CloseSnapshot& job);
  StorageResult Run(const WriteSnapshot& job);
  StorageResult Run(const CommitLog& job);

  std::unique_ptr<MachineFactory> machines_;
  std::map<GroupId, Table> tables_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_MAP_TABLES_H_
