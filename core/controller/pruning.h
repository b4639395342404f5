// Which configurations nobody needs any more: a pure function of what groups have asked for.
#ifndef LOCKSTEP_CORE_CONTROLLER_PRUNING_H_
#define LOCKSTEP_CORE_CONTROLLER_PRUNING_H_

#include <cstdint>
#include <optional>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/controller/configuration.h"
#include "core/proto/client.pb.h"

namespace lockstep::controller {

// By group: the oldest configuration that it may still ask for, as far as it has been heard.
using Needs = absl::btree_map<GroupId, ConfigurationNum>;

// A group has asked: it has come to all that is older. Needs only grow.
void NoteNeed(GroupId gid, const proto::GetConfiguration& asked, Needs* needs);

// What may be forgotten. A group that was not heard needs everything; one that has left and asked
// for something newer needs nothing. The `kept` newest configurations stay in any case. Nullopt:
// nothing.
std::optional<proto::PruneHistory> WhatNobodyNeeds(const proto::Membership& membership,
                                                   const Needs& needs, uint64_t kept);

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_PRUNING_H_
