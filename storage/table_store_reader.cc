#include "storage/table_store_reader.h"

#include <memory>

#include "absl/strings/match.h"

namespace lockstep::storage {

bool GroupReader::Get(absl::string_view key, std::string* value) const {
  full_key_.assign(prefix_);
  full_key_.append(key.data(), key.size());
  const leveldb::Status got = db_.Get(options_, full_key_, value);
  if (!got.ok() && !got.IsNotFound() && status_.ok()) status_ = got;
  return got.ok();
}

void GroupReader::Scan(
    absl::string_view start,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
  // Not full_key_: `visit` may call Get.
  std::string first = prefix_;
  first.append(start.data(), start.size());
  const std::unique_ptr<leveldb::Iterator> at(db_.NewIterator(options_));
  // LevelDB's iterators skip a damaged block and go on behind it: nobody may be shown that gap.
  for (at->Seek(first); at->Valid() && at->status().ok(); at->Next()) {
    const absl::string_view key(at->key().data(), at->key().size());
    if (!absl::StartsWith(key, prefix_)) break;
    const absl::string_view value(at->value().data(), at->value().size());
    if (!visit(key.substr(prefix_.size()), value)) break;
  }
  if (!at->status().ok() && status_.ok()) status_ = at->status();
}

}  // namespace lockstep::storage
