// A table as a stream of bytes: records of 4 bytes key length, 4 bytes value length
// (little-endian), key and value, in ascending order of keys, and nothing else. Equal tables have
// equal streams, so a transfer may go on with another sender at the same position.
#ifndef LOCKSTEP_STORAGE_SNAPSHOT_STREAM_H_
#define LOCKSTEP_STORAGE_SNAPSHOT_STREAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/runtime/log.h"
#include "leveldb/iterator.h"

namespace lockstep::storage {

// Reads the stream of one table as it was when the reader was made, at any offset. Going on where
// the last read ended is cheap; going back reads about 1 MiB again, or a thirtieth of the stream if
// that is more.
class SnapshotReader {
 public:
  // `iterator` shows the state to read and is kept; that alone keeps the state alive. The keys of
  // the table are those that begin with `prefix`.
  SnapshotReader(std::unique_ptr<leveldb::Iterator> iterator, std::string prefix,
                 LogPosition position);

  LogPosition position() const { return position_; }
  // Replaces `*out` by at most `bytes_max` bytes from `offset` on; fewer only at the end. `*last`:
  // the stream ends with them. Errors: OutOfRange when `offset` is behind the end; Internal when
  // the table cannot be read.
  absl::Status Read(uint64_t offset, uint64_t bytes_max, std::string* out, bool* last);

 private:
  // Where a record begins.
  struct Mark {
    uint64_t offset;
    std::string key;
  };

  bool AtRecord() const;
  uint64_t RecordBytes() const;
  void NextRecord();
  void Remember();
  // Moves to the record that holds `offset`, or to the end.
  void MoveTo(uint64_t offset);
  // Appends the record's bytes from `skip` on, until `*out` holds `bytes_max`.
  void CopyRecord(uint64_t skip, uint64_t bytes_max, std::string* out) const;

  std::unique_ptr<leveldb::Iterator> iterator_;
  std::string prefix_;
  LogPosition position_;
  uint64_t record_offset_ = 0;  // of the record at the iterator
  std::vector<Mark> marks_;     // ascending, about evenly spaced
  uint64_t mark_spacing_ = uint64_t{1} << 20;
};

// Takes a stream apart again, in pieces cut anywhere.
class SnapshotDecoder {
 public:
  // The next byte fed is at `offset`, where a record begins.
  explicit SnapshotDecoder(uint64_t offset) : record_offset_(offset) {}

  // All records before it have been delivered: where to go on if this decoder is lost.
  uint64_t record_offset() const { return record_offset_; }
  // All bytes before it have been fed.
  uint64_t next_offset() const { return record_offset_ + carry_.size(); }

  // Delivers the records that `data` completes. Errors: InvalidArgument for bytes that are no
  // stream; the decoder is then of no more use.
  absl::Status Feed(absl::string_view data,
                    absl::FunctionRef<void(absl::string_view key, absl::string_view value)> record);

 private:
  absl::Status Deliver(
      absl::string_view record_bytes,
      absl::FunctionRef<void(absl::string_view key, absl::string_view value)> record);

  uint64_t record_offset_;
  std::string carry_;  // the beginning of a record
  std::string last_key_;
  bool any_key_ = false;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_SNAPSHOT_STREAM_H_
