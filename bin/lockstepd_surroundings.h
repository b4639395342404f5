// What a node tells of itself beside its replicas: addresses, uptime, disk, counters.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_SURROUNDINGS_H_
#define LOCKSTEP_BIN_LOCKSTEPD_SURROUNDINGS_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bin/lockstepd_reserve.h"
#include "core/gateway/surroundings.h"
#include "core/runtime/process.h"
#include "net/address_book.h"
#include "net/uv_host.h"
#include "storage/file_system.h"

namespace lockstep::lockstepd {

// Measures a directory now and then, on a thread of its own: walking it may take long, and a disk
// that hangs must hold up nobody else. Keeps the reserve of space.
class DiskMeter {
 public:
  // Called on the meter's thread, each time that the free space was measured.
  using Measured = std::function<void(const DiskSpace& space)>;
  DiskMeter(storage::FileSystem& files, std::string directory, uint64_t space_soft_bytes,
            Measured measured);
  ~DiskMeter();
  DiskMeter(const DiskMeter&) = delete;
  DiskMeter& operator=(const DiskMeter&) = delete;

  // Nothing is measured any more, and nobody called. From the thread that made it.
  void Stop();

  // Thread-safe; as of the last measurement.
  uint64_t used_bytes() const { return used_bytes_.load(); }
  uint64_t free_bytes() const { return free_bytes_.load(); }

 private:
  void Run();
  void MeasureSpace();
  uint64_t Measure(const std::string& path, int depth) const;

  storage::FileSystem& files_;
  const std::string directory_;
  const Measured measured_;
  SpaceReserve reserve_;
  std::atomic<uint64_t> used_bytes_{0};
  std::atomic<uint64_t> free_bytes_{0};
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;  // guarded by mutex_
  std::thread thread_;
};

// Loop thread only.
class NodeSurroundings final : public gateway::Surroundings {
 public:
  // All outlive it. The host is told later, since its process is made with this.
  NodeSurroundings(NodeId self, net::AddressBook& book, const DiskMeter& disk);
  void set_host(const net::UvHost* host) { host_ = host; }

  std::vector<lockstep::v1::NodeStatus> KnownNodes() const override;
  void Mention(NodeId node, const std::string& peer_address) override;
  void Describe(lockstep::v1::NodeStatus* status) const override;
  // In the book, which is saved.
  void RememberControllers(uint64_t membership, const std::vector<NodeId>& nodes) override;

 private:
  const NodeId self_;
  net::AddressBook& book_;
  const DiskMeter& disk_;
  const net::UvHost* host_ = nullptr;
  const uint64_t started_;  // uv_hrtime
};

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_SURROUNDINGS_H_
