// A small primary–backup store, as it would be shipped: nothing here knows of a simulator.
//
//   put x 12   the primary writes it to its log, sends it to the backup, and answers "ok" when the
//              backup has confirmed it: acknowledged means on both disks
//   get x      the primary answers with the value, or "none"
//
// There is no failover: while one of the two is down, puts wait.
#ifndef LOCKSTEP_TESTS_EXAMPLES_PRIMARY_BACKUP_STORE_H_
#define LOCKSTEP_TESTS_EXAMPLES_PRIMARY_BACKUP_STORE_H_

#include <map>
#include <string>

#include "core/runtime/host.h"
#include "core/runtime/process.h"
#include "core/runtime/record_log.h"

namespace examples {

using lockstep::Bytes;
using lockstep::Index;
using lockstep::NodeId;

inline constexpr NodeId kPrimary{1};
inline constexpr NodeId kBackup{2};

// Planted, for the tutorial.
enum class Mistake {
  kNone,
  kConfirmsTooEarly,  // the backup confirms what it has received but not yet on its disk
  kReadsTooEarly,     // the primary shows puts that are not yet on its disk
};

// What both have in common: a log on disk whose records are puts.
class StoreServer : public lockstep::Process {
 public:
  StoreServer(const lockstep::ReplicaImage& disk, const lockstep::Host& host, Mistake mistake)
      : host_(host), mistake_(mistake), log_(disk) {}

  void OnPeerLink(NodeId /*peer*/, bool /*up*/) override {}
  void OnTurnEnd() override;

  const lockstep::RecordLog& log() const { return log_; }

 protected:
  // Called at the end of every turn in which something happened that the other should hear of.
  virtual void Speak() = 0;

  const lockstep::Host host_;
  const Mistake mistake_;
  lockstep::RecordLog log_;
  bool news_ = true;
};

class Primary final : public StoreServer {
 public:
  Primary(const lockstep::ReplicaImage& disk, const lockstep::Host& host, Mistake mistake);

  void OnRequest(lockstep::RequestId id, const Bytes& request) override;
  void OnMessage(NodeId from, const Bytes& message) override;
  void OnStorage(lockstep::Lane lane, lockstep::Ticket ticket,
                 absl::StatusOr<lockstep::StorageResult> result) override;
  void OnWake() override { news_ = true; }

  // The backup has confirmed every record up to here, and clients were told so.
  Index confirmed() const { return confirmed_; }

 private:
  void Put(lockstep::RequestId id, const Bytes& request);
  void Speak() override;
  void Show(Index through);

  Index confirmed_;
  Index shown_;  // values_ holds the records up to here
  std::map<std::string, std::string> values_;
  std::map<Index, lockstep::RequestId> waiting_;  // puts that are not yet answered
};

class Backup final : public StoreServer {
 public:
  using StoreServer::StoreServer;

  void OnRequest(lockstep::RequestId /*id*/, const Bytes& /*request*/) override {}
  void OnMessage(NodeId from, const Bytes& message) override;
  void OnStorage(lockstep::Lane lane, lockstep::Ticket ticket,
                 absl::StatusOr<lockstep::StorageResult> result) override;
  void OnWake() override {}

 private:
  void Speak() override;
};

}  // namespace examples

#endif  // LOCKSTEP_TESTS_EXAMPLES_PRIMARY_BACKUP_STORE_H_
