// The calls of a Store as operations of the router, and its outcomes as answers.
#ifndef LOCKSTEP_NET_CLIENT_OPERATIONS_H_
#define LOCKSTEP_NET_CLIENT_OPERATIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/client/events.h"
#include "core/proto/client.pb.h"
#include "net/client/failure.h"
#include "net/client/store_types.h"

namespace lockstep::client {

using BulkWrites = std::vector<proto::BatchOperation>;
using Operation = std::variant<proto::Command, proto::Query, BulkWrites>;

proto::Command CommandOf(Write write);
proto::Command BatchOf(std::vector<Write> writes);
BulkWrites BulkOf(std::vector<Write> writes);
proto::Query GetOf(std::string key, Consistency consistency);
proto::Query GetManyOf(std::vector<std::string> keys, Consistency consistency);
proto::Query ListOf(ListOptions list, Consistency consistency);

// Bytes of keys and values, roughly; and whether it may change anything.
uint64_t BytesOf(const Operation& operation);
bool Writes(const Operation& operation);

// The error that an outcome is, unless it is kOk.
absl::Status StatusOf(const Outcome& outcome);

// What the callers are told. Each takes an outcome of the operation made above.
absl::StatusOr<GetResult> GetAnswer(Outcome outcome);
absl::StatusOr<GetManyResult> GetManyAnswer(Outcome outcome);
absl::StatusOr<WriteResult> WriteAnswer(Outcome outcome);
absl::StatusOr<SwapResult> SwapAnswer(Outcome outcome);
absl::StatusOr<ListPage> ListAnswer(Outcome outcome);
absl::StatusOr<BatchResult> BatchAnswer(Outcome outcome);
absl::StatusOr<std::vector<WriteOutcome>> BulkAnswer(Outcome outcome);

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_OPERATIONS_H_
