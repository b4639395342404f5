// What a client can be told to do.
#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/scenario/support/client.h"

namespace lockstep::scenario {
namespace {

constexpr size_t kShownBytes = 20;

std::string Short(const std::string& text) {
  if (text.size() <= kShownBytes) return text;
  return absl::StrCat(text.substr(0, kShownBytes), "... (", text.size(), " bytes)");
}

Pairs PairsOf(const Pending& pending) {
  Pairs pairs;
  if (!pending.ok()) return pairs;
  for (const proto::Pair& pair : pending.outcome().result.pairs()) {
    EXPECT_TRUE(pairs.emplace(pair.key(), pair.value()).second) << "twice: " << pair.key();
  }
  return pairs;
}

}  // namespace

proto::BatchOperation PutOf(const std::string& key, const std::string& value) {
  proto::BatchOperation write;
  write.mutable_put()->set_key(key);
  write.mutable_put()->set_value(value);
  return write;
}

proto::BatchOperation AppendOf(const std::string& key, const std::string& value) {
  proto::BatchOperation write;
  write.mutable_append()->set_key(key);
  write.mutable_append()->set_value(value);
  return write;
}

// --- Those that wait ---

void Client::Put(const std::string& key, const std::string& value) {
  Complete(PutSoon(key, value));
}
void Client::Append(const std::string& key, const std::string& value) {
  Complete(AppendSoon(key, value));
}
void Client::Delete(const std::string& key) { Complete(DeleteSoon(key)); }
void Client::Bulk(const Writes& writes) { Complete(BulkSoon(writes)); }

void Client::Batch(const Writes& writes) {
  const Pending pending = BatchSoon(writes);
  Complete(pending);
  EXPECT_TRUE(!pending.ok() || pending.outcome().result.code() == proto::OK) << pending.what();
}

std::optional<std::string> Client::Get(const std::string& key) {
  const Pending pending = GetSoon(key);
  Complete(pending);
  return pending.ok() ? pending.value() : std::nullopt;
}

bool Client::Cas(const std::string& key, const std::optional<std::string>& expected,
                 const std::optional<std::string>& value) {
  const Pending pending = CasSoon(key, expected, value);
  Complete(pending);
  return pending.ok() && pending.outcome().result.code() == proto::OK;
}

Pairs Client::GetMany(const std::vector<std::string>& keys) {
  const Pending pending = GetManySoon(keys);
  Complete(pending);
  return PairsOf(pending);
}

Page Client::List(const std::string& prefix, uint32_t limit, const std::string& continuation) {
  const Pending pending = ListSoon(prefix, limit, continuation);
  Complete(pending);
  if (!pending.ok()) return {};
  return {.pairs = PairsOf(pending), .continuation = pending.outcome().result.continuation()};
}

// --- Those that do not ---

Pending Client::PutSoon(const std::string& key, const std::string& value, Duration patience) {
  proto::Command command;
  command.mutable_put()->set_key(key);
  command.mutable_put()->set_value(value);
  return Issue(std::move(command), absl::StrCat("put ", key, " = ", Short(value)), patience);
}

Pending Client::AppendSoon(const std::string& key, const std::string& value, Duration patience) {
  proto::Command command;
  command.mutable_append()->set_key(key);
  command.mutable_append()->set_value(value);
  return Issue(std::move(command), absl::StrCat("append ", key, " += ", Short(value)), patience);
}

Pending Client::DeleteSoon(const std::string& key, Duration patience) {
  proto::Command command;
  command.mutable_delete_()->set_key(key);
  return Issue(std::move(command), absl::StrCat("delete ", key), patience);
}

Pending Client::GetSoon(const std::string& key, Duration patience) {
  proto::Query query;
  query.mutable_get()->set_key(key);
  return Issue(std::move(query), absl::StrCat("get ", key), patience);
}

Pending Client::CasSoon(const std::string& key, const std::optional<std::string>& expected,
                        const std::optional<std::string>& value, Duration patience) {
  proto::Command command;
  proto::CompareAndSwap& swap = *command.mutable_compare_and_swap();
  swap.set_key(key);
  if (expected.has_value()) swap.set_expected(*expected);
  if (value.has_value()) swap.set_value(*value);
  return Issue(std::move(command), absl::StrCat("cas ", key), patience);
}

Pending Client::GetManySoon(const std::vector<std::string>& keys, Duration patience) {
  proto::Query query;
  for (const std::string& key : keys) query.mutable_get_many()->add_keys(key);
  return Issue(std::move(query), absl::StrCat("get ", keys.size(), " keys"), patience);
}

Pending Client::ListSoon(const std::string& prefix, uint32_t limit, const std::string& continuation,
                         Duration patience) {
  proto::Query query;
  query.mutable_list()->set_prefix(prefix);
  query.mutable_list()->set_limit(limit);
  query.mutable_list()->set_continuation(continuation);
  return Issue(std::move(query), absl::StrCat("list ", prefix), patience);
}

Pending Client::BatchSoon(const Writes& writes, Duration patience) {
  proto::Command command;
  for (const proto::BatchOperation& write : writes) {
    *command.mutable_batch()->add_operations() = write;
  }
  return Issue(std::move(command), absl::StrCat("batch of ", writes.size()), patience);
}

Pending Client::BulkSoon(const Writes& writes, Duration patience) {
  return Issue(writes, absl::StrCat("bulk of ", writes.size()), patience);
}

}  // namespace lockstep::scenario
