#include "core/node/member_reports.h"

#include <algorithm>

namespace lockstep::node {

void MemberReports::Note(const proto::SetMembers& said) {
  if (!MayBeNews(said.gid(), said.joined(), said.membership())) return;
  const auto noted = reports_.find(said.gid());
  if (noted != reports_.end()) {
    if (AgeOf(noted->second) < AgeOf(said)) noted->second = said;
    return;
  }
  if (reports_.size() < kReportsMax) reports_.emplace(said.gid(), said);
}

// A group that is no member, or joined anew, has nothing to say. Before there are groups nobody has
// a use for the controller's members (controller/changes.h).
std::vector<proto::SetMembers> MemberReports::TakeNews(const proto::Configuration& newest) {
  recorded_.clear();
  if (!newest.groups().empty()) recorded_[0] = {0, newest.controllers().membership()};
  for (const proto::ShardGroup& group : newest.groups()) {
    recorded_[group.gid()] = {group.joined(), group.membership()};
  }
  std::vector<proto::SetMembers> news;
  for (const auto& [gid, said] : reports_) {
    const auto recorded = recorded_.find(gid);
    if (recorded == recorded_.end() || recorded->second.joined != said.joined()) continue;
    if (recorded->second < AgeOf(said)) news.push_back(said);
  }
  reports_.clear();
  return news;
}

}  // namespace lockstep::node
