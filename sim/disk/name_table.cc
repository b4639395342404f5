#include "sim/disk/name_table.h"

#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"

namespace lockstep::sim {

std::string NameTable::Normal(const std::string& path) {
  std::string normal = path;
  while (!normal.empty() && normal.back() == '/') normal.pop_back();
  if (normal == ".") normal.clear();
  return normal;
}

absl::string_view NameTable::Parent(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view() : path.substr(0, slash);
}

Inode* NameTable::Find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

bool NameTable::IsDirectory(absl::string_view path) const {
  if (path.empty()) return true;
  const auto found = names_.find(std::string(path));
  return found != names_.end() && found->second == nullptr;
}

std::vector<std::string> NameTable::List(const std::string& directory) const {
  const std::string prefix = directory.empty() ? "" : directory + "/";
  std::vector<std::string> children;
  for (auto at = names_.lower_bound(prefix); at != names_.end(); ++at) {
    const absl::string_view path = at->first;
    if (path.substr(0, prefix.size()) != prefix) break;
    const absl::string_view child = path.substr(prefix.size());
    if (child.find('/') == absl::string_view::npos) children.emplace_back(child);
  }
  return children;
}

void NameTable::Point(Names& names, const std::string& name, Inode* inode) {
  Inode*& entry = names[name];
  if (inode != nullptr) ++inode->names;
  if (Inode* before = std::exchange(entry, inode); before != nullptr) DropName(before);
}

void NameTable::Erase(Names& names, const std::string& name) {
  const auto found = names.find(name);
  Check(found != names.end(), "a name that is deleted or renamed exists");
  Inode* inode = found->second;
  names.erase(found);
  if (inode != nullptr) DropName(inode);
}

void NameTable::DropName(Inode* inode) {
  CheckLt(0u, inode->names);
  --inode->names;
  Collect(inode);
}

void NameTable::DropHandle(Inode* inode) {
  CheckLt(0u, inode->handles);
  --inode->handles;
  Collect(inode);
}

void NameTable::Collect(Inode* inode) {
  if (inode->names == 0 && inode->handles == 0) inodes_.erase(inode->id);
}

void NameTable::Apply(const Change& change, Names& names) {
  switch (change.kind) {
    case Kind::kCreate:
      return Point(names, change.name, change.inode);
    case Kind::kRename: {
      const auto source = names.find(change.name);
      Check(source != names.end(), "a rename survives only with its source");
      Point(names, change.target, source->second);
      return Erase(names, change.name);
    }
    case Kind::kDelete:
      return Erase(names, change.name);
  }
}

Inode* NameTable::Create(const std::string& path) {
  Check(!Exists(path));
  Check(IsDirectory(Parent(path)));
  auto made = std::make_unique<Inode>();
  Inode* inode = made.get();
  inode->id = ++inodes_made_;
  inodes_.emplace(inode->id, std::move(made));
  ++inode->names;  // Held by the change.
  changes_.push_back({Kind::kCreate, path, "", inode});
  Apply(changes_.back(), names_);
  return inode;
}

void NameTable::CreateDirectory(const std::string& path) {
  Check(!Exists(path));
  Check(IsDirectory(Parent(path)));
  changes_.push_back({Kind::kCreate, path, "", nullptr});
  Apply(changes_.back(), names_);
}

void NameTable::Rename(const std::string& source, const std::string& target) {
  Check(Find(source) != nullptr);
  Check(!IsDirectory(target));
  Check(IsDirectory(Parent(target)));
  if (source == target) return;
  changes_.push_back({Kind::kRename, source, target, nullptr});
  Apply(changes_.back(), names_);
}

void NameTable::Delete(const std::string& path) {
  Check(Find(path) != nullptr);
  changes_.push_back({Kind::kDelete, path, "", nullptr});
  Apply(changes_.back(), names_);
}

void NameTable::Sync(absl::string_view directory) {
  // From the last to the first: a change is due when its name is in the directory, or when a later
  // change that is due speaks of its name.
  std::vector<bool> due(changes_.size());
  absl::btree_set<absl::string_view> needed;
  for (size_t i = changes_.size(); i > 0; --i) {
    const Change& change = changes_[i - 1];
    const bool renames = change.kind == Kind::kRename;
    due[i - 1] =
        Parent(change.name) == directory || needed.contains(change.name) ||
        (renames && (Parent(change.target) == directory || needed.contains(change.target)));
    if (!due[i - 1]) continue;
    needed.insert(change.name);
    if (renames) needed.insert(change.target);
  }
  std::vector<Change> later;
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (!due[i]) {
      later.push_back(std::move(changes_[i]));
      continue;
    }
    Apply(changes_[i], durable_);
    if (changes_[i].inode != nullptr) DropName(changes_[i].inode);
  }
  changes_ = std::move(later);
}

