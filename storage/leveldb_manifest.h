// Telling the torn end of a LevelDB MANIFEST from damage.
//
// LevelDB appends one record to its MANIFEST and syncs it. A power failure before that sync may
// leave any part of the record: LevelDB would then report corruption and refuse to open, although
// nothing that it ever relied on is missing. Since a record is appended only after the one before
// it was synced, only the last record can be torn; a sound record behind an unsound one proves
// damage of what had been durable.
#ifndef LOCKSTEP_STORAGE_LEVELDB_MANIFEST_H_
#define LOCKSTEP_STORAGE_LEVELDB_MANIFEST_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace lockstep::storage {

// How many bytes of `manifest` to show to LevelDB: all up to the end of the last sound record, if
// what follows can be the torn end of one write; else all, so that LevelDB reports the corruption.
uint64_t ManifestBytesToRead(absl::string_view manifest);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_LEVELDB_MANIFEST_H_
