#include "storage/directories.h"

#include <vector>

namespace lockstep::storage {
namespace {

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::Status MakeDurableDirectory(FileSystem& files, const std::string& path) {
  std::vector<std::string> missing;  // The deepest first.
  std::string at = path;
  while (at.size() > 1 && at.back() == '/') at.pop_back();
  while (at != "." && at != "/" && !files.Exists(at)) {
    missing.push_back(at);
    at = ParentOf(at);
  }
  if (at != "." && at != "/") {
    if (absl::Status synced = files.SyncDirectory(ParentOf(at)); !synced.ok()) return synced;
  }
  for (; !missing.empty(); missing.pop_back()) {
    if (absl::Status made = files.CreateDirectory(missing.back()); !made.ok()) return made;
    absl::Status synced = files.SyncDirectory(ParentOf(missing.back()));
    if (!synced.ok()) return synced;
  }
  return absl::OkStatus();
}

}  // namespace lockstep::storage
