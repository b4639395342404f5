#include "sim/world/kv_software.h"

#include <memory>
#include <utility>
#include <vector>

#include "sim/world/describe.h"

namespace lockstep::sim {
namespace {

// The engine and the machines that it applies to, which must outlive it.
class EngineRunner : public StorageRunner {
 public:
  EngineRunner(std::unique_ptr<MachineFactory> machines, std::unique_ptr<storage::Engine> engine)
      : machines_(std::move(machines)), engine_(std::move(engine)) {}
  absl::StatusOr<StorageResult> Run(const StorageJob& job) override { return engine_->Run(job); }
  uint64_t Digest(GroupId group) const override { return engine_->TableDigest(group); }

 private:
  std::unique_ptr<MachineFactory> machines_;
  std::unique_ptr<storage::Engine> engine_;
};

}  // namespace

KvSoftware::KvSoftware(const node::NodeOptions& node, const storage::EngineOptions& engine)
    : node_(node), engine_(engine) {}

absl::StatusOr<Life> KvSoftware::Boot(NodeId node, storage::FileSystem& files, Rng rng,
                                      const Host& host) {
  node::NodeOptions options = node_;
  options.self = node;
  options.raft.self = node;
  std::unique_ptr<MachineFactory> machines = node::MakeMachines(options);
  absl::StatusOr<std::unique_ptr<storage::Engine>> engine =
      storage::Engine::Open(files, engine_, *machines);
  if (!engine.ok()) return engine.status();
  std::vector<ReplicaImage> images = (*engine)->TakeImages();
  Check(!images.empty());
  Life life;
  life.group = images.front().group;
  life.applied = images.front().applied;
  life.storage = std::make_unique<EngineRunner>(std::move(machines), *std::move(engine));
  life.process = node::MakeNode(options, std::move(images), rng, host);
  return life;
}

std::string KvSoftware::Describe(PacketKind kind, const Bytes& data) const {
  switch (kind) {
    case PacketKind::kPeer:
      return DescribePeer(data);
    case PacketKind::kRequest:
      return DescribeRequest(data);
    case PacketKind::kReply:
      return DescribeReply(data);
  }
  return "";
}

}  // namespace lockstep::sim
