// Telling the torn end of a LevelDB MANIFEST from damage, and reading it without LevelDB.
//
// LevelDB appends one record to its MANIFEST and syncs it. A power failure before that sync may
// leave any part of the record: LevelDB would then report corruption and refuse to open, although
// nothing that it ever relied on is missing. Since a record is appended only after the one before
// it was synced, only the last record can be torn; a sound record behind an unsound one proves
// damage of what had been durable.
#ifndef LOCKSTEP_STORAGE_LEVELDB_MANIFEST_H_
#define LOCKSTEP_STORAGE_LEVELDB_MANIFEST_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace lockstep::storage {

// How many bytes of `manifest` to show to LevelDB: all up to the end of the last sound record, if
// what follows can be the torn end of one write; else all, so that LevelDB reports the corruption.
uint64_t ManifestBytesToRead(absl::string_view manifest);

// What a MANIFEST says of the database.
struct ManifestContent {
  // Of a table file that belongs to it.
  struct Table {
    int level = 0;
    uint64_t bytes = 0;
    std::string smallest;  // internal keys
    std::string largest;
  };
  std::map<uint64_t, Table> tables;  // by file number
  uint64_t last_sequence = 0;
  // Without these LevelDB does not open.
  bool has_log_number = false;
  bool has_next_file = false;
  bool has_last_sequence = false;
  bool begun() const { return has_log_number && has_next_file && has_last_sequence; }
  // Up to here the records are sound and make sense. Short of the file's end: what follows is torn
  // if `torn`, else damaged.
  uint64_t sound_bytes = 0;
  bool torn = false;
  std::string what;  // is wrong with the record at sound_bytes; empty: nothing
};

// Never fails: what cannot be read is told in the result.
ManifestContent ReadManifest(absl::string_view manifest);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_LEVELDB_MANIFEST_H_
