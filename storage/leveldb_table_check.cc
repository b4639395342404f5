#include "storage/leveldb_table_check.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "storage/leveldb_coding.h"

namespace lockstep::storage {
namespace {

constexpr uint64_t kMagicBytes = 8;
constexpr uint64_t kTrailerBytes = 5;  // compression type, checksum
constexpr uint64_t kMagic = 0xDB4775248B80FB57;
constexpr uint64_t kSequenceBytes = 8;  // sequence and kind, at the end of an internal key

struct Handle {
  uint64_t offset = 0;
  uint64_t bytes = 0;  // without the trailer
  uint64_t end() const { return offset + bytes + kTrailerBytes; }
};

bool ReadHandle(leveldb_coding::Reader& reader, Handle* handle) {
  return reader.Varint(&handle->offset) && reader.Varint(&handle->bytes);
}

// `blocks_end`: where the footer begins.
bool DecodeFooter(absl::string_view footer, uint64_t blocks_end, Handle* meta_index,
                  Handle* index) {
  leveldb_coding::Reader reader(footer);
  uint64_t magic = 0;
  absl::string_view padding;
  if (!ReadHandle(reader, meta_index) || !ReadHandle(reader, index) ||
      reader.left() < kMagicBytes || !reader.Bytes(reader.left() - kMagicBytes, &padding) ||
      !reader.Fixed(kMagicBytes, &magic)) {
    return false;
  }
  const auto inside = [&](const Handle& handle) {
    return handle.offset <= blocks_end && handle.bytes <= blocks_end && handle.end() <= blocks_end;
  };
  return magic == kMagic && inside(*meta_index) && inside(*index) &&
         padding.find_first_not_of('\0') == absl::string_view::npos;
}

uint64_t Trailer(absl::string_view internal_key) {
  leveldb_coding::Reader reader(internal_key.substr(internal_key.size() - kSequenceBytes));
  uint64_t trailer = 0;
  reader.Fixed(kSequenceBytes, &trailer);
  return trailer;
}

class TableWalk {
 public:
  TableWalk(absl::string_view file, absl::FunctionRef<void(const TableEntry& entry)> visit)
      : file_(file), visit_(visit) {}

  std::vector<TableProblem> Run() {
    Handle meta_index;
    Handle index;
    if (!ReadFooter(&meta_index, &index)) return std::move(problems_);
    Take(meta_index, "the index of metadata",
         [&](absl::string_view, absl::string_view value) { TakeFilter(value); });
    Take(index, "the index",
         [&](absl::string_view last_key, absl::string_view value) { TakeData(last_key, value); });
    CheckTiling();
    std::sort(problems_.begin(), problems_.end(),
              [](const TableProblem& a, const TableProblem& b) { return a.offset < b.offset; });
    return std::move(problems_);
  }

 private:
  using Visit = absl::FunctionRef<void(absl::string_view key, absl::string_view value)>;

  void Report(uint64_t offset, std::string what) { problems_.push_back({offset, std::move(what)}); }

  bool ReadFooter(Handle* meta_index, Handle* index) {
    if (file_.size() < kTableFooterBytes) {
      Report(file_.size(), "the file ends before its footer");
      return false;
    }
    footer_ = file_.size() - kTableFooterBytes;
    if (DecodeFooter(file_.substr(footer_), footer_, meta_index, index)) return true;
    Report(footer_, "the footer makes no sense");
    return false;
  }

  // The content of a block that passes its checksum.
  std::optional<absl::string_view> ReadBlock(const Handle& handle, absl::string_view name) {
    blocks_.push_back(handle);
    const bool inside =
        handle.bytes <= footer_ && handle.offset <= footer_ && handle.end() <= footer_;
    if (!inside) {
      Report(footer_, absl::StrCat(name, " is said to lie outside of the file"));
      return std::nullopt;
    }
    // Blocks share no bytes: so the time is that of the file, whatever the indexes say.
    taken_bytes_ += handle.bytes + kTrailerBytes;
    if (taken_bytes_ > footer_) {
      Report(handle.offset, absl::StrCat(name, " overlaps another block"));
      return std::nullopt;
    }
    const absl::string_view covered = file_.substr(handle.offset, handle.bytes + 1);
    leveldb_coding::Reader reader(file_.substr(handle.offset + handle.bytes + 1, 4));
    uint64_t stored = 0;
    reader.Fixed(4, &stored);
    if (stored != leveldb_coding::Masked(Crc32c(covered))) {
      Report(handle.offset, absl::StrCat(name, ", ", handle.bytes, " bytes, fails its checksum"));
      return std::nullopt;
    }
    if (covered.back() != 0) {
      Report(handle.offset, absl::StrCat(name, " is compressed in a way that is never written"));
      return std::nullopt;
    }
    return covered.substr(0, handle.bytes);
  }

