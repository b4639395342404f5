#include "tests/unit/net/http_fake_service.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "core/base/check.h"
#include "core/base/limits.h"

namespace lockstep::net::http_test {
namespace {

Bytes Encoded(const google::protobuf::Message& message) {
  return Bytes::Copy(message.SerializeAsString());
}

template <class T>
std::optional<T> Parsed(const Bytes& bytes) {
  T message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  return message;
}

}  // namespace

Bytes FakeStore::Answer(const Bytes& request) {
  const auto gateway = Parsed<proto::GatewayRequest>(request);
  Check(gateway.has_value());
  if (gateway->body_case() == proto::GatewayRequest::BODY_NOT_SET) {
    const auto client = Parsed<proto::ClientRequest>(request);
    Check(client.has_value() && client->has_get_node_status());
    proto::ClientReply reply;
    *reply.mutable_node_status() = node;
    return Encoded(reply);
  }
  ++asked;
  last = *gateway;
  if (planted.has_value()) return Encoded(*std::exchange(planted, std::nullopt));
  return Encoded(AnswerGateway(*gateway));
}

proto::GatewayReply FakeStore::AnswerGateway(const proto::GatewayRequest& request) {
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::OK);
  proto::Result* result = reply.mutable_result();
  result->set_code(proto::OK);
  switch (request.body_case()) {
    case proto::GatewayRequest::kCommand:
      *result = Command(request.command());
      break;
    case proto::GatewayRequest::kQuery:
      *result = Query(request.query());
      break;
    case proto::GatewayRequest::kBulk:
      for (const proto::BatchOperation& operation : request.bulk().operations()) {
        proto::GatewayReply* each = reply.add_each();
        each->set_kind(proto::GatewayReply::OK);
        each->mutable_result()->set_code(proto::OK);
        Write(operation, each->mutable_result());
        each->mutable_result()->set_index(++version_);
      }
      break;
    case proto::GatewayRequest::kClusterStatus:
      *reply.mutable_cluster_status() = cluster;
      break;
    case proto::GatewayRequest::kJoin:
      result->set_configuration_num(++version_);
      break;
    default:
      break;
  }
  return reply;
}

proto::Result FakeStore::Command(const proto::Command& command) {
  const std::pair<uint64_t, uint64_t> place(command.session(), command.sequence());
  if (const auto found = stored_.find(place); place.second != 0 && found != stored_.end()) {
    proto::Result again = found->second;
    again.set_replayed(true);
    return again;
  }
  proto::Result result = Execute(command);
  result.set_index(++version_);
  if (command.has_register_session()) result.set_session(version_);
  if (place.second != 0) stored_[place] = result;
  return result;
}

proto::Result FakeStore::Execute(const proto::Command& command) {
  proto::Result result;
  result.set_code(proto::OK);
  result.set_configuration_num(version_ + 1);
  proto::BatchOperation one;
  if (command.has_put()) *one.mutable_put() = command.put();
  if (command.has_append()) *one.mutable_append() = command.append();
  if (command.has_delete_()) *one.mutable_delete_() = command.delete_();
  if (command.has_compare_and_swap()) {
    *one.mutable_compare_and_swap() = command.compare_and_swap();
  }
  if (one.operation_case() != proto::BatchOperation::OPERATION_NOT_SET) Write(one, &result);
  const std::map<std::string, std::string> before = command.has_batch() ? pairs : decltype(pairs)();
  for (int i = 0; i < command.batch().operations_size(); ++i) {
    if (Write(command.batch().operations(i), &result)) continue;
    result.set_failed_operation(static_cast<uint32_t>(i));
    pairs = before;
    break;
  }
  return result;
}

// False: a comparison failed.
bool FakeStore::Write(const proto::BatchOperation& operation, proto::Result* result) {
  if (operation.has_put()) pairs[operation.put().key()] = operation.put().value();
  if (operation.has_append()) pairs[operation.append().key()] += operation.append().value();
  if (operation.has_delete_()) pairs.erase(operation.delete_().key());
  if (!operation.has_compare_and_swap()) return true;
  const proto::CompareAndSwap& swap = operation.compare_and_swap();
  const auto found = pairs.find(swap.key());
  const bool exists = found != pairs.end();
  const bool equal = swap.has_expected() ? exists && found->second == swap.expected() : !exists;
  if (!equal) {
    result->set_code(proto::CONFLICT);
    if (exists) result->set_value(found->second);
    return false;
  }
  if (swap.has_value()) {
    pairs[swap.key()] = swap.value();
  } else {
    pairs.erase(swap.key());
  }
  return true;
}

proto::Result FakeStore::Query(const proto::Query& query) const {
  proto::Result result;
  result.set_code(proto::OK);
  result.set_index(version_);
  result.set_stale(query.stale());
  if (query.has_get()) {
    const auto found = pairs.find(query.get().key());
    if (found != pairs.end()) result.set_value(found->second);
  }
  for (const std::string& key : query.get_many().keys()) {
    const auto found = pairs.find(key);
    if (found == pairs.end()) continue;
    proto::Pair* pair = result.add_pairs();
    pair->set_key(key);
    pair->set_value(found->second);
  }
  if (query.has_list()) List(query.list(), &result);
  if (query.has_get_configuration()) {
    result.mutable_configuration()->set_num(query.get_configuration().num() + 7);
    result.mutable_configuration()->add_owners(101);
  }
  return result;
}

// The continuation is the last key, and the limit is that of the server.
void FakeStore::List(const proto::List& list, proto::Result* result) const {
  const uint32_t limit = list.limit() == 0 ? kListPairsMax : std::min(list.limit(), kListPairsMax);
  auto next = list.continuation().empty() ? pairs.lower_bound(std::max(list.start(), list.prefix()))
                                          : pairs.upper_bound(list.continuation());
  for (; next != pairs.end() && absl::StartsWith(next->first, list.prefix()); ++next) {
    if (static_cast<uint32_t>(result->pairs_size()) == limit) {
      result->set_continuation(std::prev(next)->first);
      return;
    }
    proto::Pair* pair = result->add_pairs();
    pair->set_key(next->first);
    pair->set_value(next->second);
  }
}

FakeService::FakeService() : thread_([this] { Run(); }) {}

FakeService::~FakeService() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FakeService::Call(Bytes request, Done done) {
  std::vector<std::pair<Bytes, Done>> calls;
  calls.emplace_back(std::move(request), std::move(done));
  CallAll(std::move(calls));
}

void FakeService::CallAll(std::vector<std::pair<Bytes, Done>> calls) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& call : calls) calls_.push_back(std::move(call));
  }
  changed_.notify_all();
}

void FakeService::With(const std::function<void(FakeStore&)>& look) {
  const std::lock_guard<std::mutex> lock(mutex_);
  look(store_);
}

void FakeService::Hold() {
  const std::lock_guard<std::mutex> lock(mutex_);
  holding_ = true;
}

void FakeService::Release() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    holding_ = false;
  }
  changed_.notify_all();
}

void FakeService::AwaitHeld(size_t calls) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return calls_.size() >= calls; });
}

void FakeService::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || (!holding_ && !calls_.empty()); });
    if (stopped_) return;
    const std::pair<Bytes, Done> call = std::move(calls_.front());
    calls_.pop_front();
    call.second(store_.Answer(call.first));
  }
}

}  // namespace lockstep::net::http_test
