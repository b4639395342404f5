// What the command line asks of a cluster, whichever protocol carries it: the calls of lockstep.v1.
//
// Two implementations: by gRPC on the client library (lockstep_api_grpc.cc), and by HTTP/JSON
// (lockstep_api_http.cc). Every call waits for its answer, and ends by the timeout it was opened
// with. Thread-safe: calls of several threads are under way at the same time.
//
// An error says what became of the call: its Status carries a v1::Failure, which
// client::EffectOf(status) reads (net/client/failure.h). A comparison that fails and a missing key
// are answers, not errors.
#ifndef LOCKSTEP_BIN_LOCKSTEP_API_H_
#define LOCKSTEP_BIN_LOCKSTEP_API_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "core/proto/lockstep/v1/kv.pb.h"
#include "net/client/store_types.h"

namespace lockstep::bin {

struct ApiOptions {
  // host:port of the protocol's own port, of any nodes of one cluster; at least one. When one
  // cannot be reached, the next is asked.
  std::vector<std::string> servers;
  Duration timeout = std::chrono::seconds(10);  // of each call
  client::Credentials credentials = {};
};

class Api {
 public:
  virtual ~Api() = default;

  // Waits until some server answers; Unavailable, with what was tried, if none has by the timeout.
  // The other calls need not wait for it.
  virtual absl::Status Connect() = 0;

  // --- Data. Consistency is in the request. Sessions in requests are for the caller's own
  // exactly-once; without them a write that is answered was executed once.
  virtual absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) = 0;
  virtual absl::StatusOr<v1::GetManyResponse> GetMany(const v1::GetManyRequest& request) = 0;
  virtual absl::StatusOr<v1::PutResponse> Put(const v1::PutRequest& request) = 0;
  virtual absl::StatusOr<v1::AppendResponse> Append(const v1::AppendRequest& request) = 0;
  virtual absl::StatusOr<v1::DeleteResponse> Delete(const v1::DeleteRequest& request) = 0;
  virtual absl::StatusOr<v1::CompareAndSwapResponse> CompareAndSwap(
      const v1::CompareAndSwapRequest& request) = 0;
  // One page: at most `limit` pairs, and as few as the server likes. There is more while
  // `continuation` is not empty; it goes into the next request.
  virtual absl::StatusOr<v1::ListResponse> List(const v1::ListRequest& request) = 0;
  // Atomic, or each write on its own.
  virtual absl::StatusOr<v1::BatchResponse> Batch(const v1::BatchRequest& request) = 0;

  // --- The cluster.
  virtual absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request) = 0;
  virtual absl::StatusOr<v1::LeaveResponse> Leave(const v1::LeaveRequest& request) = 0;
  virtual absl::StatusOr<v1::MoveResponse> Move(const v1::MoveRequest& request) = 0;
  virtual absl::StatusOr<v1::UnpinResponse> Unpin(const v1::UnpinRequest& request) = 0;
  virtual absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request) = 0;
  virtual absl::StatusOr<v1::TransferLeaderResponse> TransferLeader(
      const v1::TransferLeaderRequest& request) = 0;
  // Begun in some group, or nothing had to change; each group's own end is in the answer, or in the
  // error's v1::Failure.
  virtual absl::StatusOr<v1::AddNodeResponse> AddNode(const v1::AddNodeRequest& request) = 0;
  virtual absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(
      const v1::RemoveNodeRequest& request) = 0;
  virtual absl::StatusOr<v1::ReplaceNodeResponse> ReplaceNode(
      const v1::ReplaceNodeRequest& request) = 0;
  virtual absl::StatusOr<v1::StatusResponse> Status(const v1::StatusRequest& request) = 0;

  // --- Single servers, each one of those this was opened with.
  // OK if it serves: by gRPC the standard health service, by HTTP GET /readyz. Otherwise why not.
  virtual absl::Status Health(const std::string& server) = 0;
  // Its metrics as Prometheus text. Unimplemented by gRPC, which has none: they are fetched from
  // the HTTP addresses that Status names.
  virtual absl::StatusOr<std::string> Metrics(const std::string& server) = 0;
};

// InvalidArgument if the options are wrong. Neither waits for a server.
absl::StatusOr<std::unique_ptr<Api>> OpenGrpcApi(const ApiOptions& options);
absl::StatusOr<std::unique_ptr<Api>> OpenHttpApi(const ApiOptions& options);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_API_H_
