#include "core/controller/rebalance.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "core/base/check.h"

namespace lockstep::controller {
namespace {

// A group while its shards are counted.
struct Share {
  GroupId gid;
  size_t pinned = 0;
  size_t count = 0;   // owned so far, pinned ones included
  size_t target = 0;  // Invariant: pinned <= target
};

using Shares = std::vector<Share>;  // ascending gid

Share* Find(Shares& shares, GroupId gid) {
  const auto at = std::lower_bound(shares.begin(), shares.end(), gid,
                                   [](const Share& share, GroupId id) { return share.gid < id; });
  return at == shares.end() || at->gid != gid ? nullptr : &*at;
}

// Shards that are needed to give every group `level`, or its pins if they are more.
size_t Needed(const Shares& shares, size_t level) {
  size_t sum = 0;
  for (const Share& share : shares) sum += std::max(share.pinned, level);
  return sum;
}

void SetTargets(size_t shards, Shares& shares) {
  size_t level = 0;  // Invariant: Needed(level) <= shards < Needed(above)
  size_t above = shards + 1;
  CheckLe(Needed(shares, level), shards);
  while (above - level > 1) {
    const size_t middle = level + (above - level) / 2;
    (Needed(shares, middle) <= shards ? level : above) = middle;
  }
  std::vector<Share*> open;  // those whose pins leave room for more
  for (Share& share : shares) {
    share.target = std::max(share.pinned, level);
    if (share.pinned <= level) open.push_back(&share);
  }
  const size_t left = shards - Needed(shares, level);
  CheckLt(left, open.size());
  std::sort(open.begin(), open.end(), [](const Share* a, const Share* b) {
    return std::tie(b->count, a->gid) < std::tie(a->count, b->gid);
  });
  for (size_t i = 0; i < left; ++i) ++open[i]->target;
}

// Owners that are still there, with pinned shards where they belong. Counts them.
std::vector<GroupId> Settle(absl::Span<const GroupId> owners, absl::Span<const Pin> pins,
                            Shares& shares, std::vector<bool>* fixed) {
  std::vector<GroupId> settled(owners.begin(), owners.end());
  for (const Pin& pin : pins) {
    CheckLt(pin.shard.value(), settled.size());
    Share* share = Find(shares, pin.gid);
    if (share == nullptr) continue;
    settled[pin.shard.value()] = pin.gid;
    (*fixed)[pin.shard.value()] = true;
    ++share->pinned;
  }
  Share* last = nullptr;  // Neighbours often have the same owner.
  for (GroupId& owner : settled) {
    if (last == nullptr || last->gid != owner) last = Find(shares, owner);
    if (last == nullptr) {
      owner = GroupId();
    } else {
      ++last->count;
    }
  }
  return settled;
}

}  // namespace

std::vector<GroupId> Rebalance(absl::Span<const GroupId> owners, absl::Span<const GroupId> gids,
                               absl::Span<const Pin> pins) {
  if (gids.empty()) return std::vector<GroupId>(owners.size());
  Shares shares;
  for (const GroupId gid : gids) {
    CheckLt(shares.empty() ? GroupId() : shares.back().gid, gid);
    shares.push_back({.gid = gid});
  }
  std::vector<bool> fixed(owners.size());
  std::vector<GroupId> settled = Settle(owners, pins, shares, &fixed);
  SetTargets(owners.size(), shares);

  auto taker = shares.begin();
  std::vector<size_t> surplus;
  for (size_t shard = 0; shard < settled.size(); ++shard) {
    if (settled[shard] == GroupId()) {
      surplus.push_back(shard);
      continue;
    }
    if (fixed[shard]) continue;
    Share* owner = Find(shares, settled[shard]);
    if (owner->count <= owner->target) continue;
    --owner->count;
    surplus.push_back(shard);
  }
  for (const size_t shard : surplus) {
    while (taker != shares.end() && taker->count >= taker->target) ++taker;
    Check(taker != shares.end(), "more shards than targets");
    settled[shard] = taker->gid;
    ++taker->count;
  }
  for (const Share& share : shares) CheckEq(share.count, share.target);
  return settled;
}

}  // namespace lockstep::controller
