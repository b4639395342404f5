// Reads: clients', each of a shard that is served here, and those of other groups, of a frozen
// tenure.
#include <string>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/command.h"
#include "core/kv/list_page.h"
#include "core/shardkv/command.h"
#include "core/shardkv/shard_machine.h"

namespace lockstep::shardkv {

Bytes ShardMachine::Query(const Bytes& query, LogPosition applied, const TableReader& table) const {
  proto::Query parsed;
  proto::Result result;
  const bool readable = query.size() <= size_t{INT32_MAX} &&
                        parsed.ParseFromArray(query.data(), static_cast<int>(query.size()));
  if (readable) {
    Answer(parsed, applied.index, table, &result);
    result.set_stale(parsed.stale());
  } else {
    result = kv::RefusalFor(absl::InvalidArgumentError(
        absl::StrCat("the request of ", query.size(), " bytes holds no query")));
  }
  return kv::Encode(result);
}

void ShardMachine::Answer(const proto::Query& query, Index applied, const TableReader& table,
                          proto::Result* result) const {
  if (query.has_get_shards()) {
    result->set_code(proto::OK);
    result->set_index(applied.value());
    *result->mutable_shards() = Group();
    for (const auto& [id, tenure] : tenures_) {
      proto::ShardTenure& told = *result->mutable_shards()->add_tenures();
      told = ToProto(tenure);
      if (tenure.machine != nullptr) told.set_sessions(tenure.machine->sessions());
    }
    return;
  }
  if (query.has_read_tenure()) return ReadPart(query.read_tenure(), table, result);
  absl::Status valid = kv::ValidateQuery(query, options_.kv.limits);
  if (valid.ok()) valid = ValidatePlacement(query, shards_);
  if (!valid.ok()) {
    *result = kv::RefusalFor(valid);
    return;
  }
  if (query.has_list()) return ReadList(query.list(), table, result);
  const Tenure* tenure = Served(query.shard(), result);
  if (tenure == nullptr) return;
  const ContentsReader contents(table, tenure->prefix());
  tenure->machine->Answer(query, tenure->VersionAt(applied), contents, result);
}

// The keys of several shards side by side, in one order.
void ShardMachine::ReadList(const proto::List& list, const TableReader& table,
                            proto::Result* result) const {
  absl::btree_set<uint32_t> shards(list.shards().begin(), list.shards().end());
  for (const uint32_t shard : shards) {
    if (Served(shard, result) == nullptr) return;
  }
  kv::ListPage page(list, options_.kv.limits);
  for (const uint32_t shard : shards) {
    const Tenure& tenure = *Served(shard, result);
    if (tenure.counts.keys > 0) page.Add(ContentsReader(table, tenure.prefix()));
  }
  page.Fill(result);
}

// What is frozen never changes, so any replica may answer, any number of times.
void ShardMachine::ReadPart(const proto::ReadTenure& read, const TableReader& table,
                            proto::Result* result) const {
  const Tenure* tenure = Ended(read.shard(), read.ended());
  const bool gone =
      tenure == nullptr ? num_ >= read.ended() : tenure->state == proto::SHARD_DROPPED;
  if (tenure == nullptr || tenure->state != proto::SHARD_FROZEN) {
    result->set_code(gone ? proto::NOT_FOUND : proto::FAILED_PRECONDITION);
    result->set_message(absl::StrCat("shard ", read.shard(), ", lost in configuration ",
                                     read.ended(), ", is ",
                                     gone ? "not here any more" : "not frozen yet"));
    return;
  }
  result->set_code(proto::OK);
  proto::TenurePart& part = *result->mutable_part();
  uint64_t bytes = 0;
  bool more = false;
  const ContentsReader contents(table, tenure->prefix());
  contents.Scan(read.resume(), [&](absl::string_view key, absl::string_view value) {
    bytes += key.size() + value.size();
    more = part.records_size() > 0 && bytes > read.bytes_max();
    if (more) {
      part.mutable_resume()->assign(key.data(), key.size());
      return false;
    }
    proto::ShardRecord* record = part.add_records();
    record->mutable_key()->assign(key.data(), key.size());
    record->mutable_value()->assign(value.data(), value.size());
    return true;
  });
  part.set_checksum(ChecksumOf(part));
  if (!more) *part.mutable_summary() = tenure->Summary();
}

}  // namespace lockstep::shardkv
