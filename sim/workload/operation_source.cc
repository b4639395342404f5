#include "sim/workload/operation_source.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/placement.h"

namespace lockstep::sim {
namespace {

// Long enough never to decide anything: the world bounds the liveness phase.
constexpr Duration kFinalDeadline = std::chrono::hours(24);

std::string KeyNumber(uint32_t i, uint32_t tags) {
  const std::string key = absl::StrFormat("k%02d", i);  // Two digits: ascending as text.
  return tags == 0 ? key : absl::StrCat("{t", i % tags, "}", key);
}

}  // namespace

std::string PairName(size_t pair) { return absl::StrCat("{p", pair, "}"); }

absl::string_view PairOf(absl::string_view key) {
  if (key.substr(0, 2) != "{p") return {};
  return key.substr(0, key.find('}') + 1);
}

OperationSource::OperationSource(const WorkloadOptions& options, Rng rng)
    : options_(options),
      rng_(rng),
      stale_rng_(rng.Split("stale")),
      any_replica_rng_(rng.Split("any replica")),
      left_(options.operations) {
  CheckLe(1u, options_.keys);
  CheckLe(1u, options_.skew);
  for (uint32_t i = 0; i < options_.keys; ++i) {
    keys_.push_back(KeyNumber(i, options_.tags));
  }
  std::sort(keys_.begin(), keys_.end());
  seen_.resize(keys_.size());
  pairs_seen_.resize(options_.pairs);
}

size_t OperationSource::DrawKey() {
  uint64_t least = keys_.size() - 1;
  for (uint32_t i = 0; i < options_.skew; ++i) {
    const uint64_t drawn = rng_.Below(keys_.size());
    least = std::min(least, drawn);
  }
  return static_cast<size_t>(least);
}

// Unique texts name their writer and end in a byte that they hold nowhere else, so that a string of
// appended texts can be read back in one way only.
std::string OperationSource::DrawValue(uint64_t client) {
  if (!options_.unique_values) {
    const uint64_t which = rng_.Below(3);
    return std::string(1, static_cast<char>('a' + which));
  }
  ++values_;
  const bool large = options_.large_bytes_max > 0 && rng_.Chance(options_.large);
  const uint64_t padding = rng_.Magnitude(
      1, large ? options_.large_bytes_max : std::max<uint64_t>(1, options_.value_bytes_max));
  return absl::StrCat("c", client, "-", values_, "|", std::string(padding - 1, '.'), ";");
}

Duration OperationSource::DrawDeadline() {
  const auto first = static_cast<uint64_t>(options_.deadline_min.count());
  const auto final = static_cast<uint64_t>(options_.deadline_max.count());
  return Duration(static_cast<int64_t>(rng_.Magnitude(first, final)));
}

void OperationSource::Hurry(Instant until, Duration think_max) {
  hurry_until_ = until;
  hurry_think_max_ = think_max;
}

Duration OperationSource::ThinkTime(Instant now) {
  Duration longest = options_.think_max;
  if (now < hurry_until_) longest = std::min(longest, hurry_think_max_);
  if (longest <= Duration(0)) return Duration(0);
  const auto most = static_cast<uint64_t>(longest.count());
  return Duration(static_cast<int64_t>(rng_.Magnitude(1, most)));
}

std::optional<Duration> OperationSource::RestartAfter() {
  if (options_.restart.numerator == 0 || !rng_.Chance(options_.restart)) return std::nullopt;
  return rng_.Between(Duration(1), 2 * options_.attempt_timeout);
}

proto::Command OperationSource::DrawCompareAndSwap(uint64_t client) {
  const size_t key = DrawKey();
  proto::Command command;
  proto::CompareAndSwap& swap = *command.mutable_compare_and_swap();
  swap.set_key(keys_[key]);
  if (rng_.Chance({1, 2})) {
    if (seen_[key].has_value()) swap.set_expected(*seen_[key]);
  } else if (rng_.Chance({1, 2})) {
    swap.set_expected(DrawValue(client));  // Nobody has written this, if values are unique.
  }
  if (!rng_.Chance({1, 8})) swap.set_value(DrawValue(client));
  return command;
}

proto::Query OperationSource::DrawList() {
  proto::Query query;
  proto::List& list = *query.mutable_list();
  if (rng_.Chance({1, 2})) list.set_prefix(rng_.Chance({1, 2}) ? "k" : "k0");
  if (rng_.Chance({1, 3})) list.set_start(keys_[DrawKey()]);
  if (rng_.Chance({1, 2})) list.set_limit(static_cast<uint32_t>(rng_.Between(1, keys_.size())));
  return query;
}

std::optional<PlannedOperation> OperationSource::Next(uint64_t client,
                                                      const std::optional<ListPosition>& page) {
  if (left_ == 0) return std::nullopt;
  --left_;
  ++issued_;
  PlannedOperation planned{.body = proto::Command(), .deadline = DrawDeadline(), .page = {}};
  if (page.has_value() && rng_.Chance({1, 2})) {
    proto::Query query;
    query.mutable_list()->set_prefix(page->prefix);
    query.mutable_list()->set_continuation(page->continuation);
    planned.body = std::move(query);
    planned.page = page;
    return planned;
  }
  OperationMix mix = options_.mix;
  if (only_reads(client)) {
    mix = OperationMix{.get = mix.get,
                       .list = mix.list,
                       .get_many = mix.get_many,
                       .read_several = mix.read_several};
  }
  proto::Command command;
  proto::Query query;
  uint64_t draw = rng_.Below(uint64_t{mix.get} + mix.put + mix.append + mix.remove +
                             mix.compare_and_swap + mix.list + mix.batch + mix.get_many +
                             mix.read_several + mix.bulk + mix.misplaced_batch);
  // Takes the kind's share off the draw; true when the draw falls into it.
  const auto is = [&draw](uint32_t weight) {
    if (draw < weight) return true;
    draw -= weight;
    return false;
  };
  if (is(mix.get)) {
    query.mutable_get()->set_key(keys_[DrawKey()]);
    planned.body = std::move(query);
  } else if (is(mix.list)) {
    planned.body = DrawList();
  } else if (is(mix.batch)) {
    planned.body = DrawBatch(client);
  } else if (is(mix.get_many)) {
    planned.body = ReadPair(rng_.Below(options_.pairs));
  } else if (is(mix.read_several)) {
    planned.body = DrawSeveral();
  } else if (is(mix.bulk)) {
    planned.body = DrawBulk(client);
    planned.bulk = true;
  } else if (is(mix.misplaced_batch)) {
    std::optional<proto::Command> batch = DrawMisplaced(client);
    planned.misplaced = batch.has_value();
    planned.body = batch.has_value() ? *std::move(batch) : DrawCompareAndSwap(client);
  } else if (is(mix.put)) {
    command.mutable_put()->set_key(keys_[DrawKey()]);
    command.mutable_put()->set_value(DrawValue(client));
    planned.body = std::move(command);
  } else if (is(mix.append)) {
    command.mutable_append()->set_key(keys_[DrawKey()]);
    command.mutable_append()->set_value(DrawValue(client));
    planned.body = std::move(command);
  } else if (is(mix.remove)) {
    command.mutable_delete_()->set_key(keys_[DrawKey()]);
    planned.body = std::move(command);
  } else {
    planned.body = DrawCompareAndSwap(client);
  }
  return planned;
}

void OperationSource::MaybeStale(uint64_t client, PlannedOperation* planned) {
  auto* query = std::get_if<proto::Query>(&planned->body);
  if (query == nullptr || options_.stale.numerator == 0 || !options_.IsThin(client)) return;
  if (stale_rng_.Chance(options_.stale)) query->set_stale(true);
}

void OperationSource::MaybeAnyReplica(bool often, PlannedOperation* planned) {
  auto* query = std::get_if<proto::Query>(&planned->body);
  if (query == nullptr || query->stale()) return;
  const Ratio chance = often ? Ratio{3, 4} : options_.any_replica;
  if (chance.numerator == 0) return;  // without a draw
  if (any_replica_rng_.Chance(chance)) query->set_any_replica(true);
}

// Both keys of a pair get the same value; perhaps only if the first one holds what was seen last.
proto::Command OperationSource::DrawBatch(uint64_t client) {
  const size_t pair = rng_.Below(options_.pairs);
  const std::string value = DrawValue(client);
  const std::string name = PairName(pair);
  const bool swaps = rng_.Chance({1, 3});
  proto::Command command;
  proto::BatchOperation& first = *command.mutable_batch()->add_operations();
  if (swaps) {
    proto::CompareAndSwap& swap = *first.mutable_compare_and_swap();
    swap.set_key(name + "a");
    if (pairs_seen_[pair].has_value()) swap.set_expected(*pairs_seen_[pair]);
    swap.set_value(value);
  } else {
    first.mutable_put()->set_key(name + "a");
    first.mutable_put()->set_value(value);
  }
  proto::Put& second = *command.mutable_batch()->add_operations()->mutable_put();
  second.set_key(name + "b");
  second.set_value(value);
  return command;
}

proto::Query OperationSource::ReadPair(size_t pair) const {
  proto::Query query;
  query.mutable_get_many()->add_keys(PairName(pair) + "a");
  query.mutable_get_many()->add_keys(PairName(pair) + "b");
  return query;
}

proto::Query OperationSource::DrawSeveral() {
  constexpr uint64_t kSeveralMax = 5;
  const uint64_t count = rng_.Between(1, std::min<uint64_t>(kSeveralMax, keys_.size()));
  absl::btree_set<size_t> drawn;
  while (drawn.size() < count) drawn.insert(rng_.Below(keys_.size()));
  proto::Query query;
  for (const size_t key : drawn) query.mutable_get_many()->add_keys(keys_[key]);
  return query;
}

// Nullopt: this time all keys are of one shard.
std::optional<proto::Command> OperationSource::DrawMisplaced(uint64_t client) {
  const std::string& first = keys_[DrawKey()];
  const uint64_t other = rng_.Below(keys_.size());
  const std::string& second = keys_[other];
  if (ShardOf(first, options_.shards) == ShardOf(second, options_.shards)) return std::nullopt;
  proto::Command command;
  for (const std::string& key : {first, second}) {
    proto::Put& put = *command.mutable_batch()->add_operations()->mutable_put();
    put.set_key(key);
    put.set_value(DrawValue(client));
  }
  return command;
}

PlannedOperation OperationSource::FinalPairRead(size_t pair) const {
  return {.body = ReadPair(pair), .deadline = kFinalDeadline, .page = {}};
}

proto::Command OperationSource::DrawBulk(uint64_t client) {
  constexpr uint64_t kBulkMax = 6;
  const uint64_t count = rng_.Between(2, std::min<uint64_t>(kBulkMax, keys_.size()));
  absl::btree_set<size_t> drawn;
  while (drawn.size() < count) drawn.insert(rng_.Below(keys_.size()));
  proto::Command command;
  for (const size_t key : drawn) {
    *command.mutable_batch()->add_operations() = DrawBulkPart(key, client);
  }
  return command;
}

proto::BatchOperation OperationSource::DrawBulkPart(size_t key, uint64_t client) {
  proto::BatchOperation operation;
  switch (rng_.Below(4)) {
    case 0:
      operation.mutable_append()->set_key(keys_[key]);
      operation.mutable_append()->set_value(DrawValue(client));
      break;
    case 1:
      operation.mutable_compare_and_swap()->set_key(keys_[key]);
      if (seen_[key].has_value()) operation.mutable_compare_and_swap()->set_expected(*seen_[key]);
      operation.mutable_compare_and_swap()->set_value(DrawValue(client));
      break;
    default:
      operation.mutable_put()->set_key(keys_[key]);
      operation.mutable_put()->set_value(DrawValue(client));
      break;
  }
  return operation;
}

PlannedOperation OperationSource::FinalWrite(uint64_t client) {
  proto::Command command;
  command.mutable_put()->set_key(keys_[DrawKey()]);
  command.mutable_put()->set_value(DrawValue(client));
  return {.body = std::move(command), .deadline = kFinalDeadline, .page = {}};
}

PlannedOperation OperationSource::FinalRead(const std::string& key) const {
  proto::Query query;
  query.mutable_get()->set_key(key);
  return {.body = std::move(query), .deadline = kFinalDeadline, .page = {}};
}

void OperationSource::OnValueSeen(const std::string& key, std::optional<std::string> value) {
  const auto found = std::lower_bound(keys_.begin(), keys_.end(), key);
  // A key that nobody writes: the history will show what the answer is worth.
  if (found == keys_.end() || *found != key) return;
  seen_[static_cast<size_t>(found - keys_.begin())] = std::move(value);
}

void OperationSource::OnPairSeen(const std::string& tag, std::optional<std::string> value) {
  for (size_t pair = 0; pair < pairs_seen_.size(); ++pair) {
    if (PairName(pair) == tag) pairs_seen_[pair] = value;
  }
}

}  // namespace lockstep::sim
