// Three servers with gateways, composed as the simulator composes them, whose hosts are cranked by
// hand: what is sent waits until it is delivered, time goes from alarm to alarm.
//
//   node 1  the controller, a replica of group 101
//   node 2  a replica of group 101
//   node 3  a replica of group 101, group 102
#ifndef LOCKSTEP_TESTS_UNIT_GATEWAY_BENCH_H_
#define LOCKSTEP_TESTS_UNIT_GATEWAY_BENCH_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/placement.h"
#include "core/gateway/options.h"
#include "core/kv/command.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/node.pb.h"
#include "core/proto/wire.h"
#include "core/runtime/host.h"
#include "core/runtime/process.h"
#include "sim/disk/sim_file_system.h"
#include "sim/world/kv_software.h"

namespace lockstep::gateway {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr uint32_t kShards = 4;
inline constexpr GroupId k101{101};
inline constexpr GroupId k102{102};

inline proto::NodeMessage Decoded(const Bytes& bytes) {
  proto::NodeMessage message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message;
}

class Bench {
 public:
  // How often a message is delivered.
  using Fate = std::function<int(NodeId from, NodeId to, const Bytes& message)>;

  explicit Bench(const GatewayOptions& options = Options())
      : software_(NodeOptions(), {.directory = "/data", .groups = {}}, Groups(), options) {
    for (uint64_t id = 1; id <= 3; ++id) {
      boxes_[NodeId(id)] = std::make_unique<Box>(*this, NodeId(id));
      boxes_[NodeId(id)]->Boot();
    }
    Run(seconds(1));  // Elections.
  }

  static GatewayOptions Options() {
    GatewayOptions options;
    options.router.controller_nodes = {NodeId(1)};
    options.router.attempt_timeout = milliseconds(200);
    options.router.backoff_min = milliseconds(5);
    options.router.backoff_max = milliseconds(50);
    options.status_patience = milliseconds(300);
    options.link_doubt = milliseconds(400);
    return options;
  }

  // --- Calls

  RequestId Call(uint64_t node, const proto::GatewayRequest& request) {
    Box& box = *boxes_.at(NodeId(node));
    const RequestId id(++box.last_request);
    box.process->OnRequest(id, kv::Encode(request));
    box.EndTurn();
    return id;
  }
  // Null: not yet.
  const proto::GatewayReply* ReplyTo(uint64_t node, RequestId id) {
    const auto& replies = boxes_.at(NodeId(node))->replies;
    const auto found = replies.find(id);
    return found == replies.end() ? nullptr : &found->second;
  }
  // When it was answered; kNever: not yet.
  Instant RepliedAt(uint64_t node, RequestId id) {
    const auto& times = boxes_.at(NodeId(node))->reply_times;
    const auto found = times.find(id);
    return found == times.end() ? kNever : found->second;
  }
  // Until it is answered; fails when that takes longer than a minute.
  proto::GatewayReply Ask(uint64_t node, const proto::GatewayRequest& request) {
    const RequestId id = Call(node, request);
    const Instant until = now_ + seconds(60);
    while (ReplyTo(node, id) == nullptr && now_ < until) Run(milliseconds(1));
    const proto::GatewayReply* reply = ReplyTo(node, id);
    EXPECT_NE(reply, nullptr) << "no answer";
    return reply == nullptr ? proto::GatewayReply() : *reply;
  }
  proto::GatewayReply Ask(uint64_t node, proto::Command command, const std::string& key = "") {
    proto::GatewayRequest request;
    *request.mutable_command() = std::move(command);
    request.set_key(key);
    return Ask(node, request);
  }
  proto::GatewayReply Ask(uint64_t node, proto::Query query) {
    proto::GatewayRequest request;
    *request.mutable_query() = std::move(query);
    return Ask(node, request);
  }
  proto::GatewayReply Join(uint64_t node, std::vector<GroupId> gids) {
    proto::GatewayRequest request;
    for (const GroupId gid : gids) request.mutable_join()->add_groups()->set_gid(gid.value());
    proto::GatewayReply reply = Ask(node, request);
    Run(seconds(2));  // Groups learn of it.
    return reply;
  }
  proto::GatewayReply Status(uint64_t node, bool shards = false) {
    proto::GatewayRequest request;
    request.mutable_cluster_status()->set_shards(shards);
    return Ask(node, request);
  }

