#include "sim/disk/file_content.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/base/check.h"

namespace lockstep::sim {
namespace {

// More undo than this is given back after a sync, so that one large overwrite does not stay.
constexpr size_t kUndoKeptBytesMax = 256 << 10;

}  // namespace

void FileContent::Remember(uint64_t begin, uint64_t end, bool truncates) {
  const size_t undo = undo_.size();
  if (begin < bytes_.size()) {
    undo_.append(bytes_, begin, std::min<uint64_t>(end, bytes_.size()) - begin);
  }
  changes_.push_back({begin, end, bytes_.size(), undo, truncates});
}

void FileContent::Append(absl::string_view data) {
  if (data.empty()) return;
  changes_.push_back({bytes_.size(), bytes_.size() + data.size(), bytes_.size(), undo_.size(),
                      /*truncates=*/false});
  bytes_.append(data.data(), data.size());
}

void FileContent::Write(uint64_t offset, absl::string_view data) {
  if (offset == bytes_.size()) return Append(data);
  if (data.empty()) return;
  const uint64_t end = offset + data.size();
  Remember(offset, end, /*truncates=*/false);
  if (end > bytes_.size()) bytes_.resize(end);
  std::memcpy(bytes_.data() + offset, data.data(), data.size());
}

void FileContent::Truncate(uint64_t size) {
  if (size == bytes_.size()) return;
  const bool truncates = size < bytes_.size();
  Remember(std::min<uint64_t>(size, bytes_.size()), std::max<uint64_t>(size, bytes_.size()),
           truncates);
  bytes_.resize(size);
}

void FileContent::Sync() {
  if (!lost_pages_.empty()) {
    const std::vector<bool> changed = ChangedPages(WidestSize());
    for (auto lost = lost_pages_.begin(); lost != lost_pages_.end();) {
      const bool written = lost->first < changed.size() && changed[lost->first];
      lost = written ? lost_pages_.erase(lost) : std::next(lost);
    }
  }
  if (!changes_.empty()) lost_size_.reset();
  ForgetChanges();
}

void FileContent::ForgetChanges() {
  changes_.clear();
  undo_.clear();
  if (undo_.capacity() > kUndoKeptBytesMax) undo_.shrink_to_fit();
}

std::string FileContent::Oldest() const {
  std::string text = bytes_;
  text.resize(WidestSize());
  Revert(0, text.size(), 0, text);
  text.resize(SizeAt(0));
  return text;
}

void FileContent::FailSync() {
  if (changes_.empty()) return;
  const std::string medium = Oldest();
  const std::vector<bool> changed = ChangedPages(WidestSize());
  for (uint64_t page = 0; page < changed.size(); ++page) {
    if (!changed[page]) continue;
    // A page that was lost before keeps the older bytes: nothing has reached the medium since.
    const uint64_t begin = std::min<uint64_t>(page * kPageBytes, medium.size());
    lost_pages_.try_emplace(page, medium.substr(begin, kPageBytes));
  }
  if (!lost_size_ && medium.size() != bytes_.size()) lost_size_ = medium.size();
  ForgetChanges();
}

void FileContent::FlipBits(uint64_t offset, uint8_t mask) {
  CheckLt(offset, bytes_.size());
  const auto flip = [&](char& byte) { byte = static_cast<char>(byte ^ static_cast<char>(mask)); };
  flip(bytes_[offset]);
  for (const Change& change : changes_) {
    if (offset < change.begin || offset >= std::min(change.end, change.size_before)) continue;
    flip(undo_[change.undo + (offset - change.begin)]);
  }
  const auto lost = lost_pages_.find(offset / kPageBytes);
  if (lost == lost_pages_.end() || offset % kPageBytes >= lost->second.size()) return;
  flip(lost->second[offset % kPageBytes]);
}

void FileContent::Crash(Rng& rng, const CrashOptions::Files& modes, DiskCounters& counters) {
  const bool any_lost = !lost_pages_.empty() || lost_size_.has_value();
  const std::string before = any_lost ? Oldest() : std::string();
  if (!changes_.empty()) CrashChanges(rng, modes, counters);
  if (any_lost) CrashLost(rng, modes, before, counters);
}

// `before`: the file in memory when the unsynced changes began. A page that is not as it was then
// has been written since, as a whole.
void FileContent::CrashLost(Rng& rng, const CrashOptions::Files& modes, const std::string& before,
                            DiskCounters& counters) {
  const uint32_t halves = modes.prefix + modes.pages + modes.sectors;
  const Ratio reached{2 * modes.keep + halves, 2 * (modes.keep + modes.drop + halves)};
  const auto page_of = [](const std::string& text, uint64_t page) {
    const uint64_t begin = std::min<uint64_t>(page * kPageBytes, text.size());
    return absl::string_view(text).substr(begin, kPageBytes);
  };
  for (const auto& [page, medium] : lost_pages_) {
    if (page_of(bytes_, page) != page_of(before, page)) continue;
    if (rng.Chance(reached)) continue;
    ++counters.pages_dropped;
    const uint64_t begin = page * kPageBytes;
    for (uint64_t at = begin; at < std::min<uint64_t>(begin + kPageBytes, bytes_.size()); ++at) {
      bytes_[at] = at - begin < medium.size() ? medium[at - begin] : '\0';
    }
  }
  const bool size_reached = rng.Chance(reached);
  if (lost_size_ && !size_reached && bytes_.size() == before.size()) bytes_.resize(*lost_size_);
  lost_pages_.clear();
  lost_size_.reset();
}

void FileContent::CrashChanges(Rng& rng, const CrashOptions::Files& modes, DiskCounters& counters) {
  const uint32_t total = modes.keep + modes.drop + modes.prefix + modes.pages + modes.sectors;
  uint64_t mode = rng.Below(total);
  const auto drawn = [&mode](uint32_t weight) {
    if (mode < weight) return true;
    mode -= weight;
    return false;
  };
  if (drawn(modes.keep)) {
    CrashWhole(changes_.size(), counters);
  } else if (drawn(modes.drop)) {
    CrashWhole(0, counters);
  } else if (drawn(modes.prefix)) {
    CrashWhole(rng.Below(changes_.size() + 1), counters);
  } else {
    CrashPages(rng, /*tear=*/!drawn(modes.pages), counters);
  }
  ForgetChanges();
}

uint64_t FileContent::SizeAt(size_t version) const {
  return version == changes_.size() ? bytes_.size() : changes_[version].size_before;
}

uint64_t FileContent::WidestSize() const {
  uint64_t size = bytes_.size();
  for (const Change& change : changes_) size = std::max(size, change.size_before);
  return size;
}

void FileContent::Revert(uint64_t begin, uint64_t end, size_t version, std::string& text) const {
  for (size_t i = changes_.size(); i > version; --i) {
    const Change& change = changes_[i - 1];
    const uint64_t first = std::max(begin, change.begin);
    const uint64_t until = std::min(end, change.end);
    if (first >= until) continue;
    // What lay beyond the end of the file was nothing: zeros, if the file has grown over it.
    const uint64_t kept_until = std::clamp(change.size_before, first, until);
    std::memcpy(text.data() + first, undo_.data() + change.undo + (first - change.begin),
                kept_until - first);
    std::memset(text.data() + kept_until, 0, until - kept_until);
  }
}

// A truncation is one transaction of the journal: with the new size the old blocks are gone, with
// the old size they are all there. So bytes behind the cut lie on the same side of it as the size.
size_t FileContent::Reconcile(size_t version, size_t size_version, uint64_t end) const {
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (!changes_[i].truncates || end <= changes_[i].begin) continue;
    version = size_version > i ? std::max(version, i + 1) : std::min(version, i);
  }
  return version;
}

