// The real world: processes of lockstepd, on the loopback, or on a wire of their own where links
// are to be cut.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/client/failure.h"
#include "tests/system/support/network_lab.h"
#include "tests/system/support/real_cluster.h"
#include "tests/system/support/recorder.h"
#include "tests/system/worlds/world.h"

namespace lockstep::system {
namespace {

constexpr uint64_t kFirstGid = 100;

RealClusterOptions OptionsOf(const WorldSpec& spec, NetworkLab* lab) {
  RealClusterOptions options;
  options.nodes = spec.nodes;
  for (size_t i = 0; i < spec.groups.size(); ++i) options.groups[kFirstGid + i] = spec.groups[i];
  options.shards = spec.shards;
  options.lab = lab;
  return options;
}

class RealWorld final : public World {
 public:
  RealWorld(const WorldSpec& spec, std::unique_ptr<NetworkLab> lab)
      : World(spec), lab_(std::move(lab)), cluster_(OptionsOf(spec, lab_.get())) {
    for (uint16_t i = 0; i < spec.clients; ++i) {
      DoorOptions door;
      door.grpc = cluster_.GrpcAddresses();
      door.http = cluster_.HttpAddresses();
      door.first = i;
      door.timeout = kSettlePatience;
      doors_.push_back(OpenDoor(door));
      clients_.push_back(std::make_unique<RecordedClient>(doors_.back(), recorder_));
    }
    cluster_.StartAll();
    AwaitLeader(kController);
    cluster_.Join(spec.joined);
  }

  ~RealWorld() override {
    MendAll();
    for (const uint64_t node : cluster_.Nodes()) {
      if (cluster_.IsRunning(node) && cluster_.IsPaused(node)) Resume(node);
    }
    cluster_.StartAll();
    EXPECT_TRUE(cluster_.AwaitServing());
    for (const auto& call : calls_) call->thread.join();
    for (const std::string& key : keys_) Get(0, key);
    cluster_.ExpectSettled();
    cluster_.ExpectLevel();
    ExpectLinearizable(recorder_.history(), cluster_.workspace());
  }

  void Put(uint16_t client, const std::string& key, const std::string& value) override {
    Name(key);
    ExpectOk(clients_[client]->Put(key, value), "put", key);
  }
  void Append(uint16_t client, const std::string& key, const std::string& value) override {
    Name(key);
    ExpectOk(clients_[client]->Append(key, value), "append", key);
  }
  void Delete(uint16_t client, const std::string& key) override {
    Name(key);
    ExpectOk(clients_[client]->Delete(key), "delete", key);
  }
  std::optional<std::string> Get(uint16_t client, const std::string& key) override {
    const auto answer = clients_[client]->Get(key);
    ExpectOk(answer.status(), "get", key);
    return answer.ok() ? *answer : std::nullopt;
  }
  bool Cas(uint16_t client, const std::string& key, const std::optional<std::string>& expected,
           const std::optional<std::string>& value) override {
    Name(key);
    const auto answer = clients_[client]->CompareAndSwap(key, expected, value);
    ExpectOk(answer.status(), "cas", key);
    return answer.ok() && answer->swapped;
  }

  Pairs List(uint16_t /*client*/, const std::string& prefix) override {
    constexpr uint32_t kPairsOfAPage = 7;
    Pairs all;
    client::ListOptions list{.prefix = prefix, .limit = kPairsOfAPage};
    do {
      const auto page = cluster_.store().List(list, {.timeout = kSettlePatience});
      ExpectOk(page.status(), "list", prefix);
      if (!page.ok()) break;
      for (const client::KeyValue& pair : page->pairs) all[pair.key] = pair.value;
      list.continuation = page->continuation;
    } while (!list.continuation.empty());
    return all;
  }

  CallId PutSoon(uint16_t client, const std::string& key, const std::string& value) override {
    return Begin(client, key, [key, value](RecordedClient& it) { return it.Put(key, value); });
  }
  CallId AppendSoon(uint16_t client, const std::string& key, const std::string& value) override {
    return Begin(client, key, [key, value](RecordedClient& it) { return it.Append(key, value); });
  }
  Fate FateOf(CallId call) override { return calls_[call]->fate.load(); }

  void Advance(Duration span) override { SleepFor(span); }
  bool Await(const std::function<bool()>& condition, Duration within) override {
    return WaitUntil(condition, within);
  }
  Duration election_timeout() const override {
    return std::chrono::milliseconds(cluster_.options().election_timeout_ms);
  }
  Duration patience() const override { return kSettlePatience; }

  void Kill(uint64_t node) override { cluster_.Kill(node); }
  void Restart(uint64_t node) override {
    if (!cluster_.IsRunning(node)) cluster_.Start(node);
  }
  void Pause(uint64_t node) override { cluster_.Pause(node); }
  void Resume(uint64_t node) override { cluster_.Resume(node); }

  void CutOneWay(uint64_t from, uint64_t to) override { lab_->CutOneWay(from, to); }
  void MendAll() override {
    if (lab_ != nullptr) lab_->MendAll();
  }

  uint64_t LeaderOf(uint64_t group) override { return cluster_.LeaderOf(group).value_or(0); }
  void TransferLeader(uint64_t group, uint64_t to) override { cluster_.TransferLeader(group, to); }
  void Join(const std::vector<uint64_t>& gids) override { cluster_.Join(gids); }
  void Leave(const std::vector<uint64_t>& gids) override { cluster_.Leave(gids); }
  void Move(uint32_t shard, uint64_t gid) override { cluster_.Move(shard, gid); }
  void ExpectSettled() override { cluster_.ExpectSettled(); }

 private:
  struct Call {
    std::atomic<Fate> fate{Fate::kOpen};
    std::thread thread;
  };

  static void ExpectOk(const absl::Status& status, const char* what, const std::string& key) {
    EXPECT_TRUE(status.ok()) << what << " " << key << ": " << status;
  }

  void Name(const std::string& key) {
    if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) keys_.push_back(key);
  }

  CallId Begin(uint16_t client, const std::string& key,
               std::function<absl::Status(RecordedClient&)> call) {
    Name(key);
    calls_.push_back(std::make_unique<Call>());
    Call& it = *calls_.back();
    auto caller = std::make_shared<RecordedClient>(doors_[client], recorder_);
    it.thread = std::thread([&it, caller, call = std::move(call)] {
      const absl::Status status = call(*caller);
      const bool unknown = !status.ok() && client::EffectOf(status) == client::Effect::kUnknown;
      it.fate = status.ok() ? Fate::kExecuted : unknown ? Fate::kUnknown : Fate::kNotExecuted;
    });
    return calls_.size() - 1;
  }

  const std::unique_ptr<NetworkLab> lab_;
  RealCluster cluster_;
  Recorder recorder_;
  std::vector<std::shared_ptr<Door>> doors_;
  std::vector<std::unique_ptr<RecordedClient>> clients_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<std::string> keys_;
};

}  // namespace

std::unique_ptr<World> MakeRealWorld(const WorldSpec& spec, std::string* why) {
  std::unique_ptr<NetworkLab> lab;
  if (spec.cuts) {
    auto made = NetworkLab::Create(spec.nodes, spec.seed);
    if (!made.ok()) {
      *why = std::string(made.status().message().data(), made.status().message().size());
      return nullptr;
    }
    lab = *std::move(made);
  }
  return std::make_unique<RealWorld>(spec, std::move(lab));
}

}  // namespace lockstep::system
