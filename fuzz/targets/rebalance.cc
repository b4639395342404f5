// Who should own which shard: every shard has an owner, pins are kept, the rest is balanced, the
// same question has the same answer, and what is balanced stays as it is. Small ones are compared
// with all assignments that there are: none that is balanced needs fewer moves.
#include "core/controller/rebalance.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "core/base/check.h"
#include "fuzz/support/input.h"

namespace lockstep::fuzz {
namespace {

using controller::Pin;
using Owners = std::vector<GroupId>;

constexpr uint64_t kShardsMax = 96;
constexpr uint64_t kGroupsMax = 10;
constexpr uint64_t kGidsMax = 20;          // owners and pins may name one that is gone
constexpr uint64_t kAssignmentsMax = 800;  // that are looked at one by one

struct Question {
  Owners owners;
  std::vector<GroupId> gids;
  std::vector<Pin> pins;

  bool Has(GroupId gid) const { return std::binary_search(gids.begin(), gids.end(), gid); }
};

Question Ask(Input& input) {
  Question question;
  const uint64_t shards = input.Below(kShardsMax + 1);
  const uint64_t groups = input.Below(kGroupsMax + 1);
  for (uint64_t i = 0; i < groups; ++i) question.gids.push_back(GroupId(1 + input.Below(kGidsMax)));
  std::sort(question.gids.begin(), question.gids.end());
  question.gids.erase(std::unique(question.gids.begin(), question.gids.end()), question.gids.end());
  for (uint64_t shard = 0; shard < shards; ++shard) {
    question.owners.push_back(GroupId(input.Below(kGidsMax + 1)));
    const uint64_t pinned = input.Below(4 * kGidsMax);
    if (pinned >= 1 && pinned <= kGidsMax) {
      question.pins.push_back({.shard = ShardId(shard), .gid = GroupId(pinned)});
    }
  }
  return question;
}

Owners Answer(const Question& question) {
  return controller::Rebalance(question.owners, question.gids, question.pins);
}

bool KeepsPins(const Question& question, const Owners& owners) {
  return std::all_of(question.pins.begin(), question.pins.end(), [&](const Pin& pin) {
    return !question.Has(pin.gid) || owners[pin.shard.value()] == pin.gid;
  });
}

// No shard that is not pinned could move from its group to one that has at least two fewer.
bool IsBalanced(const Question& question, const Owners& owners) {
  std::map<GroupId, size_t> count;
  for (const GroupId gid : question.gids) count[gid] = 0;
  for (const GroupId owner : owners) ++count.at(owner);
  std::map<GroupId, size_t> loose = count;
  for (const Pin& pin : question.pins) {
    if (question.Has(pin.gid)) --loose.at(pin.gid);
  }
  const auto least = std::min_element(
      count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return std::all_of(count.begin(), count.end(), [&](const auto& one) {
    return loose.at(one.first) == 0 || one.second <= least->second + 1;
  });
}

// Of shards whose owner is still there.
size_t Moves(const Question& question, const Owners& owners) {
  size_t moves = 0;
  for (size_t i = 0; i < owners.size(); ++i) {
    const bool moved = owners[i] != question.owners[i];
    if (moved && question.Has(question.owners[i])) ++moves;
  }
  return moves;
}

void CheckFewestMoves(const Question& question, size_t moves) {
  uint64_t assignments = 1;
  for (size_t i = 0; i < question.owners.size() && assignments <= kAssignmentsMax; ++i) {
    assignments *= question.gids.size();
  }
  if (assignments > kAssignmentsMax) return;
  Owners owners(question.owners.size());
  for (uint64_t number = 0; number < assignments; ++number) {
    uint64_t rest = number;
    for (GroupId& owner : owners) {
      owner = question.gids[rest % question.gids.size()];
      rest /= question.gids.size();
    }
    if (KeepsPins(question, owners) && IsBalanced(question, owners)) {
      CheckLe(moves, Moves(question, owners));
    }
  }
}

void RunRebalance(Input input) {
  Question question = Ask(input);
  const Owners owners = Answer(question);
  CheckEq(owners.size(), question.owners.size());
  Check(Answer(question) == owners, "another answer to the same question");
  if (question.gids.empty()) {
    return Check(owners == Owners(owners.size()), "an owner without groups");
  }
  for (const GroupId owner : owners) Check(question.Has(owner), "an owner that is no group");
  Check(KeepsPins(question, owners), "a pinned shard is elsewhere");
  Check(IsBalanced(question, owners), "not balanced");
  CheckFewestMoves(question, Moves(question, owners));
  question.owners = owners;
  Check(Answer(question) == owners, "what is balanced moves");
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunRebalance(lockstep::fuzz::Input(data, size));
  return 0;
}