// The kernel writes pages back when it likes, so a page on the disk may be newer than the last sync
// and older than the last write.
size_t FileContent::DrawVersion(Rng& rng) const {
  const uint64_t choice = rng.Below(3);
  if (choice == 0) return changes_.size();
  if (choice == 1) return 0;
  return rng.Below(changes_.size() + 1);
}

std::vector<bool> FileContent::ChangedPages(uint64_t size) const {
  std::vector<bool> changed((size + kPageBytes - 1) / kPageBytes);
  for (const Change& change : changes_) {
    const uint64_t until = std::min(change.end, size);
    for (uint64_t at = change.begin / kPageBytes; at * kPageBytes < until; ++at) changed[at] = true;
  }
  return changed;
}

void FileContent::Count(uint64_t pages, size_t version, DiskCounters& counters) const {
  if (version == changes_.size()) {
    counters.pages_kept += pages;
  } else if (version == 0) {
    counters.pages_dropped += pages;
  } else {
    counters.pages_torn += pages;
  }
}

void FileContent::CrashWhole(size_t version, DiskCounters& counters) {
  const uint64_t widest = WidestSize();
  const std::vector<bool> changed = ChangedPages(widest);
  Count(static_cast<uint64_t>(std::count(changed.begin(), changed.end(), true)), version, counters);
  const uint64_t size = SizeAt(version);
  if (version < changes_.size()) {
    std::string text = std::move(bytes_);
    text.resize(widest);
    Revert(0, widest, version, text);
    bytes_ = std::move(text);
  }
  bytes_.resize(size);
}

void FileContent::CrashPages(Rng& rng, bool tear, DiskCounters& counters) {
  const size_t size_version = DrawVersion(rng);
  const uint64_t widest = WidestSize();
  const uint64_t size = SizeAt(size_version);
  const std::vector<bool> changed = ChangedPages(widest);
  std::string text = bytes_;
  text.resize(widest);
  for (uint64_t page = 0; page < changed.size(); ++page) {
    if (!changed[page]) continue;
    const uint64_t begin = page * kPageBytes;
    const uint64_t end = std::min(begin + kPageBytes, widest);
    const bool torn = tear && rng.Chance({1, 2});
    if (!torn) {
      const size_t version = Reconcile(DrawVersion(rng), size_version, end);
      Count(1, version, counters);
      Revert(begin, end, version, text);
      continue;
    }
    ++counters.pages_torn;
    for (uint64_t sector = begin; sector < end; sector += kSectorBytes) {
      const uint64_t sector_end = std::min(sector + kSectorBytes, end);
      Revert(sector, sector_end, Reconcile(DrawVersion(rng), size_version, sector_end), text);
    }
  }
  text.resize(size);
  bytes_ = std::move(text);
}

}  // namespace lockstep::sim
