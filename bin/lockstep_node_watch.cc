#include "bin/lockstep_node_watch.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::bin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPauseMin{10};
constexpr milliseconds kPauseMax{500};

bool IsAwaited(const GroupEnd& end) {
  return end.outcome == "begun" || end.outcome == "unchanged" || end.outcome == "waiting";
}

// Others go on writing, so the commit index is no sign of progress.
std::string PlaceOf(const v1::ReplicaStatus& leading) {
  std::string place = absl::StrCat(leading.membership_id(), " ", leading.membership_committed());
  for (const v1::GroupMemberStatus& member : leading.group_members()) {
    if (member.joins()) absl::StrAppend(&place, " ", member.match());
  }
  return place;
}

}  // namespace

void NodeWatch::Run(std::vector<GroupEnd>& ends) {
  milliseconds pause = kPauseMin;
  auto moved_at = steady_clock::now();
  while (true) {
    const absl::StatusOr<v1::StatusResponse> status = api_.Status(v1::StatusRequest());
    if (!status.ok()) shell_.Note(std::string(status.status().message()));
    bool open = false;
    for (GroupEnd& end : ends) {
      if (!IsAwaited(end)) continue;
      open |= !status.ok() || Look(end, *status);
    }
    const auto now = steady_clock::now();
    if (moved_) moved_at = now;
    moved_ = false;
    if (!open || now - moved_at >= shell_.options().timeout) return;
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kPauseMax);
  }
}

bool NodeWatch::Look(GroupEnd& end, const v1::StatusResponse& status) {
  const v1::ReplicaStatus* leading = LeadingReplica(status, end.group);
  // Who does not know of the change yet is no leader any more, or does not know it yet.
  if (leading == nullptr || leading->membership_id() < end.membership_id) {
    if (end.outcome == "begun") end.outcome = "waiting";
    Tell(end, "no leader answers");
    return true;
  }
  Tell(end, ProgressText(*leading));
  const std::string place = PlaceOf(*leading);
  moved_ |= std::exchange(seen_[end.group], place) != place;
  const bool settled = leading->change_phase() == v1::SETTLED && leading->membership_committed();
  if (!settled) {
    end.outcome = "waiting";
    end.message = ProgressText(*leading);
    return true;
  }
  end.membership_id = leading->membership_id();
  if (IsGranted(*leading)) {
    if (end.outcome != "unchanged") end.message.clear();
    if (end.outcome != "unchanged") end.outcome = "done";
    return false;
  }
  end.outcome = "superseded";
  end.message = absl::StrCat("somebody has called it off or changed it: ", ProgressText(*leading));
  return false;
}

bool NodeWatch::IsGranted(const v1::ReplicaStatus& leading) const {
  const v1::GroupMemberStatus* comes = FindMember(leading, wish_.comes);
  if (wish_.comes != 0 && (comes == nullptr || comes->voter() == wish_.learner)) return false;
  // A learner whose promotion was called off stays a learner.
  const v1::GroupMemberStatus* goes = FindMember(leading, wish_.goes);
  return goes == nullptr || !goes->voter();
}

void NodeWatch::Tell(const GroupEnd& end, const std::string& progress) {
  std::string& told = told_[end.group];
  if (told == progress) return;
  told = progress;
  if (shell_.json()) return;
  shell_.err() << "lockstep: " << GroupPhrase(end.group) << ": " << progress << std::endl;
}

}  // namespace lockstep::bin
