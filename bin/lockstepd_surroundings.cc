#include "bin/lockstepd_surroundings.h"

#include <uv.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/lockstepd_memory.h"
#include "bin/version.h"

namespace lockstep::lockstepd {
namespace {

// The free space soon enough for a node that fills it; the directory is walked less often.
constexpr std::chrono::milliseconds kMeasureEvery{1000};
constexpr int kSpaceMeasurementsPerWalk = 5;

void SetAddresses(const proto::NodeAddress& address, lockstep::v1::NodeStatus* status) {
  status->set_node(address.node());
  status->set_peer_address(address.peer());
  status->set_grpc_address(address.grpc());
  status->set_http_address(address.http());
  status->set_incarnation(address.incarnation());
}

}  // namespace

DiskMeter::DiskMeter(storage::FileSystem& files, std::string directory, uint64_t space_soft_bytes,
                     Measured measured)
    : files_(files),
      directory_(std::move(directory)),
      measured_(std::move(measured)),
      reserve_(files, directory_, space_soft_bytes),
      thread_([this] { Run(); }) {}

DiskMeter::~DiskMeter() { Stop(); }

void DiskMeter::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void DiskMeter::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (int i = 0; !stopped_; i = (i + 1) % kSpaceMeasurementsPerWalk) {
    lock.unlock();
    MeasureSpace();
    if (i == 0) used_bytes_ = Measure(directory_, /*depth=*/0);
    if (i == 0) ReturnFreedMemory();
    lock.lock();
    stop_.wait_for(lock, kMeasureEvery, [this] { return stopped_; });
  }
}

// What cannot be measured is not known to be low.
void DiskMeter::MeasureSpace() {
  absl::StatusOr<uint64_t> free = files_.FreeBytes(directory_);
  if (free.ok() && reserve_.Adjust(*free)) free = files_.FreeBytes(directory_);
  free_bytes_ = free.value_or(0);
  if (free.ok()) measured_({.free_bytes = *free});
}

// Files come and go meanwhile; what is gone counts nothing.
uint64_t DiskMeter::Measure(const std::string& path, int depth) const {
  constexpr int kDepthMax = 4;
  const absl::StatusOr<std::vector<std::string>> names = files_.List(path);
  if (!names.ok() || depth > kDepthMax) return files_.FileSize(path).value_or(0);
  uint64_t bytes = 0;
  for (const std::string& name : *names) {
    if (depth == 0 && name == SpaceReserve::kName) continue;
    bytes += Measure(absl::StrCat(path, "/", name), depth + 1);
  }
  return bytes;
}

NodeSurroundings::NodeSurroundings(NodeId self, net::AddressBook& book, const DiskMeter& disk)
    : self_(self), book_(book), disk_(disk), started_(uv_hrtime()) {}

std::vector<lockstep::v1::NodeStatus> NodeSurroundings::KnownNodes() const {
  std::vector<lockstep::v1::NodeStatus> nodes;
  for (const proto::NodeAddress& address : book_.All()) {
    SetAddresses(address, &nodes.emplace_back());
  }
  return nodes;
}

void NodeSurroundings::Mention(NodeId node, const std::string& peer_address) {
  book_.Correct(node, peer_address);
}

void NodeSurroundings::RememberControllers(uint64_t membership, const std::vector<NodeId>& nodes) {
  proto::ControllerNodes controllers;
  controllers.set_membership(membership);
  for (const NodeId node : nodes) controllers.add_nodes(node.value());
  book_.LearnControllers(controllers);
}

void NodeSurroundings::Describe(lockstep::v1::NodeStatus* status) const {
  const proto::NodeAddress* address = book_.Find(self_);
  if (address != nullptr) SetAddresses(*address, status);
  status->set_version(kVersion);
  status->set_commit(kCommit);
  status->set_uptime_ms((uv_hrtime() - started_) / 1000000);
  status->set_storage_bytes(disk_.used_bytes());
  status->set_disk_free_bytes(disk_.free_bytes());
  if (host_ == nullptr) return;
  for (lockstep::v1::PeerLink& link : host_->transport().Links()) {
    *status->add_links() = std::move(link);
  }
  const net::TransportCounters& transport = host_->transport().counters();
  lockstep::v1::NodeCounters& counters = *status->mutable_counters();
  counters.set_peers_connected(host_->transport().connected());
  counters.set_messages_sent(transport.messages_sent);
  counters.set_messages_received(transport.messages_received);
  counters.set_messages_dropped(transport.messages_dropped);
  counters.set_bytes_sent(transport.bytes_sent);
  counters.set_bytes_received(transport.bytes_received);
  counters.set_log_syncs(host_->counters().log_writes);
  counters.set_requests(host_->counters().calls_answered);
  counters.set_turn_us_max(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(host_->counters().turn_max).count()));
  counters.set_request_time_us(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(host_->counters().calls_time).count()));
}

}  // namespace lockstep::lockstepd
