// The client library: a sharded, replicated key-value store as an object.
//
// A Store finds the nodes from any of its servers, keeps one stream to each node it speaks to, and
// routes, retries and keeps sessions itself (core/client/router.h). So a write that is answered was
// executed exactly once, from end to end: also when answers were lost, leaders died or shards moved
// meanwhile. One that fails says in its status whether it certainly had no effect or whether nobody
// knows (net/client/failure.h: EffectOf). Every call ends by its timeout.
//
// Each call comes twice: one that waits, and one (Async) whose callback gets the answer. All work
// is done by one thread of the library's own. Thread-safe.
#ifndef LOCKSTEP_NET_CLIENT_STORE_H_
#define LOCKSTEP_NET_CLIENT_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "net/client/failure.h"
#include "net/client/store_types.h"

namespace lockstep::client {

class Engine;

class Store {
 public:
  // InvalidArgument if the options are wrong. Does not wait for any server: operations wait for
  // one, to their deadline. To be told at once that none can be reached: WaitReady.
  static absl::StatusOr<std::unique_ptr<Store>> Open(StoreOptions options);

  // As Close, with no patience.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Waits until a server has named the nodes. Unavailable, with what was tried, if none has by
  // then.
  absl::Status WaitReady(Duration timeout);

  // Refuses new calls, waits up to `patience` for those under way, ends the others (Cancelled;
  // effect unknown for writes that may have left), and leaves its sessions. All callbacks have run
  // when it returns. Not to be called from a callback. A second Close does nothing.
  void Close(Duration patience = {});

  // Operations invoked and not completed.
  uint64_t unfinished() const;

  // --- Data. Keys are 1 B to 4 KiB of arbitrary bytes, values up to 64 MiB.

  absl::StatusOr<GetResult> Get(std::string key, CallOptions options = {});
  void GetAsync(std::string key, Callback<GetResult> done, CallOptions options = {});

  // Keys of one shard ({tag}) are read from one state, others each as of some moment of the call.
  // At most 1000 keys; with more bytes than an answer holds it is TOO_LARGE.
  absl::StatusOr<GetManyResult> GetMany(std::vector<std::string> keys, CallOptions options = {});
  void GetManyAsync(std::vector<std::string> keys, Callback<GetManyResult> done,
                    CallOptions options = {});

  absl::StatusOr<WriteResult> Put(std::string key, std::string value, CallOptions options = {});
  void PutAsync(std::string key, std::string value, Callback<WriteResult> done,
                CallOptions options = {});

  // To the end of the value; a missing key is an empty value.
  absl::StatusOr<WriteResult> Append(std::string key, std::string value, CallOptions options = {});
  void AppendAsync(std::string key, std::string value, Callback<WriteResult> done,
                   CallOptions options = {});

  // Deleting a missing key succeeds.
  absl::StatusOr<WriteResult> Delete(std::string key, CallOptions options = {});
  void DeleteAsync(std::string key, Callback<WriteResult> done, CallOptions options = {});

  // A comparison that fails is an answer (swapped = false), not an error. No `expected`: the key
  // must be missing. No `value`: it is deleted.
  absl::StatusOr<SwapResult> CompareAndSwap(std::string key, std::optional<std::string> expected,
                                            std::optional<std::string> value,
                                            CallOptions options = {});
  void CompareAndSwapAsync(std::string key, std::optional<std::string> expected,
                           std::optional<std::string> value, Callback<SwapResult> done,
                           CallOptions options = {});

  // One page. Go on with its `continuation` until that is empty.
  absl::StatusOr<ListPage> List(ListOptions list, CallOptions options = {});
  void ListAsync(ListOptions list, Callback<ListPage> done, CallOptions options = {});

  // All or nothing. All keys of one shard ({tag}), each at most once. A comparison that fails is an
  // answer (committed = false).
  absl::StatusOr<BatchResult> Batch(std::vector<Write> writes, CallOptions options = {});
  void BatchAsync(std::vector<Write> writes, Callback<BatchResult> done, CallOptions options = {});

  // Each on its own, of any shards, each key at most once; the answer says what became of each. An
  // error only if the call was refused as a whole (effect none).
  absl::StatusOr<std::vector<WriteOutcome>> Bulk(std::vector<Write> writes,
                                                 CallOptions options = {});
  void BulkAsync(std::vector<Write> writes, Callback<std::vector<WriteOutcome>> done,
                 CallOptions options = {});

  // --- The cluster. Asked of any server: of the next one when one cannot be reached, or says that
  // it has done nothing and another might. A change whose answer was lost is not repeated: its
  // effect is unknown.

  absl::StatusOr<v1::JoinResponse> Join(v1::JoinRequest request, CallOptions options = {});
  void JoinAsync(v1::JoinRequest request, Callback<v1::JoinResponse> done,
                 CallOptions options = {});

  absl::StatusOr<v1::LeaveResponse> Leave(v1::LeaveRequest request, CallOptions options = {});
  void LeaveAsync(v1::LeaveRequest request, Callback<v1::LeaveResponse> done,
                  CallOptions options = {});

  absl::StatusOr<v1::MoveResponse> Move(v1::MoveRequest request, CallOptions options = {});
  void MoveAsync(v1::MoveRequest request, Callback<v1::MoveResponse> done,
                 CallOptions options = {});

  absl::StatusOr<v1::UnpinResponse> Unpin(v1::UnpinRequest request, CallOptions options = {});
  void UnpinAsync(v1::UnpinRequest request, Callback<v1::UnpinResponse> done,
                  CallOptions options = {});

  absl::StatusOr<v1::QueryResponse> Query(v1::QueryRequest request, CallOptions options = {});
  void QueryAsync(v1::QueryRequest request, Callback<v1::QueryResponse> done,
                  CallOptions options = {});

  absl::StatusOr<v1::TransferLeaderResponse> TransferLeader(v1::TransferLeaderRequest request,
                                                            CallOptions options = {});
  void TransferLeaderAsync(v1::TransferLeaderRequest request,
                           Callback<v1::TransferLeaderResponse> done, CallOptions options = {});

  // Nodes of groups come and go. OK: begun in some group at least, or nothing had to; the answer
  // tells of each. An error's Failure tells of each, too.
  absl::StatusOr<v1::AddNodeResponse> AddNode(v1::AddNodeRequest request, CallOptions options = {});
  void AddNodeAsync(v1::AddNodeRequest request, Callback<v1::AddNodeResponse> done,
                    CallOptions options = {});
  absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(v1::RemoveNodeRequest request,
                                                    CallOptions options = {});
  void RemoveNodeAsync(v1::RemoveNodeRequest request, Callback<v1::RemoveNodeResponse> done,
                       CallOptions options = {});
  absl::StatusOr<v1::ReplaceNodeResponse> ReplaceNode(v1::ReplaceNodeRequest request,
                                                      CallOptions options = {});
  void ReplaceNodeAsync(v1::ReplaceNodeRequest request, Callback<v1::ReplaceNodeResponse> done,
                        CallOptions options = {});

  absl::StatusOr<v1::StatusResponse> Status(v1::StatusRequest request, CallOptions options = {});
  void StatusAsync(v1::StatusRequest request, Callback<v1::StatusResponse> done,
                   CallOptions options = {});

  // The standard health service of one server: OK if it is serving; otherwise why not.
  absl::Status Health(absl::string_view server, CallOptions options = {});

 private:
  explicit Store(std::unique_ptr<Engine> engine);

  const std::unique_ptr<Engine> engine_;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_STORE_H_
