#include "storage/snapshot_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "storage/table_store_keys.h"

namespace lockstep::storage {
namespace {

constexpr uint64_t kHeaderBytes = 8;
constexpr size_t kMarksMax = 64;

void AppendLength(uint64_t length, std::string* out) {
  for (int shift = 0; shift < 32; shift += 8) {
    out->push_back(static_cast<char>(length >> shift & 0xFF));
  }
}

uint64_t LengthAt(absl::string_view text, size_t at) {
  uint64_t length = 0;
  for (size_t i = 4; i > 0; --i) length = length << 8 | static_cast<uint8_t>(text[at + i - 1]);
  return length;
}

absl::string_view View(const leveldb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

// REQUIRES: the header is whole.
uint64_t RecordBytesOf(absl::string_view record) {
  return kHeaderBytes + LengthAt(record, 0) + LengthAt(record, 4);
}

absl::Status ValidateHeader(absl::string_view header) {
  if (LengthAt(header, 0) > kTableKeyBytesMax || LengthAt(header, 4) > kTableValueBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("snapshot record of ", LengthAt(header, 0),
                                                   " + ", LengthAt(header, 4), " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace

SnapshotReader::SnapshotReader(std::unique_ptr<leveldb::Iterator> iterator, std::string prefix,
                               LogPosition position)
    : iterator_(std::move(iterator)), prefix_(std::move(prefix)), position_(position) {
  iterator_->Seek(prefix_);
}

bool SnapshotReader::AtRecord() const {
  return iterator_->Valid() && absl::StartsWith(View(iterator_->key()), prefix_);
}

uint64_t SnapshotReader::RecordBytes() const {
  return kHeaderBytes + (iterator_->key().size() - prefix_.size()) + iterator_->value().size();
}

void SnapshotReader::Remember() {
  if (!marks_.empty() && record_offset_ < marks_.back().offset + mark_spacing_) return;
  if (marks_.empty() && record_offset_ < mark_spacing_) return;
  if (marks_.size() == kMarksMax) {  // Every second one goes; the rest stand twice as far apart.
    for (size_t i = 0; i < kMarksMax / 2; ++i) marks_[i] = std::move(marks_[2 * i + 1]);
    marks_.resize(kMarksMax / 2);
    mark_spacing_ *= 2;
    return;
  }
  marks_.push_back({record_offset_, iterator_->key().ToString()});
}

void SnapshotReader::NextRecord() {
  record_offset_ += RecordBytes();
  iterator_->Next();
  if (AtRecord()) Remember();
}

void SnapshotReader::MoveTo(uint64_t offset) {
  if (offset < record_offset_) {
    const auto after =
        std::upper_bound(marks_.begin(), marks_.end(), offset,
                         [](uint64_t at, const Mark& mark) { return at < mark.offset; });
    if (after == marks_.begin()) {
      record_offset_ = 0;
      iterator_->Seek(prefix_);
    } else {
      record_offset_ = std::prev(after)->offset;
      iterator_->Seek(std::prev(after)->key);
    }
  }
  while (AtRecord() && offset >= record_offset_ + RecordBytes()) NextRecord();
}

void SnapshotReader::CopyRecord(uint64_t skip, uint64_t bytes_max, std::string* out) const {
  std::string header;
  const absl::string_view key = View(iterator_->key()).substr(prefix_.size());
  const absl::string_view value = View(iterator_->value());
  AppendLength(key.size(), &header);
  AppendLength(value.size(), &header);
  for (absl::string_view part : {absl::string_view(header), key, value}) {
    const uint64_t skipped = std::min<uint64_t>(skip, part.size());
    skip -= skipped;
    part = part.substr(skipped, bytes_max - out->size());
    out->append(part.data(), part.size());
  }
}

absl::Status SnapshotReader::Read(uint64_t offset, uint64_t bytes_max, std::string* out,
                                  bool* last) {
  CheckLt(uint64_t{0}, bytes_max);
  out->clear();
  MoveTo(offset);
  const uint64_t skip = offset - record_offset_;
  if (AtRecord()) CopyRecord(skip, bytes_max, out);
  const bool beyond = !AtRecord() && skip > 0;
  // Here and below: the record at the iterator is wholly in *out, so go on to the next.
  while (AtRecord() && offset + out->size() == record_offset_ + RecordBytes()) {
    NextRecord();
    if (out->size() == bytes_max || !AtRecord()) break;
    CopyRecord(0, bytes_max, out);
  }
  *last = !AtRecord();
  if (!iterator_->status().ok()) return absl::InternalError(iterator_->status().ToString());
  if (beyond) {
    return absl::OutOfRangeError(
        absl::StrCat("offset ", offset, " in a snapshot of ", record_offset_, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::Deliver(
    absl::string_view record_bytes,
    absl::FunctionRef<void(absl::string_view key, absl::string_view value)> record) {
  const uint64_t key_bytes = LengthAt(record_bytes, 0);
  const absl::string_view key = record_bytes.substr(kHeaderBytes, key_bytes);
  if (any_key_ && key <= last_key_) {
    return absl::InvalidArgumentError("snapshot keys do not ascend");
  }
  last_key_.assign(key.data(), key.size());
  any_key_ = true;
  record(key, record_bytes.substr(kHeaderBytes + key_bytes));
  record_offset_ += record_bytes.size();
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::Feed(
    absl::string_view data,
    absl::FunctionRef<void(absl::string_view key, absl::string_view value)> record) {
  while (!data.empty()) {
    // A record that lies wholly in `data` is not copied.
    if (carry_.empty() && data.size() >= kHeaderBytes) {
      if (absl::Status valid = ValidateHeader(data); !valid.ok()) return valid;
      const uint64_t bytes = RecordBytesOf(data);
      if (data.size() >= bytes) {
        absl::Status delivered = Deliver(data.substr(0, bytes), record);
        if (!delivered.ok()) return delivered;
        data.remove_prefix(bytes);
        continue;
      }
    }
    const uint64_t wanted = carry_.size() < kHeaderBytes ? kHeaderBytes : RecordBytesOf(carry_);
    const uint64_t taken = std::min<uint64_t>(wanted - carry_.size(), data.size());
    carry_.append(data.data(), taken);
    data.remove_prefix(taken);
    if (carry_.size() < kHeaderBytes) break;
    if (absl::Status valid = ValidateHeader(carry_); !valid.ok()) return valid;
    if (carry_.size() < RecordBytesOf(carry_)) continue;
    const std::string whole = std::exchange(carry_, std::string());
    if (absl::Status delivered = Deliver(whole, record); !delivered.ok()) return delivered;
  }
  return absl::OkStatus();
}

}  // namespace lockstep::storage
