// What a simulated server runs: a process and the executor of its storage jobs, made anew at every
// boot from what the disk holds. The world knows servers only through this.
#ifndef LOCKSTEP_SIM_WORLD_SOFTWARE_H_
#define LOCKSTEP_SIM_WORLD_SOFTWARE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/runtime/host.h"
#include "core/runtime/log.h"
#include "core/runtime/process.h"
#include "core/runtime/storage_job.h"
#include "sim/network/packet.h"
#include "storage/file_system.h"

namespace lockstep::sim {

// The blocking half of a server's storage.
class StorageRunner {
 public:
  virtual ~StorageRunner() = default;
  // Executes the job. An error that no fault explains is a finding; so the disk below has to
  // be asked for everything.
  virtual absl::StatusOr<StorageResult> Run(const StorageJob& job) = 0;
  // A digest of the group's table, equal on replicas that have applied the same entries.
  virtual uint64_t Digest(GroupId group) const = 0;
  // Visits everything in the group's table. False: it cannot be read, or there is no such thing.
  virtual bool VisitTable(
      GroupId group,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const;
};

// A replica on a server, and what its table holds.
struct HostedTable {
  GroupId group;
  LogPosition applied;
};

// One life of a server. The process is destroyed before its storage.
struct Life {
  std::unique_ptr<StorageRunner> storage;  // executes what the process submits
  std::unique_ptr<Process> process;        // what runs
  std::vector<HostedTable> tables;         // at boot; none if the software has no such thing
  std::vector<std::string> repairs = {};   // damage that it has found on the disk and made good
};

// What servers run: the one thing of them that the world does not bring itself.
class Software {
 public:
  virtual ~Software() = default;
  // Recovers from the disk. An error is the simulator's finding unless a fault explains it.
  virtual absl::StatusOr<Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                                    const Host& host) = 0;
  // One line for the trace. Unless overridden: the bytes, escaped and cut short.
  virtual std::string Describe(PacketKind kind, const Bytes& data) const;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_SOFTWARE_H_
