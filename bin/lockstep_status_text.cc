#include "bin/lockstep_status_text.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bin/lockstep_text.h"

namespace lockstep::bin {
namespace {

// A replica that has lost something to damage has no say until it has it again.
const char* RoleName(const v1::ReplicaStatus& replica) {
  if (replica.repairing()) return "Repairing";
  switch (replica.role()) {
    case v1::LEADER:
      return "Leader";
    case v1::CANDIDATE:
      return "Candidate";
    case v1::PRE_CANDIDATE:
      return "PreCandidate";
    default:
      return "Follower";
  }
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

// Amounts for people, numbers for machines.
std::string Bytes(uint64_t bytes, bool plain) {
  return plain ? absl::StrCat(bytes) : HumanBytes(bytes);
}
std::string Milliseconds(uint64_t time, bool plain) {
  return plain ? absl::StrCat(time) : HumanTime(time);
}

std::string WhyOf(const v1::NodeStatus& node) {
  switch (node.disk_room()) {
    case v1::DISK_LOW:
      return "its disk is low on space: no more data are taken";
    case v1::DISK_NONE:
      return "its disk is full: it takes nothing any more";
    default:
      return "";
  }
}

Table NodeTable(const v1::StatusResponse& status, bool plain) {
  Table table(
      {"NODE", "STATE", "PEER", "GRPC", "HTTP", "VERSION", "UPTIME", "STORAGE", "FREE", "WHY"});
  for (const v1::NodeStatus& node : status.nodes()) {
    std::vector<std::string> cells = {
        absl::StrCat(node.node()), node.online() ? "Online" : "Offline",
        OrDash(node.peer_address()), OrDash(node.grpc_address()), OrDash(node.http_address())};
    if (node.online()) {
      cells.insert(cells.end(), {OrDash(node.version()), Milliseconds(node.uptime_ms(), plain),
                                 Bytes(node.storage_bytes(), plain),
                                 Bytes(node.disk_free_bytes(), plain), WhyOf(node)});
    } else {
      cells.insert(cells.end(), {"-", "-", "-", "-", OrDash(Escaped(node.error()))});
    }
    table.Add(std::move(cells));
  }
  return table;
}

// Every replica there is: those that nodes report, and those that others count as members while
// their node says nothing.
using Replicas = std::map<uint64_t, std::map<uint64_t, const v1::ReplicaStatus*>>;

Replicas AllReplicas(const v1::StatusResponse& status) {
  Replicas replicas;
  for (const v1::NodeStatus& node : status.nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) {
      for (uint64_t member : replica.members()) replicas[replica.group()].emplace(member, nullptr);
    }
  }
  for (const v1::NodeStatus& node : status.nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) {
      replicas[replica.group()][node.node()] = &replica;
    }
  }
  for (const v1::Group& group : status.configuration().groups()) {
    for (const v1::Member& member : group.members()) {
      replicas[group.gid()].emplace(member.node(), nullptr);
    }
  }
  return replicas;
}

Table ReplicaTable(const v1::StatusResponse& status, bool plain) {
  Table table({"GROUP", "NODE", "ROLE", "TERM", "COMMIT", "APPLIED", "LOG", "STORAGE", "CONFIG",
               "QUORUM SEEN"});
  std::map<uint64_t, uint64_t> storage;
  for (const v1::NodeStatus& node : status.nodes()) storage[node.node()] = node.storage_bytes();
  for (const auto& [gid, members] : AllReplicas(status)) {
    for (const auto& [node, replica] : members) {
      if (replica == nullptr) {
        table.Add(
            {GroupName(gid), absl::StrCat(node), "Offline", "-", "-", "-", "-", "-", "-", "-"});
        continue;
      }
      table.Add(
          {GroupName(gid), absl::StrCat(node), RoleName(*replica), absl::StrCat(replica->term()),
           absl::StrCat(replica->commit()), absl::StrCat(replica->applied()),
           Bytes(replica->log_bytes(), plain), Bytes(storage[node], plain),
           replica->configuration_num() == 0 ? "-" : absl::StrCat(replica->configuration_num()),
           Milliseconds(replica->quorum_contact_age_ms(), plain)});
    }
  }
  return table;
}

// What one group knows of its shards: from the replica that has applied the most.
const v1::ReplicaStatus* BestReplica(const std::map<uint64_t, const v1::ReplicaStatus*>& members) {
  const v1::ReplicaStatus* best = nullptr;
  for (const auto& [node, replica] : members) {
    if (replica == nullptr) continue;
    if (best == nullptr || replica->applied() > best->applied()) best = replica;
  }
  return best;
}

struct ShardRow {
  const v1::ShardStatus* owner = nullptr;
  std::vector<std::string> elsewhere;  // "101 FROZEN"
};

Table ShardTable(const v1::StatusResponse& status, bool plain) {
  const v1::Configuration& configuration = status.configuration();
  const auto owner_of = [&](uint32_t shard) {
    return shard < static_cast<uint32_t>(configuration.owners_size())
               ? configuration.owners(static_cast<int>(shard))
               : 0;
  };
  std::map<uint32_t, ShardRow> rows;
  for (int i = 0; i < configuration.owners_size(); ++i) rows[static_cast<uint32_t>(i)];
  for (const auto& [gid, members] : AllReplicas(status)) {
    const v1::ReplicaStatus* replica = gid == 0 ? nullptr : BestReplica(members);
    if (replica == nullptr) continue;
    for (const v1::ShardStatus& shard : replica->shards()) {
      if (owner_of(shard.shard()) == gid && shard.state() != "DROPPED") {
        rows[shard.shard()].owner = &shard;
      } else if (shard.state() != "DROPPED") {
        rows[shard.shard()].elsewhere.push_back(absl::StrCat(gid, " ", shard.state()));
      }
    }
  }
  const std::set<uint32_t> pinned(configuration.pinned().begin(), configuration.pinned().end());
  Table table({"SHARD", "OWNER", "STATE", "KEYS", "BYTES", "SINCE", "PINNED", "ELSEWHERE"});
  for (const auto& [shard, row] : rows) {
    const uint64_t owner = owner_of(shard);
    const bool known = row.owner != nullptr;
    table.Add({absl::StrCat(shard), owner == 0 ? "nobody" : absl::StrCat(owner),
               known        ? row.owner->state()
               : owner == 0 ? "-"
                            : "unknown",
               known ? absl::StrCat(row.owner->keys()) : "-",
               known ? Bytes(row.owner->bytes(), plain) : "-",
               known ? absl::StrCat(row.owner->since()) : "-",
               pinned.contains(shard) ? "pinned" : "", absl::StrJoin(row.elsewhere, ", ")});
  }
  return table;
}

// Every row of a plain table behind a word that says of which.
std::string Labelled(const std::string& label, const Table& table) {
  std::string text;
  for (absl::string_view line : absl::StrSplit(table.Plain(), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, label, "\t", line, "\n");
  }
  return text;
}

}  // namespace

