// Where every shard is, and where it goes: what the configuration wants beside what replicas hold.
// Pure.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_SHARD_MAP_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_SHARD_MAP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/http/dashboard/picture.h"

namespace lockstep::net::http {

// A shard on its way. What is to come is not known while nobody of the source answers.
struct ShardMove {
  uint64_t from = 0;  // a group; 0: nobody who answers has it
  uint64_t to = 0;
  uint64_t keys_arrived = 0;
  uint64_t bytes_arrived = 0;
  std::optional<uint64_t> keys_total;
  std::optional<uint64_t> bytes_total;
};

struct ShardPlace {
  uint32_t shard = 0;
  uint64_t owner = 0;  // a group, by the configuration; 0: nobody
  bool pinned = false;
  std::string
      state;  // of the owner's replica, or of the source's until that has begun; "": unknown
  uint64_t keys = 0;
  uint64_t bytes = 0;
  uint64_t leader = 0;  // the node that leads the owner; 0: nobody
  std::optional<ShardMove> move;
};

// By shard, ascending.
std::vector<ShardPlace> ShardMap(const Picture& picture);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_SHARD_MAP_H_
