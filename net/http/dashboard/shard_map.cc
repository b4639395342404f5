#include "net/http/dashboard/shard_map.h"

#include <algorithm>

namespace lockstep::net::http {
namespace {

using lockstep::v1::ReplicaStatus;
using lockstep::v1::ShardStatus;

// The group's latest tenure of the shard, by who speaks for the group.
const ShardStatus* TenureOf(const Picture& picture, uint64_t group, uint32_t shard) {
  const ReplicaStatus* speaker = picture.SpeakerFor(group);
  if (speaker == nullptr) return nullptr;
  const ShardStatus* latest = nullptr;
  for (const ShardStatus& each : speaker->shards()) {
    if (each.shard() != shard) continue;
    if (latest == nullptr || each.since() >= latest->since()) latest = &each;
  }
  return latest;
}

bool IsServed(const ShardStatus& tenure) {
  return tenure.state() == "SERVING" || tenure.state() == "SERVING_GC";
}

struct Holder {
  uint64_t group = 0;
  const ShardStatus* tenure = nullptr;
};
// Another group than the owner that has all of the shard: it serves it still, or has frozen it.
Holder FindSource(const Picture& picture, uint64_t owner, uint32_t shard) {
  Holder source;
  for (const uint64_t group : picture.Groups()) {
    if (group == 0 || group == owner) continue;
    const ShardStatus* tenure = TenureOf(picture, group, shard);
    if (tenure == nullptr || !(IsServed(*tenure) || tenure->state() == "FROZEN")) continue;
    if (source.tenure != nullptr && tenure->since() < source.tenure->since()) continue;
    source = {group, tenure};
  }
  return source;
}

void FillIn(const Picture& picture, ShardPlace* place) {
  const ShardStatus* tenure = TenureOf(picture, place->owner, place->shard);
  if (tenure != nullptr && tenure->state() == "DROPPED") tenure = nullptr;
  if (tenure != nullptr && tenure->state() != "PULLING") {
    place->state = tenure->state();
    place->keys = tenure->keys();
    place->bytes = tenure->bytes();
    return;
  }
  const Holder source = FindSource(picture, place->owner, place->shard);
  if (tenure == nullptr && source.tenure == nullptr) return;
  ShardMove move{.from = source.group, .to = place->owner, .keys_total = {}, .bytes_total = {}};
  place->state = tenure != nullptr ? tenure->state() : source.tenure->state();
  if (tenure != nullptr) {
    move.keys_arrived = place->keys = tenure->keys();
    move.bytes_arrived = place->bytes = tenure->bytes();
  }
  if (source.tenure != nullptr) {
    move.keys_total = place->keys = source.tenure->keys();
    move.bytes_total = place->bytes = source.tenure->bytes();
  }
  place->move = move;
}

}  // namespace

std::vector<ShardPlace> ShardMap(const Picture& picture) {
  const lockstep::v1::Configuration& configuration = picture.configuration();
  const auto& pinned = configuration.pinned();
  std::vector<ShardPlace> places;
  for (int i = 0; i < configuration.owners_size(); ++i) {
    ShardPlace& place = places.emplace_back();
    place.shard = static_cast<uint32_t>(i);
    place.owner = configuration.owners(i);
    place.pinned = std::find(pinned.begin(), pinned.end(), place.shard) != pinned.end();
    if (place.owner == 0) continue;
    place.leader = picture.LeadingNode(place.owner);
    FillIn(picture, &place);
  }
  return places;
}

}  // namespace lockstep::net::http
