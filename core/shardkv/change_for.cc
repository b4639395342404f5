// A configuration as one group sees it.
#include <algorithm>

#include "core/shardkv/agent.h"

namespace lockstep::shardkv {
namespace {

template <class Groups>
const proto::ShardGroup* Find(const Groups& groups, uint64_t gid) {
  const auto at = std::find_if(groups.begin(), groups.end(),
                               [&](const proto::ShardGroup& group) { return group.gid() == gid; });
  return at == groups.end() ? nullptr : &*at;
}

// The group that holds what is handed over: a gid that left and came back is departed as a source.
const proto::ShardGroup* SourceOf(const proto::Configuration& configuration, uint64_t gid) {
  const proto::ShardGroup* departed = Find(configuration.departed(), gid);
  return departed != nullptr ? departed : Find(configuration.groups(), gid);
}

}  // namespace

std::optional<proto::Reconfigure> ChangeFor(GroupId group, const proto::ShardStates& state,
                                            const proto::Configuration& configuration) {
  const proto::ShardGroup* self = Find(configuration.groups(), group.value());
  const bool next = configuration.num() == state.num() + 1;
  const bool joins = !state.member() && self != nullptr && configuration.num() > state.num() &&
                     self->joined() == configuration.num();
  if (!next && !joins) return std::nullopt;
  proto::Reconfigure change;
  change.set_num(configuration.num());
  change.set_shards(static_cast<uint32_t>(configuration.owners_size()));
  change.set_member(self != nullptr);
  change.set_joined(self != nullptr ? self->joined() : 0);
  if (configuration.has_controllers()) *change.mutable_controllers() = configuration.controllers();
  for (const proto::Handover& handover : configuration.handovers()) {
    const proto::ShardGroup* source = SourceOf(configuration, handover.from());
    const bool from_us = handover.from() == group.value() && state.member() && source != nullptr &&
                         source->joined() == state.joined();
    if (from_us && handover.ended() == configuration.num()) {
      proto::LostShard* lost = change.add_lost();
      lost->set_shard(handover.shard());
      const proto::ShardGroup* to = Find(configuration.groups(), handover.to());
      if (to != nullptr) *lost->mutable_destination() = *to;
    }
    if (handover.to() != group.value()) continue;
    proto::GainedShard* gained = change.add_gained();
    gained->set_shard(handover.shard());
    if (source == nullptr) continue;
    *gained->mutable_source() = *source;
    gained->set_ended(handover.ended());
  }
  return change;
}

}  // namespace lockstep::shardkv
