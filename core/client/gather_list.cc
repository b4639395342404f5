// One page of a List from the pages of many groups.
//
// Every group is asked for a whole page, since all of it may be hers. What is kept is a page too,
// however many groups there are: the smallest keys so far. Where a group's page ended early nobody
// knows what comes next, so ours ends there as well.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/client/gather.h"
#include "core/kv/continuation.h"

namespace lockstep::client {

GatheredList::GatheredList(proto::List list, const kv::KvLimits& limits)
    : limits_(limits), list_(std::move(list)) {}

std::vector<GatheredList::Asked> GatheredList::Plan(const Routes& routes) {
  Check(routes.has_groups());
  if (!begun_) {
    for (uint32_t shard = 0; shard < routes.shards(); ++shard) missing_.push_back(shard);
    begun_ = true;
  }
  absl::btree_map<GroupId, Asked> by_owner;
  for (const uint32_t shard : missing_) {
    const GroupId owner = routes.OwnerOf(ShardId(shard));
    Asked& asked = by_owner[owner];
    if (!asked.group) {
      asked.group = owner;
      *asked.query.mutable_list() = list_;
    }
    asked.query.mutable_list()->add_shards(shard);
  }
  missing_.clear();
  std::vector<Asked> all;
  for (auto& [owner, asked] : by_owner) all.push_back(std::move(asked));
  return all;
}

void GatheredList::Ask(OperationId part, Asked asked) {
  Check(asked_.emplace(part, std::move(asked)).second);
}

void GatheredList::Return(OperationId part) {
  const auto found = asked_.find(part);
  Check(found != asked_.end());
  const auto& shards = found->second.query.list().shards();
  missing_.insert(missing_.end(), shards.begin(), shards.end());
  asked_.erase(found);
}

bool GatheredList::Add(OperationId part, proto::Result result) {
  const bool more = !result.continuation().empty();
  if (more && result.pairs().empty()) {
    Return(part);
    return false;
  }
  const std::string final_key = more ? std::string(result.pairs().rbegin()->key()) : std::string();
  for (proto::Pair& pair : *result.mutable_pairs()) {
    if (!Offer(&pair)) break;  // Those that follow are larger still.
  }
  if (more) EndAt(final_key);
  stale_ |= result.stale();
  asked_.erase(part);
  return true;
}

std::vector<OperationId> GatheredList::Misplaced(const Routes& routes) const {
  std::vector<OperationId> parts;
  for (const auto& [part, asked] : asked_) {
    const auto& shards = asked.query.list().shards();
    const GroupId group = asked.group;
    const bool all_there = std::all_of(shards.begin(), shards.end(), [&](uint32_t shard) {
      return routes.OwnerOf(ShardId(shard)) == group;
    });
    if (!all_there) parts.push_back(part);
  }
  return parts;
}

bool GatheredList::IsFull() const {
  const uint32_t limit =
      list_.limit() == 0 ? limits_.list_pairs_max : std::min(list_.limit(), limits_.list_pairs_max);
  return pairs_.size() > limit || bytes_ > limits_.list_bytes_max;
}

bool GatheredList::Offer(proto::Pair* pair) {
  if (end_.has_value() && pair->key() > *end_) return false;
  const uint64_t bytes = pair->key().size() + pair->value().size();
  const bool added =
      pairs_.emplace(std::move(*pair->mutable_key()), std::move(*pair->mutable_value())).second;
  if (!added) return true;  // Twice: no two groups have it, unless somebody is broken.
  bytes_ += bytes;
  while (IsFull() && pairs_.size() > 1) EndAt(std::prev(std::prev(pairs_.end()))->first);
  return true;
}

// Nothing after `key` belongs on the page.
void GatheredList::EndAt(const std::string& key) {
  if (end_.has_value() && *end_ <= key) return;
  end_ = key;
  while (!pairs_.empty() && std::prev(pairs_.end())->first > *end_) {
    const auto largest = std::prev(pairs_.end());
    bytes_ -= largest->first.size() + largest->second.size();
    pairs_.erase(largest);
  }
}

proto::Result GatheredList::Finish() {
  Check(complete());
  proto::Result result;
  result.set_code(proto::OK);
  result.set_stale(stale_);
  for (auto& [key, value] : pairs_) {
    proto::Pair* pair = result.add_pairs();
    pair->set_key(key);
    *pair->mutable_value() = std::move(value);
  }
  if (end_.has_value()) {
    Check(!pairs_.empty());
    result.set_continuation(kv::MakeContinuation(list_.prefix(), pairs_.rbegin()->first));
  }
  return result;
}

}  // namespace lockstep::client
