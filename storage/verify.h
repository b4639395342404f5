// Checks what the storage of a node that does not run has on its disk: every record of the log,
// every block of the tables, and that they fit together. Reads only, repairs nothing.
#ifndef LOCKSTEP_STORAGE_VERIFY_H_
#define LOCKSTEP_STORAGE_VERIFY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/file_system.h"

namespace lockstep::storage {

// One thing that is not as it was written.
struct Flaw {
  enum class Kind : uint8_t {
    kDamage,  // what was durable is not what was written
    kTorn,    // the end of a write that never counted, as a power failure leaves it: no damage. The
              // next start cuts it off
    kLeftover,  // belongs to nothing: the next start ignores or deletes it
  };
  Kind kind = Kind::kDamage;
  std::string file;
  uint64_t offset = 0;  // bytes
  std::string what;     // is wrong
  std::string meaning;  // for who runs the node: what is lost and what to do
};

// What was found, and how much was looked at.
struct Verification {
  std::vector<Flaw> flaws;  // in the order of the files
  uint64_t groups = 0;
  uint64_t segments = 0;  // of the log
  uint64_t commits = 0;
  uint64_t entries = 0;  // that a start would find in the log
  uint64_t tables = 0;   // files that belong to the database
  uint64_t keys = 0;     // in them, with old versions
  uint64_t bytes = 0;    // read

  // Nothing is damaged. There may be torn ends and leftovers.
  bool sound() const;
};

// `directory`: as EngineOptions::directory. The caller has seen to it that nobody uses it. A
// missing directory is that of a node which has never run. Errors: only what the file system
// reports of files that cannot be read.
absl::StatusOr<Verification> Verify(FileSystem& files, const std::string& directory);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_VERIFY_H_
