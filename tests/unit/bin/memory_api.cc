#include "tests/unit/bin/memory_api.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lockstep::bin {

absl::Status MemoryApi::Due() {
  const std::lock_guard<std::mutex> lock(cluster_.mutex);
  if (cluster_.failures.empty()) return absl::OkStatus();
  absl::Status status = std::move(cluster_.failures.front());
  cluster_.failures.pop_front();
  return status;
}

absl::StatusOr<v1::GetResponse> MemoryApi::Get(const v1::GetRequest& request) {
  const absl::Status due = Due();
  if (!due.ok()) return due;
  v1::GetResponse response;
  const auto found = cluster_.table.find(request.key());
  response.set_found(found != cluster_.table.end());
  if (response.found()) response.set_value(found->second);
  response.set_version(cluster_.version);
  response.set_stale(request.consistency() == v1::STALE);
  return response;
}

absl::StatusOr<v1::GetManyResponse> MemoryApi::GetMany(const v1::GetManyRequest& request) {
  v1::GetManyResponse response;
  for (const std::string& key : request.keys()) {
    const auto found = cluster_.table.find(key);
    if (found == cluster_.table.end()) continue;
    v1::Pair* pair = response.add_pairs();
    pair->set_key(key);
    pair->set_value(found->second);
  }
  return response;
}

absl::StatusOr<v1::PutResponse> MemoryApi::Put(const v1::PutRequest& request) {
  const absl::Status due = Due();
  if (!due.ok()) return due;
  cluster_.table[request.key()] = request.value();
  v1::PutResponse response;
  response.set_version(++cluster_.version);
  return response;
}

absl::StatusOr<v1::AppendResponse> MemoryApi::Append(const v1::AppendRequest& request) {
  cluster_.table[request.key()] += request.value();
  v1::AppendResponse response;
  response.set_version(++cluster_.version);
  return response;
}

absl::StatusOr<v1::DeleteResponse> MemoryApi::Delete(const v1::DeleteRequest& request) {
  cluster_.table.erase(request.key());
  v1::DeleteResponse response;
  response.set_version(++cluster_.version);
  return response;
}

absl::StatusOr<v1::CompareAndSwapResponse> MemoryApi::CompareAndSwap(
    const v1::CompareAndSwapRequest& request) {
  v1::CompareAndSwapResponse response;
  const auto found = cluster_.table.find(request.key());
  const bool there = found != cluster_.table.end();
  response.set_swapped(there == request.has_expected() &&
                       (!there || found->second == request.expected()));
  if (!response.swapped()) {
    if (there) response.set_actual(found->second);
  } else if (request.has_value()) {
    cluster_.table[request.key()] = request.value();
  } else {
    cluster_.table.erase(request.key());
  }
  response.set_version(++cluster_.version);
  return response;
}

absl::StatusOr<v1::ListResponse> MemoryApi::List(const v1::ListRequest& request) {
  const absl::Status due = Due();
  if (!due.ok()) return due;
  v1::ListResponse response;
  const std::string& start = std::max(request.start(), request.prefix());
  auto at = request.continuation().empty() ? cluster_.table.lower_bound(start)
                                           : cluster_.table.upper_bound(request.continuation());
  size_t left = cluster_.page_max;
  if (request.limit() > 0) left = std::min<size_t>(left, request.limit());
  for (; left > 0 && at != cluster_.table.end(); ++at, --left) {
    if (!absl::StartsWith(at->first, request.prefix())) return response;
    v1::Pair* pair = response.add_pairs();
    pair->set_key(at->first);
    if (!request.keys_only()) pair->set_value(at->second);
  }
  if (at != cluster_.table.end()) response.set_continuation(response.pairs().rbegin()->key());
  response.set_stale(request.consistency() == v1::STALE);
  return response;
}

v1::WriteOutcome MemoryApi::Execute(const v1::Write& write) {
  v1::WriteOutcome outcome;
  outcome.set_kind(v1::WriteOutcome::EXECUTED);
  if (write.has_put()) cluster_.table[write.put().key()] = write.put().value();
  if (write.has_append()) cluster_.table[write.append().key()] += write.append().value();
  if (write.has_delete_()) cluster_.table.erase(write.delete_().key());
  if (write.has_compare_and_swap() && !CompareAndSwap(write.compare_and_swap())->swapped()) {
    outcome.set_kind(v1::WriteOutcome::CONFLICT);
  }
  return outcome;
}

absl::StatusOr<v1::BatchResponse> MemoryApi::Batch(const v1::BatchRequest& request) {
  const absl::Status due = Due();
  const std::lock_guard<std::mutex> lock(cluster_.mutex);
  ++cluster_.batches;
  v1::BatchResponse response;
  response.set_committed(true);
  // A failure that says UNKNOWN has executed the first half of the writes, and tells so of each.
  const bool half = absl::IsDeadlineExceeded(due) && !request.atomic();
  if (!due.ok() && !half) return due;
  const std::map<std::string, std::string> before = cluster_.table;
  for (int i = 0; i < request.writes_size(); ++i) {
    v1::WriteOutcome outcome;
    outcome.set_message("nobody knows");
    if (!half || i < request.writes_size() / 2) outcome = Execute(request.writes(i));
    if (outcome.kind() != v1::WriteOutcome::EXECUTED) response.set_committed(false);
    if (!response.committed() && request.atomic()) {
      cluster_.table = before;
      response.set_failed_write(static_cast<uint32_t>(i));
      return response;
    }
    if (!request.atomic()) *response.add_each() = outcome;
  }
  return response;
}

