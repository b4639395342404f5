// What a shard group asks of commands and queries beside what a key-value group does, and the
// commands that it writes into its own log.
#ifndef LOCKSTEP_CORE_SHARDKV_COMMAND_H_
#define LOCKSTEP_CORE_SHARDKV_COMMAND_H_

#include <cstdint>

#include "absl/status/status.h"
#include "core/proto/client.pb.h"

namespace lockstep::shardkv {

// InvalidArgument unless all keys are of the shard that is named, in a cluster of `shards`; with 0
// shards (not known yet) only what is certain is checked. REQUIRES: kv::ValidateCommand or
// kv::ValidateQuery accepted it.
absl::Status ValidatePlacement(const proto::Command& command, uint32_t shards);
absl::Status ValidatePlacement(const proto::Query& query, uint32_t shards);

// WRONG_GROUP: the shard is not served here as of configuration `num`. `arrives`: soon it will be.
void RefuseShard(uint32_t shard, uint64_t num, bool arrives, proto::Result* result);

// CRC32C over the records of a part, each with its lengths.
uint32_t ChecksumOf(const proto::TenurePart& part);

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_COMMAND_H_
