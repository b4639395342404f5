#include "core/controller/pruning.h"

#include <algorithm>

namespace lockstep::controller {

void NoteNeed(GroupId gid, const proto::GetConfiguration& asked, Needs* needs) {
  // Who is no member asks for what comes after the number, a member for that number itself.
  const bool member = asked.member_gid() == 0;
  const ConfigurationNum from(member ? asked.num() : asked.num() + 1);
  ConfigurationNum& need = (*needs)[gid];
  need = std::max(need, from);
}

std::optional<proto::PruneHistory> WhatNobodyNeeds(const proto::Membership& membership,
                                                   const Needs& needs, uint64_t kept) {
  proto::PruneHistory prune;
  const uint64_t newest = membership.newest();
  uint64_t before = newest >= kept ? newest - kept + 1 : 0;
  for (const proto::MemberGroup& group : membership.groups()) {
    const auto found = needs.find(GroupId(group.gid()));
    const uint64_t need = found == needs.end() ? 0 : found->second.value();
    if (group.left() != 0 && need > group.left()) {
      *prune.add_passed() = group;
    } else {
      before = std::min(before, need);
    }
  }
  before = std::max(before, membership.oldest());
  prune.set_before(before);
  if (before == membership.oldest() && prune.passed().empty()) return std::nullopt;
  return prune;
}

}  // namespace lockstep::controller
