// A cluster's state as text for people: nodes, replicas, shards, configurations.
#ifndef LOCKSTEP_BIN_LOCKSTEP_STATUS_TEXT_H_
#define LOCKSTEP_BIN_LOCKSTEP_STATUS_TEXT_H_

#include <string>

#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::bin {

// Tables; with `plain` the bare rows with tabs, each beginning with node, group or shard.
std::string StatusText(const v1::StatusResponse& status, bool shards, bool plain);
std::string ConfigurationText(const v1::Configuration& configuration, bool plain);

std::string GroupName(uint64_t gid);  // "controller" for 0

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_STATUS_TEXT_H_
