// How the storage of a node starts: opens the log and the tables, and makes good what damage has
// taken, as far as the other replicas can give it back (docs/decisions/0018).
#ifndef LOCKSTEP_STORAGE_ENGINE_BOOT_H_
#define LOCKSTEP_STORAGE_ENGINE_BOOT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/runtime/log.h"
#include "core/runtime/state_machine.h"
#include "storage/engine.h"
#include "storage/file_system.h"
#include "storage/table_store.h"
#include "storage/wal.h"

namespace lockstep::storage {

struct Booted {
  std::unique_ptr<Wal> wal;
  std::unique_ptr<TableStore> tables;
  std::vector<ReplicaImage> images;  // in the order of the options' groups
  std::vector<Repair> repairs;
};

// The caller holds the directory's lock. Errors as Engine::Open.
absl::StatusOr<Booted> BootEngine(FileSystem& files, const EngineOptions& options,
                                  const MachineFactory& machines);

// Remembers that a read has found the tables damaged: the next boot need not find it again before
// it makes them anew. Best effort, on a disk that is not to be trusted.
void NoteTableDamage(FileSystem& files, const std::string& directory, const absl::Status& damage);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_ENGINE_BOOT_H_
