// Small files that are there whole or not at all.
#ifndef LOCKSTEP_BIN_ATOMIC_FILE_H_
#define LOCKSTEP_BIN_ATOMIC_FILE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep {

// Replaces the file, durably: a temporary file beside it is written and synced, renamed over it,
// and the directory is synced. After a crash the old text or the new one is there. One writer. The
// file's mode is `mode` less the umask, whatever the old one had.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view text,
                                 mode_t mode = 0640);

// The whole file; NotFound when there is none. At most `bytes_max`.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t bytes_max);

// Makes the entries of a directory durable.
absl::Status SyncDirectory(const std::string& path);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_ATOMIC_FILE_H_