std::vector<std::string> NameTable::Files() const {
  std::vector<std::string> files;
  for (const auto& [name, inode] : names_) {
    if (inode != nullptr) files.push_back(name);
  }
  return files;
}

uint64_t NameTable::UsedBytes() const {
  uint64_t used = 0;
  absl::btree_set<uint64_t> counted;
  for (const auto& [name, inode] : names_) {
    if (inode != nullptr && counted.insert(inode->id).second) used += inode->content.size();
  }
  for (const auto& [id, inode] : inodes_) {
    if (inode->handles > 0 && counted.insert(id).second) used += inode->content.size();
  }
  return used;
}

uint64_t NameTable::Digest() const {
  uint64_t digest = 0;
  for (const auto& [name, inode] : names_) {
    digest = HashChain(digest, StableHash(name));
    digest = HashChain(digest, inode == nullptr ? 0 : StableHash(inode->content.bytes()));
  }
  return digest;
}

std::vector<bool> NameTable::DrawSurvivors(Rng& rng, const CrashOptions::Names& modes) const {
  const size_t count = changes_.size();
  if (count == 0) return {};
  uint64_t mode = rng.Below(modes.keep + modes.drop + modes.prefix + modes.independent);
  if (mode < modes.keep) return std::vector<bool>(count, true);
  mode -= modes.keep;
  if (mode < modes.drop) return std::vector<bool>(count, false);
  mode -= modes.drop;
  std::vector<bool> survives(count, false);
  if (mode < modes.prefix) {
    const size_t until = rng.Below(count + 1);
    for (size_t i = 0; i < until; ++i) survives[i] = true;
    return survives;
  }
  absl::btree_set<absl::string_view> lost;  // Names whose later changes rest on a lost one.
  for (size_t i = 0; i < count; ++i) {
    const Change& change = changes_[i];
    const bool renames = change.kind == Kind::kRename;
    const bool kept = rng.Chance({1, 2});
    survives[i] = kept && !lost.contains(change.name) && !(renames && lost.contains(change.target));
    if (survives[i]) continue;
    lost.insert(change.name);
    if (renames) lost.insert(change.target);
  }
  return survives;
}

// A directory sorts before what is in it, so one pass finds them all.
void NameTable::EraseOrphans(Names& names) {
  for (auto at = names.begin(); at != names.end();) {
    const std::string parent(Parent(at->first));
    const bool held = parent.empty() || names.contains(parent);
    at = held ? std::next(at) : names.erase(at);
  }
}

void NameTable::Crash(Rng& rng, const CrashOptions& options, DiskCounters& counters) {
  const std::vector<bool> survives = DrawSurvivors(rng, options.names);
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (survives[i]) Apply(changes_[i], durable_);
    ++(survives[i] ? counters.names_kept : counters.names_lost);
  }
  changes_.clear();
  EraseOrphans(durable_);
  names_ = durable_;

  for (auto& [id, inode] : inodes_) inode->names = 0;
  for (auto& [name, inode] : names_) {
    if (inode != nullptr) inode->names += 2;  // Now and durably.
  }
  for (auto at = inodes_.begin(); at != inodes_.end();) {
    Inode& inode = *at->second;
    if (inode.names > 0) {
      inode.content.Crash(rng, options.files, counters);
    }
    at = inode.names == 0 && inode.handles == 0 ? inodes_.erase(at) : std::next(at);
  }
}

}  // namespace lockstep::sim
