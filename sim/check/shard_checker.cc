#include "sim/check/shard_checker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/proto/client.pb.h"
#include "core/shardkv/table_layout.h"
#include "sim/check/evidence.h"

namespace lockstep::sim {
namespace {

using controller::Configuration;
using shardkv::TenureId;

std::string Name(const TenureId& id) {
  return absl::StrCat("shard ", id.shard, " since ", id.since);
}

std::string Describe(const TenureEnd& end) {
  return absl::StrCat("shard ", end.shard, ", lost by group ", end.group.value(),
                      " in configuration ", end.ended);
}

uint64_t BigEndian(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

// The tenure that a key of the table belongs to; nothing for the group's own record.
std::optional<TenureId> TenureOf(absl::string_view key) {
  if (key.size() < shardkv::kTenureKeyBytes) return std::nullopt;
  return TenureId{static_cast<uint32_t>(BigEndian(key.substr(1, 2))), BigEndian(key.substr(3, 8))};
}

}  // namespace

void ShardChecker::Report(absl::string_view property, std::string evidence) {
  if (findings_.first().has_value()) return;
  findings_.Report(std::string(property), absl::StrCat(evidence, "\n(at ", Seconds(now_), ")"));
}

void ShardChecker::OnCommitted(GroupId group, const Entry& entry) {
  if (entry.kind == EntryKind::kConfiguration) configurations_.OnMembersCommitted(group, entry);
  if (group == kControllerGroup) return OnControllerCommitted(entry);
  if (findings_.first().has_value()) return;
  const ModelStep step = model_.OnCommitted(group, entry);
  if (step.reconfigured != 0) CheckOwners(group, step.reconfigured);
  if (step.arrived) CheckArrival(group, step);
  if (step.reconfigured != 0 || step.arrived) CheckServing(group);
}

void ShardChecker::OnControllerCommitted(const Entry& entry) {
  const Configuration before = mirror_.newest();
  mirror_.OnCommitted(entry);
  const Configuration& next = mirror_.newest();
  if (next.num == before.num) return;
  const std::string wrong = configurations_.OnNew(next);
  if (wrong.empty()) return;
  Report("Configuration", absl::StrCat(wrong, "\nin ", controller::Describe(next), "\nafter ",
                                       controller::Describe(before)));
}

// A group that has come to a configuration has exactly the shards that this one gives it.
void ShardChecker::CheckOwners(GroupId group, uint64_t num) {
  const Configuration* configuration = mirror_.At(num);
  if (configuration == nullptr) {
    return Report("Shard Ownership",
                  absl::StrCat("group ", group.value(), " came to configuration ", num,
                               ", which the controller has not made"));
  }
  absl::btree_set<uint64_t> has;
  for (const auto& [id, tenure] : model_.groups().at(group).tenures) {
    if (tenure.until == 0) has.insert(id.shard);
  }
  absl::btree_set<uint64_t> given;
  for (size_t shard = 0; shard < configuration->owners.size(); ++shard) {
    if (configuration->owners[shard] == group) given.insert(shard);
  }
  if (has == given) return;
  Report("Shard Ownership", absl::StrCat("group ", group.value(), " came to configuration ", num,
                                         " with shards ", absl::StrJoin(has, ","),
                                         "\nthe controller gives it ", absl::StrJoin(given, ",")));
}

void ShardChecker::CheckServing(GroupId group) {
  for (const auto& [id, tenure] : model_.groups().at(group).tenures) {
    if (!tenure.serves()) continue;
    const std::vector<GroupId> serving = model_.Serving(id.shard);
    if (serving.size() <= 1) continue;
    return Report("Shard Ownership",
                  absl::StrCat("shard ", id.shard, " is served by groups ", serving[0].value(),
                               " and ", serving[1].value(), " at the same time"));
  }
}

void ShardChecker::CheckArrival(GroupId group, const ModelStep& step) {
  const std::string what = absl::StrCat(Name(step.tenure), " arrived at group ", group.value(),
                                        " from ", Describe(step.source));
  const uint64_t frozen = model_.FrozenVersion(step.source);
  if (frozen == 0) {
    return Report("Handover Integrity", absl::StrCat(what, ", which has not frozen it"));
  }
  if (step.promised.version() != frozen) {
    return Report("Session Monotony", absl::StrCat(what, " at version ", step.promised.version(),
                                                   ", but it was frozen at ", frozen));
  }
  const shardkv::Counts& installed = model_.groups().at(group).tenures.at(step.tenure).installed;
  Compare(step.source, {absl::StrCat("the records that group ", group.value(), " installed"),
                        installed.content, installed.keys, installed.bytes});
  Compare(step.source, {absl::StrCat("the last part for group ", group.value()),
                        step.promised.content(), step.promised.keys(), step.promised.bytes()});
}

void ShardChecker::Compare(const TenureEnd& end, Frozen said) {
  const auto [found, fresh] = frozen_.try_emplace(end, said);
  const Frozen& first = found->second;
  const bool same =
      first.content == said.content && first.keys == said.keys && first.bytes == said.bytes;
  if (fresh || same) return;
  Report("Handover Integrity",
         absl::StrCat(Describe(end), ": ", first.who, " held ", first.keys, " keys with ",
                      first.bytes, " bytes, hash ", first.content, "\n", said.who, " hold ",
                      said.keys, " keys with ", said.bytes, " bytes, hash ", said.content));
}

void ShardChecker::OnApplied(Instant now, NodeId node, const Note& note) {
  now_ = now;
  if (findings_.first().has_value()) return;
  if (note.entry->kind != EntryKind::kInternal) return;
  Check(note.reply != nullptr);
  proto::Result result;
  const int size = static_cast<int>(note.reply->size());
  Check(result.ParseFromArray(note.reply->data(), size), "an answer is unreadable");
  for (const proto::ShardTenure& tenure : result.shards().tenures()) {
    if (tenure.state() != proto::SHARD_FROZEN) continue;
    ++freezes_;
    const proto::ShardSummary& summary = tenure.summary();
    Compare({tenure.shard(), note.group, tenure.until()},
            {absl::StrCat("node ", node.value(), " when it froze it"), summary.content(),
             summary.keys(), summary.bytes()});
  }
}

std::string ShardChecker::StillMoving() const {
  const Configuration& newest = mirror_.newest();
  for (const auto& [gid, group] : model_.groups()) {
    const bool member = newest.Find(gid) != nullptr;
    if ((group.member || member) && group.num != newest.num.value()) {
      return absl::StrCat("group ", gid.value(), " is at configuration ", group.num, " of ",
                          newest.num.value());
    }
    // It may have joined and left while it was away: it goes through both still.
    for (uint64_t num = group.num + 1; num < newest.num.value(); ++num) {
      const Configuration* missed = mirror_.At(num);
      if (missed == nullptr || missed->Find(gid) == nullptr) continue;
      return absl::StrCat("group ", gid.value(), " has not heard of configuration ", num,
                          ", which had it");
    }
    for (const auto& [id, tenure] : group.tenures) {
      if (tenure.state == proto::SHARD_SERVING || tenure.state == proto::SHARD_NONE) continue;
      if (tenure.state == proto::SHARD_DROPPED && !tenure.owes_news) continue;
      return absl::StrCat(Name(id), " at group ", gid.value(), " is ",
                          proto::ShardState_Name(tenure.state));
    }
  }
  for (const controller::Group& group : newest.groups) {
    if (!model_.groups().contains(group.gid)) {
      return absl::StrCat("group ", group.gid.value(), " has not heard that it joined");
    }
  }
  return "";
}

bool ShardChecker::IsServed(GroupId group, const TenureId& id) const {
  const auto known = model_.groups().find(group);
  if (known == model_.groups().end()) return false;
  const auto tenure = known->second.tenures.find(id);
  return tenure != known->second.tenures.end() && tenure->second.serves();
}

std::string ShardChecker::LeftOver(GroupId group, absl::FunctionRef<void(Visit)> scan) const {
  std::string text;
  scan([&](absl::string_view key, absl::string_view) {
    const std::optional<TenureId> id = TenureOf(key);
    if (!id.has_value() || IsServed(group, *id)) return true;
    text =
        absl::StrCat(Name(*id), " has left group ", group.value(), ", but something of it has not");
    return false;
  });
  return text;
}

void ShardChecker::CheckTable(NodeId node, GroupId group, absl::FunctionRef<void(Visit)> scan) {
  if (findings_.first().has_value()) return;
  ++tables_;
  struct Found {
    shardkv::Counts kept;
    shardkv::Counts there;
  };
  absl::btree_map<TenureId, Found> tenures;
  scan([&](absl::string_view key, absl::string_view value) {
    const std::optional<TenureId> id = TenureOf(key);
    if (!id.has_value()) return true;
    Found& found = tenures[*id];
    if (key.front() == shardkv::kCountsKind) found.kept = shardkv::Counts::Decode(value);
    if (key.front() == shardkv::kContentsKind) {
      found.there.Add(key.substr(shardkv::kTenureKeyBytes), value);
    }
    return true;
  });
  for (const auto& [id, found] : tenures) {
    const std::string what = absl::StrCat("node ", node.value(), ", group ", group.value(), ": ");
    if (!IsServed(group, id)) {
      return Report("Shard Convergence",
                    absl::StrCat(what, found.there.keys, " keys with ", found.there.bytes,
                                 " bytes are left of ", Name(id), ", which is not there"));
    }
    if (found.kept == found.there) continue;
    return Report(
        "Shard Accounting",
        absl::StrCat(what, Name(id), " holds ", found.there.keys, " keys with ", found.there.bytes,
                     " bytes, but counts ", found.kept.keys, " with ", found.kept.bytes));
  }
}

void ShardChecker::AppendCounters(Counters* counters) const {
  uint64_t configurations = mirror_.newest().num.value();
  auto& values = counters->values;
  values.emplace_back("configurations", configurations);
  values.emplace_back("members replaced in configurations", configurations_.replacements());
  values.emplace_back("shards frozen", freezes_);
  values.emplace_back("shards moved", model_.moves());
  values.emplace_back("parts of shards", model_.parts());
  values.emplace_back("commands at wrong groups", model_.refused());
  values.emplace_back("shard tables checked", tables_);
}

}  // namespace lockstep::sim
