#include "core/shardkv/command.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/placement.h"
#include "core/kv/command.h"
#include "core/kv/table_layout.h"

namespace lockstep::shardkv {
namespace {

absl::Status ValidateShard(uint32_t shard, uint32_t shards) {
  if (shards == 0 || shard < shards) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "shard ", shard, " does not exist: the cluster has ", shards, ", numbered from 0"));
}

absl::Status ValidateKey(absl::string_view key, uint32_t shard, uint32_t shards) {
  if (shards == 0) return absl::OkStatus();
  const uint64_t right = ShardOf(key, shards).value();
  if (right == shard) return absl::OkStatus();
  constexpr size_t kShownBytesMax = 24;
  return absl::InvalidArgumentError(
      absl::StrCat("key \"", absl::CEscape(key.substr(0, kShownBytesMax)), "\" is of shard ", right,
                   ", not of ", shard, ": keys of one request must share a {tag}"));
}

}  // namespace

absl::Status ValidatePlacement(const proto::Command& command, uint32_t shards) {
  absl::Status status = ValidateShard(command.shard(), shards);
  const absl::string_view key = kv::KeyOf(command);
  if (status.ok() && !key.empty()) status = ValidateKey(key, command.shard(), shards);
  for (const proto::BatchOperation& operation : command.batch().operations()) {
    if (status.ok()) status = ValidateKey(kv::KeyOf(operation), command.shard(), shards);
  }
  return status;
}

absl::Status ValidatePlacement(const proto::Query& query, uint32_t shards) {
  absl::Status status = ValidateShard(query.shard(), shards);
  if (status.ok() && query.has_get()) {
    status = ValidateKey(query.get().key(), query.shard(), shards);
  }
  for (const std::string& key : query.get_many().keys()) {
    if (status.ok()) status = ValidateKey(key, query.shard(), shards);
  }
  for (const uint32_t shard : query.list().shards()) {
    if (status.ok()) status = ValidateShard(shard, shards);
  }
  return status;
}

void RefuseShard(uint32_t shard, uint64_t num, bool arrives, proto::Result* result) {
  result->set_code(proto::WRONG_GROUP);
  result->set_configuration_num(num);
  result->set_message(absl::StrCat(
      "shard ", shard, arrives ? " is still arriving at this group" : " is not at this group",
      " as of configuration ", num,
      arrives ? ": try again soon" : ": ask the controller for the newest one, and its group"));
}

uint32_t ChecksumOf(const proto::TenurePart& part) {
  uint32_t crc = 0;
  std::string sizes;
  for (const proto::ShardRecord& record : part.records()) {
    sizes.clear();
    kv::AppendBigEndian64(record.key().size(), &sizes);
    kv::AppendBigEndian64(record.value().size(), &sizes);
    crc = Crc32cExtend(crc, sizes);
    crc = Crc32cExtend(crc, record.key());
    crc = Crc32cExtend(crc, record.value());
  }
  return crc;
}

}  // namespace lockstep::shardkv
