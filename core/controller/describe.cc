#include "core/controller/describe.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/kv/describe.h"

namespace lockstep::controller {
namespace {

constexpr int kShownGroupsMax = 8;

std::string DescribeJoin(const proto::Join& join) {
  std::string text = "join";
  for (int i = 0; i < std::min(join.groups_size(), kShownGroupsMax); ++i) {
    const int members = join.groups(i).members_size();
    absl::StrAppend(&text, i == 0 ? " " : ", ", join.groups(i).gid(), " with ", members,
                    members == 1 ? " member" : " members");
  }
  if (join.groups_size() > kShownGroupsMax) {
    absl::StrAppend(&text, " and ", join.groups_size() - kShownGroupsMax, " groups more");
  }
  if (join.shards() != 0) absl::StrAppend(&text, "; ", join.shards(), " shards");
  return text;
}

std::string DescribeLeave(const proto::Leave& leave) {
  std::string text = "leave";
  for (int i = 0; i < std::min(leave.gids_size(), kShownGroupsMax); ++i) {
    absl::StrAppend(&text, i == 0 ? " " : ", ", leave.gids(i));
  }
  if (leave.gids_size() > kShownGroupsMax) {
    absl::StrAppend(&text, " and ", leave.gids_size() - kShownGroupsMax, " groups more");
  }
  return leave.force() ? absl::StrCat(text, " by force") : text;
}

// "members of 5@1 by 12: 1,2,4", "members of the controller by 7: 4,5,6".
std::string DescribeSet(const proto::SetMembers& set) {
  const std::string who =
      set.gid() == 0 ? "the controller" : absl::StrCat(set.gid(), "@", set.joined());
  return absl::StrCat("members of ", who, " by ", set.membership(), ": ",
                      absl::StrJoin(set.nodes(), ","));
}

}  // namespace

std::string Describe(const proto::Command& command) {
  const std::string place = kv::DescribePlace(command);
  switch (command.operation_case()) {
    case proto::Command::kJoin:
      return place + DescribeJoin(command.join());
    case proto::Command::kLeave:
      return place + DescribeLeave(command.leave());
    case proto::Command::kMove:
      return absl::StrCat(place, "move shard ", command.move().shard(), " to ",
                          command.move().gid());
    case proto::Command::kUnpin:
      return absl::StrCat(place, "unpin shard ", command.unpin().shard());
    case proto::Command::kPruneHistory:
      return absl::StrCat(place, "prune before ", command.prune_history().before());
    case proto::Command::kSetMembers:
      return place + DescribeSet(command.set_members());
    default:
      return kv::Describe(command);
  }
}

std::string Describe(const proto::Query& query) {
  if (!query.has_get_configuration()) return kv::Describe(query);
  if (query.get_configuration().num() == 0) return "newest configuration";
  return absl::StrCat("configuration ", query.get_configuration().num());
}

}  // namespace lockstep::controller
