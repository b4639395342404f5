#include "core/node/member_reports.h"

namespace lockstep::node {

void MemberReports::Note(const proto::SetMembers& said) {
  if (!MayBeNews(said.gid(), said.joined(), said.membership())) return;
  const auto noted = reports_.find(LifeOf(said));
  if (noted != reports_.end()) {
    if (noted->second.membership() < said.membership()) noted->second = said;
    return;
  }
  if (reports_.size() < kReportsMax) reports_.emplace(LifeOf(said), said);
}

// A group that is not known has nothing to say. Before there are groups nobody has a use for the
// controller's members (controller/changes.h).
std::vector<proto::SetMembers> MemberReports::TakeNews(const proto::Configuration& newest) {
  recorded_.clear();
  if (!newest.groups().empty()) {
    recorded_[{0, 0}] = newest.controllers().membership();
    for (const auto* groups : {&newest.groups(), &newest.former()}) {
      for (const proto::ShardGroup& group : *groups) {
        recorded_[{group.gid(), group.joined()}] = group.membership();
      }
    }
  }
  std::vector<proto::SetMembers> news;
  for (const auto& [life, said] : reports_) {
    const auto recorded = recorded_.find(life);
    if (recorded != recorded_.end() && recorded->second < said.membership()) news.push_back(said);
  }
  reports_.clear();
  return news;
}

}  // namespace lockstep::node
