// A cluster in memory, for the command line to talk to: one table, no network.
#ifndef LOCKSTEP_TESTS_UNIT_BIN_MEMORY_API_H_
#define LOCKSTEP_TESTS_UNIT_BIN_MEMORY_API_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bin/lockstep_api.h"
#include "bin/lockstep_commands.h"
#include "net/client/failure.h"
#include "tests/unit/bin/support.h"

namespace lockstep::bin {

// What the Api keeps, and what a test may prepare.
struct MemoryCluster {
  std::mutex mutex;
  std::map<std::string, std::string> table;
  uint64_t version = 0;
  size_t page_max = 3;                // pairs in a page of a list
  std::deque<absl::Status> failures;  // of the next data calls, in this order; OK: none
  absl::Status connected;             // what Connect says
  v1::StatusResponse status;
  std::deque<v1::StatusResponse> next_status;  // said first, one at a time
  std::vector<v1::GroupChange> changes;        // what a change of nodes answers
  v1::Configuration configuration;
  std::map<std::string, absl::Status> health;  // by server; others are healthy
  std::vector<std::string> calls;              // of administration, described
  size_t batches = 0;
};

class MemoryApi : public Api {
 public:
  explicit MemoryApi(MemoryCluster& cluster) : cluster_(cluster) {}

  absl::Status Connect() override { return cluster_.connected; }
  absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) override;
  absl::StatusOr<v1::GetManyResponse> GetMany(const v1::GetManyRequest& request) override;
  absl::StatusOr<v1::PutResponse> Put(const v1::PutRequest& request) override;
  absl::StatusOr<v1::AppendResponse> Append(const v1::AppendRequest& request) override;
  absl::StatusOr<v1::DeleteResponse> Delete(const v1::DeleteRequest& request) override;
  absl::StatusOr<v1::CompareAndSwapResponse> CompareAndSwap(
      const v1::CompareAndSwapRequest& request) override;
  absl::StatusOr<v1::ListResponse> List(const v1::ListRequest& request) override;
  absl::StatusOr<v1::BatchResponse> Batch(const v1::BatchRequest& request) override;
  absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request) override;
  absl::StatusOr<v1::LeaveResponse> Leave(const v1::LeaveRequest& request) override;
  absl::StatusOr<v1::MoveResponse> Move(const v1::MoveRequest& request) override;
  absl::StatusOr<v1::UnpinResponse> Unpin(const v1::UnpinRequest& request) override;
  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request) override;
  absl::StatusOr<v1::TransferLeaderResponse> TransferLeader(
      const v1::TransferLeaderRequest& request) override;
  absl::StatusOr<v1::AddNodeResponse> AddNode(const v1::AddNodeRequest& request) override;
  absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(const v1::RemoveNodeRequest& request) override;
  absl::StatusOr<v1::ReplaceNodeResponse> ReplaceNode(
      const v1::ReplaceNodeRequest& request) override;
  absl::StatusOr<v1::StatusResponse> Status(const v1::StatusRequest&) override;
  absl::Status Health(const std::string& server) override {
    const auto found = cluster_.health.find(server);
    return found == cluster_.health.end() ? absl::OkStatus() : found->second;
  }
  absl::StatusOr<std::string> Metrics(const std::string& server) override {
    return "lockstep_up{server=\"" + server + "\"} 1\n";
  }

 private:
  // The failure that is due, if any.
  absl::Status Due();
  v1::WriteOutcome Execute(const v1::Write& write);

  MemoryCluster& cluster_;
};

// What a command line did.
struct Ran {
  int exit_code = 0;
  std::string out;
  std::string err;
};
// Runs `lockstep ARGUMENTS...` against the cluster.
Ran RunLockstep(MemoryCluster& cluster, const std::vector<std::string>& arguments,
                const std::string& in = "");

}  // namespace lockstep::bin

#endif  // LOCKSTEP_TESTS_UNIT_BIN_MEMORY_API_H_
