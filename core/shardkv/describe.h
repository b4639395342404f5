// One line of text for what shard groups say to themselves and to each other.
#ifndef LOCKSTEP_CORE_SHARDKV_DESCRIBE_H_
#define LOCKSTEP_CORE_SHARDKV_DESCRIBE_H_

#include <string>

#include "core/proto/client.pb.h"
#include "core/proto/shard.pb.h"

namespace lockstep::shardkv {

// "come to configuration 7: gain 1 from 5@6, 3; lose 4 to 6", "install part 2 of shard 1@7: 30
// records". Commands that are not a shard group's own are described as kv::Describe does.
std::string Describe(const proto::Command& command);
// "group 5 to 6: part 2 of shard 1@7 please".
std::string Describe(const proto::ShardMessage& message);
// "shard 1@7 SHARD_PULLING from 5".
std::string Describe(const proto::ShardTenure& tenure);

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_DESCRIBE_H_
