// What a leader of the controller hears of other groups' members, and of its own: which of it is
// news for the newest configuration. What has been recorded before is known without asking again,
// since what is recorded of a group only grows; all else a look at the newest configuration
// decides.
#ifndef LOCKSTEP_CORE_NODE_MEMBER_REPORTS_H_
#define LOCKSTEP_CORE_NODE_MEMBER_REPORTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/proto/client.pb.h"

namespace lockstep::node {

class MemberReports {
 public:
  // Beyond so many at a time nothing more is noted: it is said again.
  static constexpr size_t kReportsMax = 4096;

  // False: it is recorded already, or something later is.
  bool MayBeNews(uint64_t gid, uint64_t joined, uint64_t membership) const {
    const auto recorded = recorded_.find({gid, joined});
    return recorded == recorded_.end() || recorded->second < membership;
  }
  // Somebody says so. REQUIRES: it would pass controller::ValidateAdmin.
  void Note(const proto::SetMembers& said);
  // Whether something was noted that only the newest configuration can judge.
  bool empty() const { return reports_.empty(); }
  // What of it this configuration, the newest, lacks. Nothing is noted any more after that.
  std::vector<proto::SetMembers> TakeNews(const proto::Configuration& newest);
  // This replica leads no more. What was recorded stays so.
  void Forget() { reports_.clear(); }

 private:
  // A gid that joined anew is another group. Gid 0: the controller.
  using GroupLife = std::pair<uint64_t, uint64_t>;  // gid, joined
  static GroupLife LifeOf(const proto::SetMembers& said) { return {said.gid(), said.joined()}; }

  absl::btree_map<GroupLife, proto::SetMembers> reports_;
  absl::btree_map<GroupLife, uint64_t> recorded_;  // membership
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_MEMBER_REPORTS_H_
