#include "core/controller/history.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/controller/table_layout.h"

namespace lockstep::controller {
namespace {

// Records come from our own table: a bad one is a mistake of ours, hence Check. False: the table
// cannot be read.
bool ReadConfiguration(const TableReader& table, ConfigurationNum num,
                       proto::Configuration* message) {
  std::string record;
  const bool found = table.Get(ConfigurationKey(num), &record);
  if (table.failed()) return false;
  Check(found, "a configuration is missing in the table");
  Check(message->ParseFromString(record), "a configuration in the table cannot be read");
  CheckEq(message->num(), num.value());
  return true;
}

}  // namespace

void History::Load(const TableReader& table) {
  *this = History();
  std::string record;
  if (!table.Get(kHistoryKey, &record)) return;
  CheckEq(record.size(), kHistoryBytes);
  oldest_ = ConfigurationNum(kv::ReadBigEndian64(record));
  const ConfigurationNum num(kv::ReadBigEndian64(absl::string_view(record).substr(8)));
  CheckLe(oldest_, num);
  proto::Configuration message;
  if (!ReadConfiguration(table, num, &message)) return;
  absl::StatusOr<Configuration> newest = FromProto(message);
  Check(newest.ok(), newest.status().message());
  newest_ = *std::move(newest);
}

void History::Save(TableWriter& table) const {
  CheckLe(oldest_, newest_.num);
  std::string record;
  kv::AppendBigEndian64(oldest_.value(), &record);
  kv::AppendBigEndian64(newest_.num.value(), &record);
  table.Put(kHistoryKey, record);
}

// Those whose membership changes.
void History::SaveMembers(const Configuration& next, TableWriter& table) const {
  std::string record;
  for (const Group& group : next.groups) {
    if (newest_.Find(group.gid) != nullptr) continue;
    record.clear();
    kv::AppendBigEndian64(0, &record);
    table.Put(MemberKey(group.gid), record);
  }
  for (const Group& group : newest_.groups) {
    if (next.Find(group.gid) != nullptr) continue;
    record.clear();
    kv::AppendBigEndian64(next.num.value(), &record);
    table.Put(MemberKey(group.gid), record);
  }
}

void History::Add(Configuration next, TableWriter& table) {
  CheckEq(next.num, newest_.num.Next());
  SaveMembers(next, table);
  newest_ = std::move(next);
  table.Put(ConfigurationKey(newest_.num), ToProto(newest_).SerializeAsString());
  Save(table);
}

void History::Prune(ConfigurationNum before, uint64_t count_max, TableWriter& table) {
  const ConfigurationNum until = std::min({before, newest_.num, oldest_.Plus(count_max)});
  if (until <= oldest_) return;
  for (; oldest_ < until; oldest_ = oldest_.Next()) table.Delete(ConfigurationKey(oldest_));
  Save(table);
}

void History::Forget(GroupId gid, ConfigurationNum left, TableWriter& table) {
  std::string record;
  if (left == ConfigurationNum() || !table.Get(MemberKey(gid), &record)) return;
  if (kv::ReadBigEndian64(record) == left.value()) table.Delete(MemberKey(gid));
}

void History::AnswerMembership(const TableReader& table, proto::Result* result) const {
  result->set_code(proto::OK);
  result->set_configuration_num(newest_.num.value());
  proto::Membership& membership = *result->mutable_membership();
  membership.set_oldest(oldest_.value());
  membership.set_newest(newest_.num.value());
  table.Scan(absl::string_view(&kMemberKind, 1),
             [&](absl::string_view key, absl::string_view value) {
               if (key.front() != kMemberKind) return false;
               proto::MemberGroup* group = membership.add_groups();
               group->set_gid(kv::ReadBigEndian64(key.substr(1)));
               group->set_left(kv::ReadBigEndian64(value));
               return true;
             });
}

void History::Answer(ConfigurationNum num, const TableReader& table, proto::Result* result) const {
  result->set_configuration_num(newest_.num.value());
  if (num == ConfigurationNum()) num = newest_.num;
  if (num > newest_.num) {
    result->set_code(proto::NOT_FOUND);
    result->set_message(absl::StrCat("configuration ", num.value(),
                                     " does not exist yet: the newest is ", newest_.num.value()));
    return;
  }
  result->set_code(proto::OK);
  if (num == ConfigurationNum()) {
    result->mutable_configuration();  // Before the first: number 0, which no table holds.
    return;
  }
  if (num < oldest_) {
    result->set_code(proto::NOT_FOUND);
    result->set_message(absl::StrCat("configuration ", num.value(),
                                     " is not kept any more: ask for ", oldest_.value(), " to ",
                                     newest_.num.value()));
    return;
  }
  ReadConfiguration(table, num, result->mutable_configuration());
}

void History::AnswerMember(GroupId gid, ConfigurationNum after, const TableReader& table,
                           proto::Result* result) const {
  constexpr uint64_t kLookedAtMax = 16;
  ConfigurationNum num = std::max(after.Next(), oldest_);
  const ConfigurationNum until = std::min(num.Plus(kLookedAtMax), newest_.num.Next());
  proto::Configuration configuration;
  for (; num < until; num = num.Next()) {
    ReadConfiguration(table, num, &configuration);
    const auto& groups = configuration.groups();
    const bool member = std::any_of(groups.begin(), groups.end(),
                                    [&](const auto& group) { return group.gid() == gid.value(); });
    if (!member) continue;
    result->set_code(proto::OK);
    result->set_configuration_num(newest_.num.value());
    result->mutable_configuration()->Swap(&configuration);
    return;
  }
  const ConfigurationNum looked_at = std::max(after, std::min(num.Previous(), newest_.num));
  result->set_code(proto::NOT_FOUND);
  result->set_configuration_num(looked_at.value());
  result->set_message(absl::StrCat("group ", gid.value(), " is no member of configurations ",
                                   after.value(), " to ", looked_at.value()));
}

}  // namespace lockstep::controller
