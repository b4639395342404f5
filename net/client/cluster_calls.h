// Calls of which any server may answer: fails over from one to the next.
//
// A call that only reads, or that certainly had no effect, is made again at the next server; one
// that may have changed something is not. Each server is asked once. Lives on the library's thread.
#ifndef LOCKSTEP_NET_CLIENT_CLUSTER_CALLS_H_
#define LOCKSTEP_NET_CLIENT_CLUSTER_CALLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "net/client/carrier.h"

namespace lockstep::client {

// Under way at a time; more are refused.
inline constexpr size_t kClusterCallsMax = 1024;

class ClusterCalls {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Bytes>)>;
  enum class Kind : uint8_t { kReads, kChanges };

  explicit ClusterCalls(Carrier* carrier) : carrier_(carrier) {}

  // `method` as in "/lockstep.v1.Cluster/Status". Ends by the deadline.
  void Start(std::vector<std::string> servers, std::string method, Kind kind, Bytes request,
             Instant deadline, Done done);

  size_t under_way() const { return calls_.size(); }

 private:
  struct Ongoing {
    std::vector<std::string> servers;  // still to be asked, in this order
    size_t next = 0;
    std::string method;
    Kind kind = Kind::kReads;
    Bytes request;
    Instant deadline;
    Done done;
    std::vector<std::string> problems;  // of the servers asked in vain
  };
  void AskNext(uint64_t id);
  Duration Patience(const Ongoing& call) const;
  void OnEnd(uint64_t id, CallEnd end);
  void GiveUp(uint64_t id, absl::Status last);
  void Finish(uint64_t id, absl::StatusOr<Bytes> answer);

  Carrier* const carrier_;
  std::string preferred_;  // answered last
  uint64_t last_id_ = 0;
  absl::btree_map<uint64_t, Ongoing> calls_;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_CLUSTER_CALLS_H_
