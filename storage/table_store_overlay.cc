#include "storage/table_store_overlay.h"

#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "storage/table_store_keys.h"
#include "storage/table_store_reader.h"

namespace lockstep::storage {
namespace {

leveldb::Slice ToSlice(absl::string_view text) { return leveldb::Slice(text.data(), text.size()); }

}  // namespace

char* Arena::Allocate(size_t bytes) {
  if (bytes > kChunkBytes / 4) {  // Large ones by themselves, so that no chunk is wasted.
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    return chunks_.back().get();
  }
  if (bytes > left_) {
    if (kept_chunk_ == nullptr) {
      kept_chunk_ = std::make_unique_for_overwrite<char[]>(kChunkBytes);
      at_ = kept_chunk_.get();
    } else {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
      at_ = chunks_.back().get();
    }
    left_ = kChunkBytes;
  }
  left_ -= bytes;
  return std::exchange(at_, at_ + bytes);
}

absl::string_view Arena::Keep(absl::string_view first, absl::string_view second) {
  const size_t bytes = first.size() + second.size();
  char* at = Allocate(bytes);
  if (!first.empty()) std::memcpy(at, first.data(), first.size());
  if (!second.empty()) std::memcpy(at + first.size(), second.data(), second.size());
  return absl::string_view(at, bytes);
}

void Arena::Clear() {
  chunks_.clear();
  at_ = kept_chunk_.get();
  left_ = at_ == nullptr ? 0 : kChunkBytes;
}

void TableOverlay::Begin(leveldb::DB& db, const leveldb::ReadOptions& options,
                         absl::string_view prefix) {
  db_ = &db;
  options_ = &options;
  prefix_ = prefix;
  slots_.clear();
  arena_.Clear();
  status_ = leveldb::Status::OK();
}

bool TableOverlay::Get(absl::string_view key, std::string* value) const {
  const auto slot = slots_.find(key);
  if (slot != slots_.end()) {
    if (slot->second.deleted) return false;
    value->assign(slot->second.value.data(), slot->second.value.size());
    return true;
  }
  full_key_.assign(prefix_.data(), prefix_.size());
  full_key_.append(key.data(), key.size());
  if (const std::string* known = recent_.Find(full_key_); known != nullptr) {
    *value = *known;
    return true;
  }
  const leveldb::Status got = db_->Get(*options_, full_key_, value);
  if (!got.ok() && !got.IsNotFound() && status_.ok()) status_ = got;
  if (got.ok()) recent_.Keep(full_key_, *value);
  return got.ok();
}

// What lies in LevelDB and what the job has written, side by side; the job's own counts.
void TableOverlay::Scan(
    absl::string_view start,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
  auto own = slots_.lower_bound(start);
  const auto visit_own_before = [&](absl::string_view key) {
    for (; own != slots_.end() && own->first < key; ++own) {
      if (!own->second.deleted && !visit(own->first, own->second.value)) return false;
    }
    return true;
  };
  bool more = true;
  const GroupReader written(*db_, *options_, std::string(prefix_));
  written.Scan(start, [&](absl::string_view key, absl::string_view value) {
    more = visit_own_before(key);
    const bool replaced = more && own != slots_.end() && own->first == key;
    if (more && !replaced) more = visit(key, value);
    if (more && replaced && !own->second.deleted) more = visit(own->first, own->second.value);
    if (replaced) ++own;
    return more;
  });
  // Nobody may be shown what the job has written behind a damaged block, as if nothing were
  // between.
  if (!written.status().ok()) {
    if (status_.ok()) status_ = written.status();
    return;
  }
  for (; more && own != slots_.end(); ++own) {
    if (!own->second.deleted) more = visit(own->first, own->second.value);
  }
}

TableOverlay::Slot& TableOverlay::SlotOf(absl::string_view key) {
  CheckLe(key.size(), kTableKeyBytesMax);
  const auto found = slots_.lower_bound(key);
  if (found != slots_.end() && found->first == key) return found->second;
  const absl::string_view full_key = arena_.Keep(prefix_, key);
  const auto made =
      slots_.emplace_hint(found, full_key.substr(prefix_.size()), Slot{full_key, /*value=*/""});
  return made->second;
}

void TableOverlay::Put(absl::string_view key, absl::string_view value) {
  CheckLe(value.size(), kTableValueBytesMax);
  Slot& slot = SlotOf(key);
  slot.value = arena_.Keep(value, "");
  slot.deleted = false;
}

void TableOverlay::Delete(absl::string_view key) {
  Slot& slot = SlotOf(key);
  slot.value = absl::string_view();
  slot.deleted = true;
}

void TableOverlay::Finish(leveldb::WriteBatch& batch) {
  for (const auto& [key, slot] : slots_) {
    if (slot.deleted) {
      batch.Delete(ToSlice(slot.full_key));
      recent_.Erase(slot.full_key);
    } else {
      batch.Put(ToSlice(slot.full_key), ToSlice(slot.value));
      recent_.Replace(slot.full_key, slot.value);
    }
  }
  slots_.clear();
  arena_.Clear();
}

}  // namespace lockstep::storage
