// The names of a simulated disk: which file or directory each path leads to, now and after a power
// failure.
//
// Creations, renames and deletions are remembered until a sync of their directory. A sync makes
// the changes of its directory's names durable, and with them the earlier changes that they rest
// on. After a crash the names are the durable ones plus any of the unsynced changes such that those
// of one name survive in order and a rename survives as a whole: its old or its new state.
#ifndef LOCKSTEP_SIM_DISK_NAME_TABLE_H_
#define LOCKSTEP_SIM_DISK_NAME_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "sim/disk/crash_options.h"
#include "sim/disk/file_content.h"

namespace lockstep::sim {

// A file apart from its names. Lives while a name, an unsynced creation or an open handle leads to
// it.
struct Inode {
  uint64_t id = 0;  // in the order of creation
  FileContent content;
  uint32_t names = 0;    // now, durably, and in unsynced creations
  uint32_t handles = 0;  // open ones
};

class NameTable {
 public:
  // "a/b/" and "a/b" are the same path; "", "." and "/" are the root, which always exists.
  static std::string Normal(const std::string& path);
  static absl::string_view Parent(absl::string_view path);

  // Null when there is no such file (or it is a directory).
  Inode* Find(const std::string& path) const;
  bool IsDirectory(absl::string_view path) const;
  bool Exists(const std::string& path) const { return names_.contains(path) || path.empty(); }
  std::vector<std::string> List(const std::string& directory) const;

  // REQUIRES: no such name, and its parent is a directory.
  Inode* Create(const std::string& path);
  // REQUIRES: as Create.
  void CreateDirectory(const std::string& path);
  // REQUIRES: `source` is a file, `target` is not a directory and its parent is one.
  void Rename(const std::string& source, const std::string& target);
  // REQUIRES: `path` is a file.
  void Delete(const std::string& path);
  void Sync(absl::string_view directory);

  void AddHandle(Inode* inode) { ++inode->handles; }
  void DropHandle(Inode* inode);

  // All files, in the order of their names.
  std::vector<std::string> Files() const;

  // The bytes of all files that a name or a handle leads to.
  uint64_t UsedBytes() const;

  // A hash of all names and bytes as they are now.
  uint64_t Digest() const;

  // Draws the names that survive, then, file by file, what is left of their bytes.
  void Crash(Rng& rng, const CrashOptions& options, DiskCounters& counters);

 private:
  using Names = absl::btree_map<std::string, Inode*>;  // a directory has no inode
  enum class Kind : uint8_t { kCreate, kRename, kDelete };
  struct Change {
    Kind kind;
    std::string name;
    std::string target;      // of a rename
    Inode* inode = nullptr;  // of a created file
  };

  void Apply(const Change& change, Names& names);
  void Point(Names& names, const std::string& name, Inode* inode);
  void Erase(Names& names, const std::string& name);
  void DropName(Inode* inode);
  void Collect(Inode* inode);
  std::vector<bool> DrawSurvivors(Rng& rng, const CrashOptions::Names& modes) const;
  static void EraseOrphans(Names& names);

  absl::btree_map<uint64_t, std::unique_ptr<Inode>> inodes_;
  uint64_t inodes_made_ = 0;
  Names names_;
  Names durable_;
  std::vector<Change> changes_;  // unsynced, in order
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_DISK_NAME_TABLE_H_