  // --- The world

  void Run(Duration span) {
    const Instant until = now_ + span;
    while (true) {
      Settle();
      Instant next = kNever;
      for (auto& [id, box] : boxes_) {
        if (!box->down) next = std::min(next, box->alarm);
      }
      if (next > until) break;
      now_ = std::max(now_, next);
      for (auto& [id, box] : boxes_) box->RingIfDue();
    }
    now_ = until;
  }
  // Until nobody has anything to do before time goes on.
  void Settle() {
    bool busy = true;
    while (busy) {
      busy = false;
      while (!mail_.empty()) {
        const Sent one = std::move(mail_.front());
        mail_.pop_front();
        Box& box = *boxes_.at(one.to);
        if (box.down || boxes_.at(one.from)->down) continue;
        busy = true;
        box.process->OnMessage(one.from, one.message);
        box.EndTurn();
      }
      for (auto& [id, box] : boxes_) {
        busy |= box->RunJob(Lane::kLog);
        busy |= box->RunJob(Lane::kTable);
      }
    }
  }

  // One turn of the node's alarm. False: it is not due.
  bool Ring(uint64_t node) {
    Box& box = *boxes_.at(NodeId(node));
    const bool due = box.alarm <= now_;
    box.RingIfDue();
    return due;
  }
  Instant now() const { return now_; }
  Fate fate = [](NodeId, NodeId, const Bytes&) { return 1; };
  // Hears, sends and does nothing any more.
  void Silence(uint64_t node) { boxes_.at(NodeId(node))->down = true; }
  // The node's process ends, and begins anew from its disk.
  void Restart(uint64_t node) {
    Box& box = *boxes_.at(NodeId(node));
    box.life.process.reset();
    box.life = sim::Life();
    for (auto& lane : box.lanes) lane.clear();
    box.Boot();
  }
  // The node's table lane, or its log lane, stands still, or goes on.
  void HangTable(uint64_t node, bool hangs = true) { boxes_.at(NodeId(node))->table_hangs = hangs; }
  void HangLog(uint64_t node, bool hangs = true) { boxes_.at(NodeId(node))->log_hangs = hangs; }
  void Link(uint64_t node, uint64_t peer, bool up) {
    Box& box = *boxes_.at(NodeId(node));
    box.process->OnPeerLink(NodeId(peer), up);
    box.EndTurn();
  }
  void Deliver(uint64_t from, uint64_t to, const proto::NodeMessage& message) {
    Box& box = *boxes_.at(NodeId(to));
    box.process->OnMessage(NodeId(from), kv::Encode(message));
    box.EndTurn();
  }
  uint64_t LeaderOf(GroupId group) {
    const proto::GatewayReply reply = Status(1);
    for (const auto& node : reply.cluster_status().nodes()) {
      for (const auto& replica : node.replicas()) {
        if (replica.group() == group.value() && replica.role() == lockstep::v1::LEADER) {
          return node.node();
        }
      }
    }
    ADD_FAILURE() << "nobody leads group " << group;
    return 0;
  }
  // What has been sent, one by one, whatever became of it.
  struct Sent {
    NodeId from;
    NodeId to;
    Bytes message;
  };
  std::vector<Sent> sent;
  size_t CountSent(uint64_t from, uint64_t to, proto::NodeMessage::BodyCase what) const {
    return static_cast<size_t>(std::count_if(sent.begin(), sent.end(), [&](const Sent& one) {
      return one.from == NodeId(from) && one.to == NodeId(to) && IsForwarding(one.message) &&
             Decoded(one.message).body_case() == what;
    }));
  }
  static bool IsForwarding(const Bytes& message) {
    wire::Reader reader(message.view());
    return reader.Next() && (reader.field() == proto::NodeMessage::kForwardedRequestFieldNumber ||
                             reader.field() == proto::NodeMessage::kForwardedReplyFieldNumber);
  }
  // A key of a shard that the group serves.
  std::string KeyOf(GroupId group) {
    proto::Query query;
    query.mutable_get_configuration();
    const proto::GatewayReply reply = Ask(1, query);
    for (int i = 0; i < 1000; ++i) {
      const std::string key = "key" + std::to_string(i);
      const auto shard = static_cast<int>(ShardOf(key, kShards).value());
      if (reply.result().configuration().owners(shard) == group.value()) return key;
    }
    ADD_FAILURE() << "group " << group << " has no shard";
    return "";
  }

