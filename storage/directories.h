// Directories whose names survive a power failure.
#ifndef LOCKSTEP_STORAGE_DIRECTORIES_H_
#define LOCKSTEP_STORAGE_DIRECTORIES_H_

#include <string>

#include "absl/status/status.h"
#include "storage/file_system.h"

namespace lockstep::storage {

// Makes `path` and its missing parents, each one durable before the next is made. The name of the
// deepest directory that is there already is synced too: an earlier attempt may have been killed
// between making and syncing it. Errors: what the file system reports.
absl::Status MakeDurableDirectory(FileSystem& files, const std::string& path);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_DIRECTORIES_H_
