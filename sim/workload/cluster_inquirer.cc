#include "sim/workload/cluster_inquirer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/command.h"

namespace lockstep::sim {
namespace {

using controller::Group;

constexpr Ratio kTurns{1, 4};  // of all deeds are of this kind

std::vector<uint64_t> MembersOf(const Group& group) {
  std::vector<uint64_t> members;
  for (const controller::Member& member : group.members) members.push_back(member.node.value());
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace

bool ClusterInquirer::WantsTurn() { return !options_.servers.empty() && rng_.Chance(kTurns); }

ClusterInquirer::Call ClusterInquirer::Ask(Instant now, proto::GatewayRequest request) {
  lockstep::Check(!under_way());
  const auto patience = std::chrono::duration_cast<std::chrono::microseconds>(options_.patience);
  request.set_patience_us(static_cast<uint64_t>(patience.count()) + 1);
  request_ = std::move(request);
  least_num_ = mirror_.newest().num.value();
  deadline_ = now + options_.patience + options_.grace;
  const uint64_t which = rng_.Below(options_.servers.size());
  asked_ = options_.servers[which];
  ++attempts_;
  return {asked_, kFirstAttempt + attempts_, kv::Encode(request_)};
}

ClusterInquirer::Call ClusterInquirer::BeginStatus(Instant now) {
  proto::GatewayRequest request;
  request.mutable_cluster_status()->set_shards(rng_.Chance({1, 2}));
  return Ask(now, std::move(request));
}

ClusterInquirer::Call ClusterInquirer::Begin(Instant now, const std::vector<Group>& absent) {
  const uint64_t drawn = rng_.Below(4);
  proto::GatewayRequest request;
  if (drawn == 0 && !absent.empty()) {
    const uint64_t which = rng_.Below(absent.size());
    request.mutable_join()->add_groups()->set_gid(absent[which].gid.value());
    request.mutable_join()->set_shards(options_.shards);
    return Ask(now, std::move(request));
  }
  if (drawn == 1) {
    const uint64_t which = rng_.Below(groups_.size());
    request.mutable_transfer()->set_group(groups_[which].gid.value());
    return Ask(now, std::move(request));
  }
  return BeginStatus(now);
}

bool ClusterInquirer::OnTime(Instant now) {
  if (now < deadline_) return false;
  deadline_ = kNever;
  if (request_.has_join()) join_is_open_ = true;
  return true;
}

bool ClusterInquirer::OnReply(uint64_t attempt, const Bytes& bytes) {
  if (!under_way() || attempt != kFirstAttempt + attempts_) return false;
  deadline_ = kNever;
  proto::GatewayReply reply;
  if (!reply.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    Report("was given what cannot be read");
    return true;
  }
  if (request_.has_transfer()) ++transfers_;
  if (reply.kind() != proto::GatewayReply::OK) {
    const bool open = reply.kind() != proto::GatewayReply::NOT_EXECUTED;
    if (request_.has_join() && open) join_is_open_ = true;
    if (request_.has_cluster_status()) Report("was refused a status: " + reply.message());
    return true;
  }
  if (request_.has_cluster_status()) CheckStatus(reply.cluster_status());
  if (request_.has_join()) CheckJoin(reply);
  return true;
}

void ClusterInquirer::CheckStatus(const lockstep::v1::StatusResponse& status) {
  ++statuses_;
  if (status.answered_by() != asked_.value()) {
    return Report(absl::StrCat("was answered by server ", status.answered_by()));
  }
  const bool all =
      std::equal(status.nodes().begin(), status.nodes().end(), options_.servers.begin(),
                 options_.servers.end(), [](const lockstep::v1::NodeStatus& node, NodeId server) {
                   return node.node() == server.value();
                 });
  if (!all) return Report("was not told of every server, once and in their order");
  for (const lockstep::v1::NodeStatus& node : status.nodes()) CheckNode(node);
  const uint64_t num = status.configuration_num();
  if (num == 0) return;  // The controller has not answered.
  if (num < least_num_ || mirror_.At(num) == nullptr) {
    Report(absl::StrCat("was told of configuration ", num, "; ", least_num_,
                        " had been made when it asked, and until now ",
                        mirror_.newest().num.value()));
  }
}

// A server that answered says what it hosts, and whom with.
void ClusterInquirer::CheckNode(const lockstep::v1::NodeStatus& node) {
  if (node.node() == asked_.value() && !node.online()) {
    return Report(absl::StrCat("was told by server ", asked_.value(), " that it is offline"));
  }
  if (node.online() != node.error().empty()) {
    return Report(absl::StrCat("was told of server ", node.node(), " that it is ",
                               node.online() ? "online" : "offline", ", error \"", node.error(),
                               "\""));
  }
  if (!node.online()) return;
  ++online_;
  members_ == nullptr ? CheckHosted(node) : CheckMembers(node);
}

// What a replica holds to be committed is so: who its members are, by the configuration's name.
void ClusterInquirer::CheckMembers(const lockstep::v1::NodeStatus& node) {
  for (const lockstep::v1::ReplicaStatus& replica : node.replicas()) {
    if (!replica.membership_committed()) continue;
    const Index id(replica.membership_id());
    const bool knows_nobody = id == Index() && replica.members().empty();
    const std::optional<std::vector<NodeId>> members = members_(GroupId(replica.group()), id);
    if (knows_nobody || !members.has_value()) continue;
    const bool same = std::equal(
        members->begin(), members->end(), replica.members().begin(), replica.members().end(),
        [](NodeId member, uint64_t told) { return member.value() == told; });
    if (same) continue;
    Report(absl::StrCat("was told of other members by server ", node.node(), " than configuration ",
                        id.value(), " of group ", replica.group(), " has"));
  }
}

void ClusterInquirer::CheckHosted(const lockstep::v1::NodeStatus& node) {
  for (const Group& group : groups_) {
    const std::vector<uint64_t> members = MembersOf(group);
    const bool hosts = std::find(members.begin(), members.end(), node.node()) != members.end();
    const auto told =
        std::find_if(node.replicas().begin(), node.replicas().end(),
                     [&](const auto& replica) { return replica.group() == group.gid.value(); });
    const bool same =
        told != node.replicas().end() &&
        std::equal(told->members().begin(), told->members().end(), members.begin(), members.end());
    if (hosts == same) continue;
    return Report(
        absl::StrCat("was told wrongly of server ", node.node(), " and group ", group.gid.value()));
  }
}

// The configuration that the join has made, or that refused it.
void ClusterInquirer::CheckJoin(const proto::GatewayReply& reply) {
  if (reply.result().code() != proto::OK) return;
  ++joins_;
  const uint64_t num = reply.result().configuration_num();
  const controller::Configuration* made = mirror_.At(num);
  const GroupId gid(request_.join().groups(0).gid());
  const Group* joined = made == nullptr ? nullptr : made->Find(gid);
  const auto wanted = std::find_if(groups_.begin(), groups_.end(),
                                   [&](const Group& group) { return group.gid == gid; });
  const bool any = members_ != nullptr;  // They may change meanwhile, and again.
  if (joined != nullptr && any && !joined->members.empty()) return;
  if (joined != nullptr && !any && MembersOf(*joined) == MembersOf(*wanted)) return;
  Report(absl::StrCat("let group ", gid.value(), " join, but configuration ", num,
                      " does not have it with the members that it has"));
}

void ClusterInquirer::Report(const std::string& what) {
  findings_.Report("Administration",
                   absl::StrCat("who asks server ", asked_.value(), " about the cluster ", what));
}

void ClusterInquirer::AppendCounters(Counters* counters) const {
  auto& values = counters->values;
  values.emplace_back("cluster states told", statuses_);
  values.emplace_back("servers told online", online_);
  values.emplace_back("joins filled in", joins_);
  values.emplace_back("transfers through gateways", transfers_);
}

}  // namespace lockstep::sim