  void Take(const Handle& handle, absl::string_view name, Visit visit) {
    const std::optional<absl::string_view> block = ReadBlock(handle, name);
    if (block.has_value() && !Walk(*block, visit)) {
      Report(handle.offset, absl::StrCat(name, " makes no sense"));
    }
  }

  // Entries with shared beginnings, then restart points, then how many of these there are.
  static bool Walk(absl::string_view block, Visit visit) {
    if (block.size() < 4) return false;
    uint64_t restarts = 0;
    leveldb_coding::Reader tail(block.substr(block.size() - 4));
    tail.Fixed(4, &restarts);
    if (restarts > (block.size() - 4) / 4) return false;
    leveldb_coding::Reader reader(block.substr(0, block.size() - 4 - 4 * restarts));
    std::string key;
    while (!reader.AtEnd()) {
      uint64_t shared = 0;
      uint64_t own = 0;
      uint64_t value_bytes = 0;
      absl::string_view rest;
      absl::string_view value;
      if (!reader.Varint(&shared) || !reader.Varint(&own) || !reader.Varint(&value_bytes) ||
          shared > key.size() || !reader.Bytes(own, &rest) || !reader.Bytes(value_bytes, &value)) {
        return false;
      }
      key.resize(shared);
      key.append(rest.data(), rest.size());
      visit(key, value);
    }
    return true;
  }

  void TakeFilter(absl::string_view handle_text) {
    Handle handle;
    leveldb_coding::Reader reader(handle_text);
    if (!ReadHandle(reader, &handle)) return Report(footer_, "a handle makes no sense");
    ReadBlock(handle, "the filter");
  }

  void TakeData(absl::string_view last_key, absl::string_view handle_text) {
    Handle handle;
    leveldb_coding::Reader reader(handle_text);
    if (!ReadHandle(reader, &handle)) return Report(footer_, "a handle makes no sense");
    if (!IsInternalKey(last_key)) return Report(footer_, "a key of the index makes no sense");
    bool ordered = true;
    Take(handle, "a data block", [&](absl::string_view key, absl::string_view value) {
      ordered = ordered && TakeEntry(key, value) && !InternalKeyLess(last_key, key);
    });
    if (!ordered) Report(handle.offset, "the keys of a data block do not ascend");
  }

  bool TakeEntry(absl::string_view key, absl::string_view value) {
    if (!IsInternalKey(key)) return false;
    if (any_key_ && !InternalKeyLess(last_key_, key)) return false;
    any_key_ = true;
    last_key_.assign(key.data(), key.size());
    const uint64_t trailer = Trailer(key);
    visit_({.internal_key = key,
            .user_key = key.substr(0, key.size() - kSequenceBytes),
            .sequence = trailer >> 8,
            .deleted = (trailer & 0xFF) == 0,
            .value = value});
    return true;
  }

  // Only where all blocks are known can it be said that something lies between them.
  void CheckTiling() {
    if (!problems_.empty()) return;
    std::sort(blocks_.begin(), blocks_.end(),
              [](const Handle& a, const Handle& b) { return a.offset < b.offset; });
    uint64_t at = 0;
    for (const Handle& block : blocks_) {
      if (block.offset != at) return Report(at, "bytes that belong to no block");
      at = block.end();
    }
    if (at != footer_) Report(at, "bytes that belong to no block");
  }

  absl::string_view file_;
  absl::FunctionRef<void(const TableEntry& entry)> visit_;
  std::vector<TableProblem> problems_;
  uint64_t footer_ = 0;       // its offset
  uint64_t taken_bytes_ = 0;  // of all blocks so far
  std::vector<Handle> blocks_;
  bool any_key_ = false;
  std::string last_key_;
};

}  // namespace

std::vector<TableProblem> CheckTable(absl::string_view file,
                                     absl::FunctionRef<void(const TableEntry& entry)> visit) {
  return TableWalk(file, visit).Run();
}

bool IsTableFooter(absl::string_view footer, uint64_t file_bytes) {
  Handle meta_index;
  Handle index;
  return footer.size() == kTableFooterBytes && file_bytes >= kTableFooterBytes &&
         DecodeFooter(footer, file_bytes - kTableFooterBytes, &meta_index, &index);
}

bool IsInternalKey(absl::string_view key) { return key.size() >= kSequenceBytes; }

// Of equal user keys the newest comes first.
bool InternalKeyLess(absl::string_view left, absl::string_view right) {
  const absl::string_view left_user = left.substr(0, left.size() - kSequenceBytes);
  const absl::string_view right_user = right.substr(0, right.size() - kSequenceBytes);
  if (left_user != right_user) return left_user < right_user;
  return Trailer(left) > Trailer(right);
}

}  // namespace lockstep::storage
