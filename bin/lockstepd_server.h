// A node in production: storage, loop, process and fronts, put together; and their orderly end.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_SERVER_H_
#define LOCKSTEP_BIN_LOCKSTEPD_SERVER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bin/lockstepd_composition.h"
#include "bin/lockstepd_fronts.h"
#include "bin/lockstepd_identity.h"
#include "bin/lockstepd_options.h"
#include "bin/lockstepd_resolve.h"
#include "bin/lockstepd_security.h"
#include "bin/lockstepd_surroundings.h"
#include "core/runtime/state_machine.h"
#include "net/address_book.h"
#include "net/log.h"
#include "net/metrics/node_metrics.h"
#include "net/uv_host.h"
#include "storage/background_work.h"
#include "storage/engine.h"
#include "storage/posix_file_system.h"

namespace lockstep::lockstepd {

class Server {
 public:
  // `life` counts the starts of this directory. `directory` and `peers` outlive the server.
  Server(Resolved resolved, uint64_t life, DataDirectory& directory, PeerBook& peers,
         net::LogSink log);
  ~Server();

  // Opens and binds everything. Its status decides the exit code: AlreadyExists for an address that
  // is in use, DataLoss for damage, others as storage says.
  absl::Status Start();
  // Serves until a signal (SIGTERM, SIGINT) or a failure. OK: stopped in order.
  absl::Status Run();

 private:
  absl::Status Join();
  absl::Status Boot();
  std::vector<NodeId> NewestControllers() const;  // that were heard of; may be none
  absl::Status OpenEngine(const node::NodeOptions& node);
  absl::StatusOr<StorageResult> Execute(const StorageJob& job);
  void OnDiskFailed(const absl::Status& why);
  void OnRefused(proto::Refusal refusal, const std::string& advice);
  absl::Status LearnFrom(const proto::Welcome& welcome);
  void JoinOwnGroup();
  proto::NodeAddress Address() const;
  void Log(net::LogLevel level, absl::string_view text, std::vector<net::LogField> fields = {});

  Options options_;
  Identity identity_;
  const NodeId self_;
  const uint64_t life_;
  const bool embedded_;
  DataDirectory& directory_;
  PeerBook& peers_;
  const net::LogSink log_;
  const std::shared_ptr<net::NodeMetrics> metrics_ = std::make_shared<net::NodeMetrics>();
  storage::PosixFileSystem files_;
  net::AddressBook book_;
  std::unique_ptr<DiskMeter> disk_;
  std::unique_ptr<NodeSurroundings> surroundings_;
  std::unique_ptr<MachineFactory> machines_;
  storage::WorkThread background_;  // of LevelDB: compactions delay no entry
  std::unique_ptr<storage::Engine> engine_;
  std::unique_ptr<net::UvHost> host_;
  std::unique_ptr<Security> security_;
  std::unique_ptr<Fronts> fronts_;
  // Since when every refusal came while no node was connected. Loop thread only.
  std::optional<std::chrono::steady_clock::time_point> refused_since_;
  uint64_t welcomes_ = 0;  // when it was refused last
  absl::Status failure_;
};

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_SERVER_H_
