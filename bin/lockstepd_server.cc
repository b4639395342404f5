#include "bin/lockstepd_server.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bin/atomic_file.h"
#include "bin/lockstepd_book_keeper.h"
#include "bin/lockstepd_departure.h"
#include "bin/lockstepd_exit.h"
#include "bin/lockstepd_fronts.h"
#include "bin/lockstepd_notify.h"
#include "bin/lockstepd_reserve.h"
#include "core/gateway/gateway.h"
#include "core/node/controller_list.h"
#include "core/proto/gateway.pb.h"
#include "net/seed.h"
#include "storage/wal_format.h"

namespace lockstep::lockstepd {
namespace {

// A seed may be about to start, like this node.
constexpr std::chrono::seconds kJoinPatience{60};
constexpr std::chrono::milliseconds kSeedPatience{2000};
constexpr std::chrono::milliseconds kSeedPause{250};
// Nodes that would welcome this one may be about to start, or to be upgraded.
constexpr std::chrono::seconds kRefusedPatience{3};

absl::Status BindError(const absl::Status& status, absl::string_view flag) {
  return ExitWith(ExitCode::kAddressInUse,
                  absl::StrCat(status.message(), "; choose another address with ", flag));
}

absl::Status StorageError(const absl::Status& status) {
  const bool damaged = absl::IsDataLoss(status);
  return ExitWith(damaged ? ExitCode::kDamaged : ExitCode::kDataDirectory,
                  std::string(status.message().data(), status.message().size()));
}

bool IsLogSegment(absl::string_view path) {
  const absl::string_view name = path.substr(path.rfind('/') + 1);
  return storage::wal::ParseSegmentName(name).has_value();
}

}  // namespace

Server::Server(Resolved resolved, uint64_t life, DataDirectory& directory, PeerBook& peers,
               net::LogSink log)
    : options_(std::move(resolved.options)),
      identity_(std::move(resolved.identity)),
      self_(identity_.node_id),
      life_(life),
      embedded_(resolved.embedded),
      directory_(directory),
      peers_(peers),
      log_(std::move(log)),
      files_([this](const std::string& path, std::chrono::nanoseconds took) {
        if (IsLogSegment(path)) metrics_->LogSynced(took);
      }) {}

Server::~Server() {
  fronts_.reset();
  if (disk_ != nullptr) disk_->Stop();  // It tells the host what it measures.
  host_.reset();
}

void Server::Log(net::LogLevel level, absl::string_view text, std::vector<net::LogField> fields) {
  log_(level, "node", text, fields);
}

proto::NodeAddress Server::Address() const {
  proto::NodeAddress address;
  address.set_node(self_.value());
  address.set_incarnation(identity_.incarnation);
  address.set_peer(options_.advertise_peer.empty() ? host_->listen_address()
                                                   : options_.advertise_peer);
  address.set_grpc(options_.advertise_grpc.empty() ? fronts_->grpc_address()
                                                   : options_.advertise_grpc);
  address.set_http(options_.advertise_http.empty() ? fronts_->http_address()
                                                   : options_.advertise_http);
  return address;
}

// --- Starting

// The order: what can be wrong and harms nothing first, what others see last.
absl::Status Server::Start() {
  absl::StatusOr<std::unique_ptr<Security>> security = Security::Load(options_, log_, metrics_);
  if (!security.ok()) return security.status();
  security_ = *std::move(security);
  net::PeerTransportOptions transport;
  transport.tls = security_->tls();
  transport.cluster = options_.cluster;
  transport.listen = options_.listen_peer;
  host_ = std::make_unique<net::UvHost>(
      transport, book_,
      net::UvHost::Events{
          .disk_failed = [this](const absl::Status& why) { OnDiskFailed(why); },
          .refused = [this](NodeId, proto::Refusal refusal,
                            const std::string& advice) { OnRefused(refusal, advice); }},
      log_, Rng(identity_.incarnation ^ life_));
  absl::Status status = host_->Listen();
  if (!status.ok()) return BindError(status, "--listen-peer");
  fronts_ = std::make_unique<Fronts>(options_, *security_, *host_, metrics_, log_);
  status = fronts_->Start();
  if (!status.ok()) return status;
  status = Join();
  if (!status.ok()) return status;
  fronts_->SetShards(options_.shards);
  // What is mentioned first stands until the node itself says otherwise: a cluster that has moved
  // to other addresses is told by its settings, not by what was remembered.
  for (const auto& [node, address] : options_.peers) {
    proto::NodeAddress known;
    known.set_node(node);
    known.set_peer(address);
    book_.Mention(known);
  }
  Recall(peers_, self_.value(), &book_);
  return Boot();
}

// A directory that has had a store, and has none, must not begin anew under the same identity: it
// would vote again where it has voted.
absl::Status Server::OpenEngine(const node::NodeOptions& node) {
  storage::EngineOptions options = EngineOptionsOf(options_, node, identity_.incarnation);
  options.background = &background_;
  // A node that a full disk has stopped must be able to start: to open a store is to write.
  const absl::StatusOr<uint64_t> free = files_.FreeBytes(options_.data_dir);
  if (free.ok()) {
    SpaceReserve(files_, options_.data_dir, options_.space_soft_limit).Adjust(*free);
  }
  const std::string mark = StoreMarkPath(options_.data_dir);
  const bool marked = files_.Exists(mark);
  if (marked && !storage::HoldsPromises(files_, options.directory)) {
    return ExitWith(ExitCode::kDamaged, StoreIsGone(options.directory));
  }
  machines_ = node::MakeMachines(node);
  absl::StatusOr<std::unique_ptr<storage::Engine>> engine =
      storage::Engine::Open(files_, options, *machines_);
  if (!engine.ok()) return StorageError(engine.status());
  engine_ = *std::move(engine);
  if (marked) return absl::OkStatus();
  const absl::Status written = WriteFileAtomically(mark, "");
  return written.ok() ? written
                      : ExitWith(ExitCode::kDataDirectory, std::string(written.message()));
}

std::vector<NodeId> Server::NewestControllers() const {
  std::vector<NodeId> nodes;
  for (const uint64_t node : book_.controllers().nodes()) nodes.emplace_back(node);
  return nodes;
}

absl::Status Server::Boot() {
  node::NodeOptions node = NodeOptionsOf(options_, self_, identity_.incarnation);
  gateway::GatewayOptions gateway = GatewayOptionsOf(options_, self_, life_);
  // Those of the settings may all have been replaced while this node was away.
  node.controllers = node::NewestFirst(NewestControllers(), node.controllers);
  gateway.router.controller_nodes = node.controllers;
  const absl::Status opened = OpenEngine(node);
  if (!opened.ok()) return opened;
  for (const storage::Repair& repair : engine_->repairs()) {
    Log(net::LogLevel::kError, "damaged data was found and is being repaired",
        {{"damage", repair.damage}, {"consequence", repair.consequence}});
  }
  disk_ = std::make_unique<DiskMeter>(files_, options_.data_dir, options_.space_soft_limit,
                                      [this](const DiskSpace& space) { host_->TellSpace(space); });
  surroundings_ = std::make_unique<NodeSurroundings>(self_, book_, *disk_);
  surroundings_->set_host(host_.get());
  net::Introduction introduction{.self = Address(), .controllers = {}, .shards = options_.shards};
  for (const uint64_t id : options_.controller) introduction.controllers.emplace_back(id);
  host_->Boot([this](const StorageJob& job) { return Execute(job); }, std::move(introduction),
              [&](const Host& host) {
                const Rng rng = Rng(identity_.incarnation).Split("life", life_);
                return gateway::MakeNodeWithGateway(node, gateway, engine_->TakeImages(), rng, host,
                                                    *surroundings_);
              });
  Log(net::LogLevel::kInfo, "serving",
      {{"node", absl::StrCat(self_.value())},
       {"cluster", options_.cluster},
       {"peer", host_->listen_address()},
       {"grpc", fronts_->grpc_address()},
       {"http", fronts_->http_address()},
       {"groups", absl::StrCat(node.groups.size())}});
  return absl::OkStatus();
}

// On the threads of the storage lanes.
absl::StatusOr<StorageResult> Server::Execute(const StorageJob& job) {
  const auto began = std::chrono::steady_clock::now();
  absl::StatusOr<StorageResult> result = engine_->Run(job);
  if (std::holds_alternative<ApplyEntries>(job)) {
    metrics_->Applied(std::chrono::steady_clock::now() - began);
  }
  if (const auto* written = std::get_if<CommitLog>(&job)) {
    uint64_t entries = 0;
    for (const LogBatch& batch : written->batches) entries += batch.append.size();
    if (entries > 0) metrics_->LogWritten(entries);
  }
  return result;
}

void Server::OnDiskFailed(const absl::Status& why) {
  if (absl::IsDataLoss(why)) {
    failure_ = ExitWith(
        ExitCode::kDamaged,
        absl::StrCat("what was read is not what was written, so nothing more is promised: ",
                     why.message(), ". Start the node again: it has the other replicas repair it"));
    host_->Stop();
    return;
  }
  failure_ =
      ExitWith(ExitCode::kDiskFailed,
               absl::StrCat("the disk failed, so nothing more is promised: ", why.message()));
  host_->Stop();
}

// One node that refuses may be the one that is wrong, unless it remembers promises that this one
// does not: then going on could break them. Whom everybody refuses has nothing to go on with.
void Server::OnRefused(proto::Refusal refusal, const std::string& advice) {
  const auto now = std::chrono::steady_clock::now();
  const uint64_t welcomes = host_->transport().welcomes();
  const bool welcome_elsewhere = host_->transport().connected() > 0;
  const bool was_welcome = std::exchange(welcomes_, welcomes) != welcomes;
  if (welcome_elsewhere || was_welcome || !refused_since_.has_value()) refused_since_ = now;
  const bool forgetful = refusal == proto::OTHER_INCARNATION;
  if (!forgetful && now - *refused_since_ < kRefusedPatience) return;
  failure_ = ExitWith(ExitCode::kRefused, absl::StrCat("refused: ", advice));
  host_->Stop();
}

// A node that is given seeds learns from the first one that answers what it was not told.
absl::Status Server::Join() {
  const auto end = std::chrono::steady_clock::now() + kJoinPatience;
  absl::Status last;
  for (size_t attempt = 0; !options_.join.empty(); ++attempt) {
    for (const std::string& seed : options_.join) {
      if (StopAsked()) return absl::CancelledError("stopped before a seed has answered");
      const absl::StatusOr<proto::Welcome> welcome =
          net::AskSeed(seed, options_.cluster, Address(), kSeedPatience, attempt,
                       security_->tls() == nullptr ? nullptr : security_->tls()->Current());
      if (welcome.ok()) return LearnFrom(*welcome);
      last = welcome.status();
      if (!absl::IsPermissionDenied(last)) continue;
      return ExitWith(ExitCode::kRefused, absl::StrCat("refused: ", last.message()));
    }
    if (attempt == 0) {
      Log(net::LogLevel::kWarn, "no seed answers; they are asked again",
          {{"last", std::string(last.message())}});
    }
    if (std::chrono::steady_clock::now() >= end) {
      return ExitWith(ExitCode::kRefused,
                      absl::StrCat("no seed of --join answered for ", kJoinPatience.count(),
                                   " s; the last: ", last.message()));
    }
    std::this_thread::sleep_for(kSeedPause);
  }
  return absl::OkStatus();
}

absl::Status Server::LearnFrom(const proto::Welcome& welcome) {
  for (const proto::NodeAddress& known : welcome.book()) {
    if (known.node() != self_.value()) book_.Mention(known);
  }
  if (options_.controller.empty()) {
    options_.controller.assign(welcome.controllers().begin(), welcome.controllers().end());
  }
  book_.LearnControllers(welcome.newest_controllers());
  if (welcome.shards() != 0) options_.shards = welcome.shards();
  if (options_.controller.empty()) {
    return ExitWith(
        ExitCode::kRefused,
        "the seed knows no controller: give --controller, or the address of a node that "
        "belongs to a cluster");
  }
  identity_.controller = options_.controller;
  identity_.shards = options_.shards;
  return directory_.Claim(identity_);
}

// --- Serving

absl::Status Server::Run() {
  TellServing(absl::StrCat("serving as node ", self_.value(), " of ", options_.cluster));
  if (embedded_) JoinOwnGroup();
  {
    const BookKeeper keeper(*host_, book_, peers_);
    const SignalWatch watch([this](int) {
      Log(net::LogLevel::kInfo, "stopping: leaders hand over, calls are answered");
      TellStopping();
      const std::chrono::milliseconds patience(options_.shutdown_timeout_ms);
      const auto began = std::chrono::steady_clock::now();
      fronts_->SayLeaving();
      HandOverLeaders(*host_, patience);
      const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - began);
      fronts_->Drain(std::max(patience - used, std::chrono::milliseconds(100)));
      host_->Stop();
    });
    host_->Run();
  }
  fronts_->Drain(std::chrono::milliseconds(0));
  if (failure_.ok()) Log(net::LogLevel::kInfo, "stopped");
  return failure_;
}

// The embedded default: the one group joins by itself, once.
void Server::JoinOwnGroup() {
  proto::GatewayRequest request;
  for (const GroupSpec& spec : options_.groups) {
    proto::ShardGroup& group = *request.mutable_join()->add_groups();
    group.set_gid(spec.gid);
    for (const uint64_t member : spec.members) group.add_members()->set_node(member);
  }
  request.mutable_join()->set_shards(options_.shards);
  request.set_patience_us(
      static_cast<uint64_t>(std::chrono::microseconds(std::chrono::minutes(5)).count()));
  host_->Call(Bytes::Copy(request.SerializeAsString()), [this](Bytes bytes) {
    proto::GatewayReply reply;
    reply.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    const bool joined = reply.kind() == proto::GatewayReply::OK;
    if (joined && reply.result().code() == proto::OK) {
      Log(net::LogLevel::kInfo, "ready: the group has joined");
    } else if (!joined) {
      Log(net::LogLevel::kWarn, "the group has not joined", {{"why", reply.message()}});
    }
  });
}

}  // namespace lockstep::lockstepd