 private:
  struct Box final : Clock, Transport, Disk, Replies, Journal {
    Box(Bench& owner, NodeId self) : bench(owner), node(self) {}
    ~Box() override { life.process.reset(); }
    void Boot() {
      absl::StatusOr<sim::Life> booted = bench.software_.Boot(node, files, Rng(node.value()), host);
      ASSERT_TRUE(booted.ok()) << booted.status();
      life = *std::move(booted);
      process = life.process.get();
      EndTurn();
    }
    void EndTurn() { process->OnTurnEnd(); }
    void RingIfDue() {
      if (down || alarm > bench.now_) return;
      alarm = kNever;
      process->OnWake();
      EndTurn();
    }
    // False: nothing to do.
    bool RunJob(Lane lane) {
      auto& jobs = lanes[static_cast<size_t>(lane)];
      if (down || jobs.empty() || (lane == Lane::kTable ? table_hangs : log_hangs)) return false;
      const auto [ticket, job] = std::move(jobs.front());
      jobs.pop_front();
      process->OnStorage(lane, ticket, life.storage->Run(job));
      EndTurn();
      return true;
    }

    Instant Now() const override { return bench.now_; }
    void WakeAt(Instant when) override { alarm = when; }
    void Send(NodeId to, Bytes message) override {
      bench.sent.push_back({node, to, message});
      const int copies = bench.fate(node, to, message);
      for (int i = 0; i < copies; ++i) bench.mail_.push_back({node, to, message});
    }
    Ticket Submit(StorageJob job) override {
      const auto lane = static_cast<size_t>(LaneOf(job));
      tickets[lane] = tickets[lane].Next();
      lanes[lane].emplace_back(tickets[lane], std::move(job));
      return tickets[lane];
    }
    void Reply(RequestId id, Bytes reply) override {
      proto::GatewayReply parsed;
      ASSERT_TRUE(parsed.ParseFromArray(reply.data(), static_cast<int>(reply.size())));
      EXPECT_TRUE(replies.emplace(id, std::move(parsed)).second) << "answered twice";
      reply_times.emplace(id, bench.now_);
    }
    bool listening() const override { return false; }
    void Record(const Note&) override {}

    Bench& bench;
    const NodeId node;
    sim::SimFileSystem files;
    Host host{*this, *this, *this, *this, *this};
    sim::Life life;
    Process* process = nullptr;
    Instant alarm = kNever;
    bool down = false;
    bool table_hangs = false;
    bool log_hangs = false;
    std::array<std::deque<std::pair<Ticket, StorageJob>>, 2> lanes;
    std::array<Ticket, 2> tickets;
    uint64_t last_request = 0;
    std::map<RequestId, proto::GatewayReply> replies;
    std::map<RequestId, Instant> reply_times;
  };

  static std::vector<sim::GroupPlacement> Groups() {
    const std::vector<NodeId> all = {NodeId(1), NodeId(2), NodeId(3)};
    return {
        {.group = kControllerGroup, .role = node::GroupRole::kController, .members = {NodeId(1)}},
        {.group = k101, .role = node::GroupRole::kShards, .members = all},
        {.group = k102, .role = node::GroupRole::kShards, .members = {NodeId(3)}}};
  }
  static node::NodeOptions NodeOptions() {
    node::NodeOptions node;
    node.raft.election_min = milliseconds(100);
    node.raft.election_max = milliseconds(200);
    node.raft.heartbeat = milliseconds(20);
    node.shards = kShards;
    node.controllers = {NodeId(1)};
    node.agent.poll_every = milliseconds(50);
    return node;
  }

  sim::KvSoftware software_;
  Instant now_{};
  std::deque<Sent> mail_;
  std::map<NodeId, std::unique_ptr<Box>> boxes_;
};

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_TESTS_UNIT_GATEWAY_BENCH_H_