absl::StatusOr<v1::JoinResponse> MemoryApi::Join(const v1::JoinRequest& request) {
  for (const v1::Group& group : request.groups()) {
    std::string call = absl::StrCat("join ", group.gid());
    for (const v1::Member& member : group.members()) {
      absl::StrAppend(&call, " ", member.node(), "@", member.address());
    }
    cluster_.calls.push_back(call);
  }
  v1::JoinResponse response;
  response.set_configuration(7);
  return response;
}

absl::StatusOr<v1::LeaveResponse> MemoryApi::Leave(const v1::LeaveRequest& request) {
  const absl::Status due = Due();
  if (!due.ok()) return due;
  std::string call = request.force() ? "force leave" : "leave";
  for (uint64_t gid : request.gids()) absl::StrAppend(&call, " ", gid);
  cluster_.calls.push_back(call);
  v1::LeaveResponse response;
  response.set_configuration(8);
  return response;
}

absl::StatusOr<v1::MoveResponse> MemoryApi::Move(const v1::MoveRequest& request) {
  cluster_.calls.push_back(absl::StrCat("move ", request.shard(), " ", request.gid()));
  v1::MoveResponse response;
  response.set_configuration(9);
  return response;
}

absl::StatusOr<v1::UnpinResponse> MemoryApi::Unpin(const v1::UnpinRequest& request) {
  cluster_.calls.push_back(absl::StrCat("unpin ", request.shard()));
  v1::UnpinResponse response;
  response.set_configuration(10);
  return response;
}

absl::StatusOr<v1::QueryResponse> MemoryApi::Query(const v1::QueryRequest& request) {
  cluster_.calls.push_back(absl::StrCat("query ", request.num()));
  v1::QueryResponse response;
  *response.mutable_configuration() = cluster_.configuration;
  return response;
}

absl::StatusOr<v1::TransferLeaderResponse> MemoryApi::TransferLeader(
    const v1::TransferLeaderRequest& request) {
  cluster_.calls.push_back(absl::StrCat("transfer ", request.group(), " ", request.to()));
  return v1::TransferLeaderResponse();
}

absl::StatusOr<v1::AddNodeResponse> MemoryApi::AddNode(const v1::AddNodeRequest& request) {
  const absl::Status due = Due();
  if (!due.ok()) return due;
  cluster_.calls.push_back(absl::StrCat("add ", request.learner() ? "learner " : "", request.node(),
                                        "@", request.address(), " to [",
                                        absl::StrJoin(request.groups(), " "), "]"));
  v1::AddNodeResponse response;
  *response.mutable_groups() = {cluster_.changes.begin(), cluster_.changes.end()};
  return response;
}

absl::StatusOr<v1::RemoveNodeResponse> MemoryApi::RemoveNode(const v1::RemoveNodeRequest& request) {
  const absl::Status due = Due();
  if (!due.ok()) return due;
  cluster_.calls.push_back(absl::StrCat("remove ", request.node(), " from [",
                                        absl::StrJoin(request.groups(), " "), "]"));
  v1::RemoveNodeResponse response;
  *response.mutable_groups() = {cluster_.changes.begin(), cluster_.changes.end()};
  return response;
}

absl::StatusOr<v1::ReplaceNodeResponse> MemoryApi::ReplaceNode(
    const v1::ReplaceNodeRequest& request) {
  cluster_.calls.push_back(absl::StrCat("replace ", request.replaces(), " by ", request.node(), "@",
                                        request.address(), " in [",
                                        absl::StrJoin(request.groups(), " "), "]"));
  v1::ReplaceNodeResponse response;
  *response.mutable_groups() = {cluster_.changes.begin(), cluster_.changes.end()};
  return response;
}

absl::StatusOr<v1::StatusResponse> MemoryApi::Status(const v1::StatusRequest&) {
  if (cluster_.next_status.empty()) return cluster_.status;
  v1::StatusResponse status = std::move(cluster_.next_status.front());
  cluster_.next_status.pop_front();
  return status;
}

Ran RunLockstep(MemoryCluster& cluster, const std::vector<std::string>& arguments,
                const std::string& in) {
  const Arguments argv("lockstep", arguments);
  std::istringstream input(in);
  std::ostringstream out;
  std::ostringstream err;
  Ran ran;
  ran.exit_code =
      RunCommandLine(argv.count(), argv.values(), input, out, err,
                     [&](const ApiOptions&, bool) -> absl::StatusOr<std::unique_ptr<Api>> {
                       return std::make_unique<MemoryApi>(cluster);
                     });
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

}  // namespace lockstep::bin
