#include "fuzz/models/kv_model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "core/kv/command.h"

namespace lockstep::fuzz {

proto::Result KvModel::Apply(const proto::Command& command, uint64_t index) {
  proto::Result result;
  const absl::Status valid = kv::ValidateCommand(command, options_.limits);
  if (!valid.ok()) {
    result.set_code(kv::CodeOf(valid));
  } else if (command.has_register_session()) {
    Register(index, &result);
  } else if (!sessions_.contains(command.session())) {
    result.set_code(proto::SESSION_UNKNOWN);
  } else if (command.has_close_session()) {
    sessions_.erase(command.session());
    result.set_code(proto::OK);
    result.set_index(index);
  } else {
    InSession(command, index, &result);
  }
  return result;
}

void KvModel::Register(uint64_t index, proto::Result* result) {
  if (sessions_.size() >= options_.sessions_max) {
    sessions_.erase(std::min_element(
        sessions_.begin(), sessions_.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  sessions_[index].used = index;
  result->set_code(proto::OK);
  result->set_session(index);
  result->set_index(index);
}

void KvModel::InSession(const proto::Command& command, uint64_t index, proto::Result* result) {
  Session& session = sessions_.at(command.session());
  if (command.sequence() < session.first_outstanding) {
    result->set_code(proto::SEQUENCE_STALE);
    return;
  }
  const auto kept = session.replies.find(command.sequence());
  if (kept != session.replies.end()) {
    *result = kept->second;
    result->set_replayed(true);
    return;
  }
  *result = Execute(command);
  result->set_index(index);
  session.used = index;
  session.first_outstanding = std::max(session.first_outstanding, command.first_outstanding());
  session.replies.erase(session.replies.begin(),
                        session.replies.lower_bound(session.first_outstanding));
  uint64_t bytes = result->value().size();
  for (const auto& [sequence, reply] : session.replies) bytes += reply.value().size();
  proto::Result& reply = session.replies[command.sequence()] = *result;
  const bool too_large = result->value().size() > options_.session_value_bytes_max ||
                         bytes > options_.session_reply_bytes_max;
  if (!too_large) return;
  reply.clear_value();
  reply.set_value_omitted(true);
}

proto::Result KvModel::Execute(const proto::Command& command) {
  proto::Result result;
  result.set_code(proto::OK);
  Pairs after = pairs_;
  if (command.has_batch()) {
    for (int i = 0; i < command.batch().operations_size() && result.code() == proto::OK; ++i) {
      ExecuteOne(command.batch().operations(i), &after, &result);
      if (result.code() != proto::OK) result.set_failed_operation(static_cast<uint32_t>(i));
    }
  } else {
    ExecuteOne(command, &after, &result);
  }
  if (result.code() == proto::OK) pairs_ = std::move(after);
  return result;
}

template <class Operation>
void KvModel::ExecuteOne(const Operation& operation, Pairs* pairs, proto::Result* result) const {
  if (operation.has_put()) Do(operation.put(), pairs, result);
  if (operation.has_append()) Do(operation.append(), pairs, result);
  if (operation.has_delete_()) Do(operation.delete_(), pairs, result);
  if (operation.has_compare_and_swap()) Do(operation.compare_and_swap(), pairs, result);
}

void KvModel::Do(const proto::Put& put, Pairs* pairs, proto::Result*) const {
  (*pairs)[put.key()] = put.value();
}

void KvModel::Do(const proto::Append& append, Pairs* pairs, proto::Result* result) const {
  const auto found = pairs->find(append.key());
  const std::string value =
      (found == pairs->end() ? std::string() : found->second) + append.value();
  if (value.size() > options_.limits.value_bytes_max) {
    result->set_code(proto::TOO_LARGE);
  } else {
    (*pairs)[append.key()] = value;
  }
}

void KvModel::Do(const proto::Delete& erase, Pairs* pairs, proto::Result*) const {
  pairs->erase(erase.key());
}

void KvModel::Do(const proto::CompareAndSwap& swap, Pairs* pairs, proto::Result* result) const {
  const auto found = pairs->find(swap.key());
  const bool missing = found == pairs->end();
  const bool matches = swap.has_expected() ? !missing && found->second == swap.expected() : missing;
  if (!matches) {
    result->set_code(proto::CONFLICT);
    if (!missing) result->set_value(found->second);
  } else if (swap.has_value()) {
    (*pairs)[swap.key()] = swap.value();
  } else {
    pairs->erase(swap.key());
  }
}

proto::Result KvModel::Answer(const proto::Query& query) const {
  proto::Result result;
  result.set_code(proto::OK);
  if (query.has_get()) {
    const auto found = pairs_.find(query.get().key());
    if (found != pairs_.end()) result.set_value(found->second);
    return result;
  }
  uint64_t bytes = 0;
  for (const std::string& key : query.get_many().keys()) {
    const auto found = pairs_.find(key);
    if (found == pairs_.end()) continue;
    bytes += found->second.size();
    result.add_pairs()->set_key(key);
    result.mutable_pairs()->rbegin()->set_value(found->second);
  }
  if (bytes <= options_.limits.get_many_bytes_max || result.pairs_size() < 2) return result;
  result.clear_pairs();
  result.set_code(proto::TOO_LARGE);
  return result;
}

std::map<std::string, std::string> KvModel::Listed(const proto::List& list) const {
  Pairs listed;
  for (const auto& [key, value] : pairs_) {
    if (absl::StartsWith(key, list.prefix()) && key >= list.start()) listed.emplace(key, value);
  }
  return listed;
}

}  // namespace lockstep::fuzz