std::string GroupName(uint64_t gid) { return gid == 0 ? "controller" : absl::StrCat(gid); }

std::string StatusText(const v1::StatusResponse& status, bool shards, bool plain) {
  if (plain) {
    return absl::StrCat(Labelled("node", NodeTable(status, plain)),
                        Labelled("replica", ReplicaTable(status, plain)),
                        shards ? Labelled("shard", ShardTable(status, plain)) : "");
  }
  const std::string configuration =
      status.configuration_num() == 0 ? "the controller has not answered"
                                      : absl::StrCat("configuration ", status.configuration_num());
  const std::string name =
      status.cluster().empty() ? "" : absl::StrCat(" ", Escaped(status.cluster()));
  return absl::StrCat("Cluster", name, ": ", configuration, ", answered by node ",
                      status.answered_by(), "\n\n", NodeTable(status, plain).Text(), "\n",
                      ReplicaTable(status, plain).Text(),
                      shards ? absl::StrCat("\n", ShardTable(status, plain).Text()) : "");
}

std::string ConfigurationText(const v1::Configuration& configuration, bool plain) {
  std::map<uint64_t, std::vector<uint32_t>> shards;
  for (int i = 0; i < configuration.owners_size(); ++i) {
    shards[configuration.owners(i)].push_back(static_cast<uint32_t>(i));
  }
  Table table({"GROUP", "JOINED", "COUNT", "SHARDS", "MEMBERS"});
  for (const v1::Group& group : configuration.groups()) {
    std::vector<std::string> members;
    for (const v1::Member& member : group.members()) {
      members.push_back(member.address().empty()
                            ? absl::StrCat(member.node())
                            : absl::StrCat(member.node(), "@", member.address()));
    }
    const std::vector<uint32_t>& own = shards[group.gid()];
    table.Add({absl::StrCat(group.gid()), absl::StrCat(group.joined()), absl::StrCat(own.size()),
               OrDash(Ranges(own)), absl::StrJoin(members, ",")});
  }
  if (!shards[0].empty()) {
    table.Add({"nobody", "-", absl::StrCat(shards[0].size()), Ranges(shards[0]), ""});
  }
  if (plain) return table.Plain();
  std::string text = absl::StrCat("Config #", configuration.num(), "\n\n", table.Text());
  if (!configuration.pinned().empty()) {
    absl::StrAppend(&text, "\nPinned: ",
                    Ranges({configuration.pinned().begin(), configuration.pinned().end()}), "\n");
  }
  return text;
}

}  // namespace lockstep::bin
